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

test("what is missed of a whole state that was just asked for is asked for too, and not twice", (context) => {
  context.mock.timers.enable({ apis: ["Date", "setTimeout"], now: 1_000_000 });
  const { kernel, link, put, whole } = begin();
  const gaps = () => kernel.of("here").filter((here) => here["gap"] === true).length;
  link.view(1);
  put(1, whole(0, true));
  put(3);
  put(4, whole(0, false));
  put(6, whole(2, true)); // and then nothing comes for long
  assert.equal(gaps(), 1);
  context.mock.timers.tick(1_900);
  assert.equal(gaps(), 1);
  context.mock.timers.tick(200);
  assert.equal(gaps(), 2);
  put(8);
  put(9, whole(0, true));
  context.mock.timers.tick(10_000);
  assert.equal(gaps(), 2);
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

test("what the way to the kernel was lost with is told so, or asked once more", async () => {
  let connection: (sender: unknown, status: string) => void = () => undefined;
  const connectionStatusChanged = { connect: (slot: typeof connection) => ((connection = slot), true), disconnect: () => true };
  const kernel = Object.assign(new Kernel(), { widget_manager: { context: { sessionContext: { connectionStatusChanged } } } });
  const link = new Link(kernel, { put: () => undefined, condition: () => undefined });
  const once = link.ask({ t: "do" });
  const insisted = link.insist({ t: "look" });
  connection(undefined, "connecting");
  connection(undefined, "connected");
  assert.equal((await once).lost, true);
  assert.equal(kernel.of("do").length, 1);
  assert.equal(kernel.of("look").length, 2);
  link.receive([{ t: "reply", page: link.page, id: kernel.of("look")[1]?.["id"], ok: true }, []]);
  assert.deepEqual((await insisted).ok, true);
  link.dispose();
});

test("a page that comes back says what it shows, and no other does", (context) => {
  context.mock.timers.enable({ apis: ["Date"] });
  const kernel = new Kernel();
  const link = new Link(kernel, { put: () => undefined, condition: () => undefined, back: () => ({ places: "some" }) });
  link.view(1);
  const seen = (state: string) => {
    Object.assign(document, { visibilityState: state });
    link.touch();
  };
  seen("hidden");
  context.mock.timers.tick(61_000);
  seen("hidden");
  seen("visible");
  link.refresh();
  assert.deepEqual(kernel.of("here").map((here) => [here["watching"], here["places"]]), [
    [true, undefined], [false, undefined], [true, "some"], [true, undefined],
  ]);
  link.dispose();
});

test("what takes long is told from what is not heard", (context) => {
  context.mock.timers.enable({ apis: ["Date"] });
  const { kernel, link } = begin();
  const answer = (id: unknown) => link.receive([{ t: "reply", page: link.page, id, ok: true }, []]);
  link.view(1);
  answer(kernel.sent.at(-1)?.["id"]);
  void link.ask({ t: "change" });
  assert.equal(link.waits, false);
  context.mock.timers.tick(1_500);
  assert.equal(link.waits, false); // it asks whether it is heard
  assert.equal(kernel.sent.at(-1)?.["t"], "here");
  answer(kernel.sent.at(-1)?.["id"]);
  context.mock.timers.tick(60_000);
  assert.equal(link.waits, false);
  void link.ask({ t: "set" });
  context.mock.timers.tick(1_500);
  assert.equal(link.waits, false);
  context.mock.timers.tick(1_500);
  assert.equal(link.waits, true);
  const asked = kernel.sent.length;
  assert.equal(link.waits, true);
  assert.equal(kernel.sent.length, asked);
  answer(kernel.sent.at(-1)?.["id"]);
  assert.equal(link.waits, false);
  link.dispose();
});
