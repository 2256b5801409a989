import assert from "node:assert/strict";
import test, { mock } from "node:test";

import { Beat, LEAST_MS } from "./beat";

/** A beat in a page that draws a frame at once, and the milliseconds at which it drew. */
function beating(): { beat: Beat; drawn: number[]; pass(milliseconds: number): void } {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  let now = 1000;
  Object.assign(globalThis, {
    document: { visibilityState: "visible", addEventListener: () => undefined, removeEventListener: () => undefined },
    performance: { now: () => now },
    requestAnimationFrame: (draw: () => void) => (draw(), 0),
    cancelAnimationFrame: () => undefined,
  });
  const drawn: number[] = [];
  const beat = new Beat(() => drawn.push(now - 1000), new AbortController().signal);
  const pass = (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed++) {
      now += 1;
      mock.timers.tick(1);
    }
  };
  return { beat, drawn, pass };
}

test("at once after a pause, then so often", () => {
  const { beat, drawn, pass } = beating();
  for (let count = 0; count < 30; count++) {
    beat.ask();
    pass(10);
  }
  assert.deepEqual(drawn.slice(0, 3).map((at) => Math.round(at / LEAST_MS)), [0, 1, 2]);
});

test("what a page missed is drawn in one go, when all of it is there", () => {
  const { beat, drawn, pass } = beating();
  beat.hurry();
  for (const more of [true, true, true, false]) {
    beat.ask(more);
    pass(20);
  }
  assert.equal(drawn.length, 1);
  assert.ok((drawn[0] ?? 0) >= 60, "and not before");
});

test("and before, where it takes long", () => {
  const { beat, drawn, pass } = beating();
  beat.hurry();
  for (let count = 0; count < 40; count++) {
    beat.ask(true);
    pass(20);
  }
  assert.ok(drawn.length >= 2 && drawn.length <= 4, String(drawn));
});

test("where its user sees what will be there, it waits for all of it", () => {
  const { beat, drawn, pass } = beating();
  beat.hurry();
  beat.ask(true);
  pass(50);
  beat.wait();
  for (let count = 0; count < 30; count++) {
    beat.ask(true);
    pass(20);
  }
  assert.deepEqual(drawn, []);
  beat.ask(false);
  pass(1);
  assert.equal(drawn.length, 1);
});

test("but not for ever, also where nothing more comes", () => {
  const { beat, drawn, pass } = beating();
  beat.hurry();
  beat.ask(true);
  beat.wait();
  pass(1100);
  assert.equal(drawn.length, 1);
});
