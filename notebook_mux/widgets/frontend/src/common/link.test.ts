import assert from "node:assert/strict";
import test from "node:test";

import type { Model } from "./afm";
import type { Put } from "./link";

// what a page has and Node has not
Object.assign(globalThis, {
  document: { addEventListener: () => undefined, visibilityState: "visible" },
  window: { addEventListener: () => undefined },
  requestAnimationFrame: () => 0,
});
const { Link } = await import("./link");

class Kernel implements Model {
  readonly sent: Record<string, unknown>[] = [];
  get(): unknown {
    return undefined;
  }
  send(content: unknown): void {
    this.sent.push(content as Record<string, unknown>);
  }
  on(): void {}
  off(): void {}
  /** What was sent of one kind. */
  of(kind: string): Record<string, unknown>[] {
    return this.sent.filter((message) => message["t"] === kind);
  }
}

function begin() {
  const kernel = new Kernel();
  const puts: Put[] = [];
  const link = new Link(kernel, { put: (put) => puts.push(put), condition: () => undefined });
  const put = (n: number, more: Record<string, unknown> = {}, epoch = "e1") =>
    link.receive([{ t: "put", n, epoch, now: Date.now() / 1000, ...more }, []]);
  const whole = (part: number, last: boolean, to: string[] = [link.page]) => ({ whole: { to, part, last } });
  return { kernel, puts, link, put, whole };
}

test("a view says here once, and bye at the end", () => {
  const { kernel, link } = begin();
  assert.equal(kernel.sent.length, 0);
  link.view(1);
  link.view(1);
  assert.equal(kernel.of("here").length, 1);
  assert.equal(kernel.of("here")[0]?.["have"], -1);
  assert.equal(kernel.of("here")[0]?.["watching"], true);
  link.view(-1);
  link.view(-1);
  assert.equal(kernel.of("here").at(-1)?.["watching"], false);
  link.dispose();
});

test("messages are taken from a whole state on, in order, and acknowledged", async () => {
  const { kernel, puts, link, put, whole } = begin();
  link.view(1);
  put(1, whole(0, true, ["another page"]));
  assert.equal(puts.length, 0);
  put(2, whole(0, false));
  put(3, whole(1, true));
  put(4);
  put(4); // twice
  assert.deepEqual(puts.map((one) => one.content["n"]), [2, 3, 4]);
  await new Promise((done) => setTimeout(done, 10));
  assert.deepEqual(kernel.of("ack").map((ack) => ack["n"]), [4]);
  link.dispose();
});

test("a state sent to everybody is taken before there is a view", () => {
  const { kernel, puts, link, put, whole } = begin();
  put(1, whole(0, true, ["*"]));
  assert.equal(puts.length, 1);
  assert.equal(kernel.sent.length, 0);
  link.view(1);
  assert.equal(kernel.of("here")[0]?.["have"], 1);
  assert.equal(kernel.of("here")[0]?.["epoch"], "e1");
  link.dispose();
});

test("a gap asks for the whole state, once, and takes nothing before it", () => {
  const { kernel, puts, link, put, whole } = begin();
  link.view(1);
  put(1, whole(0, true));
  put(3);
  put(4);
  assert.deepEqual(puts.map((one) => one.content["n"]), [1]);
  assert.equal(kernel.of("here").filter((here) => here["gap"] === true).length, 1);
  put(5, whole(0, true));
  put(6);
  assert.deepEqual(puts.map((one) => one.content["n"]), [1, 5, 6]);
  link.dispose();
});

test("another run of numbers is taken from its whole state on", () => {
  const { puts, link, put, whole } = begin();
  link.view(1);
  put(1, whole(0, true));
  put(2, {}, "e2");
  put(3, whole(0, true), "e2");
  put(4, {}, "e2");
  assert.deepEqual(puts.map((one) => [one.content["epoch"], one.content["n"]]), [["e1", 1], ["e2", 3], ["e2", 4]]);
  link.dispose();
});

test("answers find their questions, also across pages", async () => {
  const { kernel, link } = begin();
  const answer = link.ask({ t: "set", name: "wide", value: true });
  const id = kernel.of("set")[0]?.["id"];
  link.receive([{ t: "reply", page: "another", id, ok: false, error: "not yours" }, []]);
  link.receive([{ t: "reply", page: link.page, id, ok: true }, []]);
  assert.equal((await answer).ok, true);
  link.dispose();
});
