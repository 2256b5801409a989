import assert from "node:assert/strict";
import { test } from "node:test";

import { Agreed, type Numbered } from "./agreed";

interface Values {
  filter: string;
  faults: boolean;
}

type Said = Numbered<Values>;

/** A kernel whose answers and heads come when the test lets them. */
function pair(first: Values = { filter: "", faults: false }) {
  const kernel: Said = { ...first, at: 0 };
  let head: Said | undefined;
  const answers: (() => void)[] = [];
  const others: Partial<Values>[] = [];
  const agreed = new Agreed<Values>({ filter: "", faults: false }, {
    set: (name, value) =>
      new Promise((resolve) => {
        if (value === "statu>3") return answers.push(() => resolve(undefined));
        Object.assign(kernel, { [name]: value, at: kernel.at + 1 });
        const { at } = kernel;
        return answers.push(() => resolve(at));
      }),
    settings: () => head,
    other: (changed) => others.push(changed),
  });
  return {
    agreed,
    others,
    python: (filter: string) => Object.assign(kernel, { filter, at: kernel.at + 1 }),
    said: () => ({ ...kernel }),
    take: (said: Said) => agreed.take((head = said)),
    answer: async () => {
      answers.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("what is set from the beginning is taken in, and nothing of what is as a view shows it", () => {
  const { others, said, take } = pair({ filter: "web", faults: false });
  take(said());
  take(said());
  assert.deepEqual(others, [{ filter: "web" }]);
});

test("a view's own change is not set back, and said once", async () => {
  const { agreed, others, said, take, answer } = pair();
  agreed.say("filter", "web");
  agreed.say("filter", "web");
  const own = said();
  await answer();
  take(own);
  assert.deepEqual([others, own.at], [[], 1]);
});

test("what is older than a view's own change is not taken in, however late it comes", async () => {
  const { agreed, others, python, said, take, answer } = pair();
  python("api");
  const older = said();
  agreed.say("filter", "web");
  await answer();
  take(older);
  take(said());
  assert.deepEqual(others, []);
});

test("what others set while a view's change was on its way is not missed", async () => {
  const { agreed, others, python, said, take, answer } = pair();
  agreed.say("filter", "web");
  python("-n shop");
  take(said());
  assert.deepEqual(others, []);
  await answer();
  assert.deepEqual(others, [{ filter: "-n shop" }]);
});

test("what others set in the turn of a view's own change is taken in, whoever was last", async () => {
  const { agreed, others, python, said, take, answer } = pair();
  python("-n shop");
  agreed.say("faults", true);
  await answer();
  take(said());
  assert.deepEqual(others, [{ filter: "-n shop" }]);
});

test("a change that is on its way keeps no other setting back", async () => {
  const { agreed, others, python, said, take, answer } = pair();
  agreed.say("faults", true);
  python("-n shop");
  take(said());
  assert.deepEqual(others, [{ filter: "-n shop" }]);
  await answer();
  assert.deepEqual(others, [{ filter: "-n shop" }]);
});

test("what the kernel refuses stays as it was typed", async () => {
  const { agreed, others, said, take, answer } = pair({ filter: "web", faults: false });
  take(said());
  agreed.say("filter", "statu>3");
  await answer();
  take(said());
  assert.deepEqual(others, [{ filter: "web" }]);
  agreed.say("filter", "web");
  agreed.say("filter", "statu>3");
  agreed.say("filter", "status>3"); // typed on while the one before is being refused
  await answer();
  take(said());
  await answer();
  take(said());
  assert.deepEqual(others, [{ filter: "web" }]);
});
