import assert from "node:assert/strict";
import test, { mock } from "node:test";

let pressed: () => void = () => undefined;
Object.assign(globalThis, { document: { addEventListener: (_: string, listener: () => void) => (pressed = listener) } });
const { afterKeys, KEY_MS, MOST_MS } = await import("./typing");

test("what can wait waits until no more keys come, but not for ever, and may be undone", () => {
  let now = 10_000;
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => now);
  const pass = (millis: number) => {
    now += millis;
    mock.timers.tick(millis);
  };
  try {
    let [done, undone] = [0, 0];
    afterKeys(() => (done += 1));
    assert.equal(done, 1, "at once");
    pressed();
    afterKeys(() => (done += 1));
    const undo = afterKeys(() => (undone += 1));
    undo();
    assert.equal(done, 1);
    pass(KEY_MS / 2);
    pressed();
    pass(KEY_MS / 2);
    assert.equal(done, 1, "another key has come");
    pass(KEY_MS / 2);
    assert.equal(done, 2);
    afterKeys(() => (done += 1));
    assert.equal(done, 3, "a while after the last key");
    pressed();
    afterKeys(() => (done += 1));
    for (let at = 0; at < MOST_MS - KEY_MS; at += KEY_MS / 2) {
      pass(KEY_MS / 2);
      pressed();
      assert.equal(done, 3);
    }
    pass(KEY_MS);
    assert.equal(done, 4, "somebody types all the time");
    assert.equal(undone, 0);
  } finally {
    mock.timers.reset();
    mock.restoreAll();
  }
});
