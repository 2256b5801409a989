import assert from "node:assert/strict";
import test, { mock } from "node:test";

Object.assign(globalThis, { window: new EventTarget() });
const { MOST_MS, Pressed } = await import("./pressed");

test("what is to be drawn waits until the click is through, but not for ever", () => {
  let now = 10_000;
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => now);
  try {
    const element = new EventTarget();
    let released = 0;
    const pressed = new Pressed(element, () => (released += 1), new AbortController().signal);
    window.dispatchEvent(new Event("pointerup")); // of another place
    mock.timers.tick(0);
    assert.deepEqual([pressed.now, released], [false, 0]);
    element.dispatchEvent(new Event("pointerdown"));
    assert.equal(pressed.now, true);
    window.dispatchEvent(new Event("pointerup"));
    assert.deepEqual([pressed.now, released], [true, 0], "its click comes behind it");
    mock.timers.tick(1);
    assert.deepEqual([pressed.now, released], [false, 1]);
    element.dispatchEvent(new Event("pointerdown"));
    now += MOST_MS;
    assert.equal(pressed.now, false);
    window.dispatchEvent(new Event("pointercancel"));
    mock.timers.tick(1);
    assert.equal(released, 2);
  } finally {
    mock.reset();
    mock.timers.reset();
  }
});
