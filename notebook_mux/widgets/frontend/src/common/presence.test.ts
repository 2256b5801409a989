import assert from "node:assert/strict";
import test, { mock } from "node:test";

const page = { visibilityState: "visible", heard: new Map<string, () => void>() };
Object.assign(globalThis, {
  document: {
    get visibilityState() {
      return page.visibilityState;
    },
    addEventListener: (name: string, listener: () => void) => page.heard.set(name, listener),
  },
});
const { Presence } = await import("./presence");

const MINUTE = 60_000;

test("hidden for a minute, idle for half an hour, and back at once", () => {
  mock.timers.enable({ apis: ["Date", "setInterval"], now: 1_000_000 });
  try {
    const said: string[] = [];
    const presence = new Presence();
    const end = new AbortController();
    presence.listen((attention) => said.push(attention), end.signal);
    page.visibilityState = "hidden";
    page.heard.get("visibilitychange")?.();
    mock.timers.tick(0.9 * MINUTE);
    assert.deepEqual(said, []);
    mock.timers.tick(0.2 * MINUTE);
    assert.deepEqual(said, ["hidden"]);
    page.visibilityState = "visible";
    page.heard.get("visibilitychange")?.();
    assert.deepEqual(said, ["hidden", "watching"]);
    mock.timers.tick(28 * MINUTE);
    assert.equal(said.length, 2);
    mock.timers.tick(2 * MINUTE);
    assert.deepEqual(said.slice(2), ["idle"]);
    page.heard.get("pointermove")?.();
    assert.deepEqual(said.slice(3), ["watching"]);
    mock.timers.tick(31 * MINUTE);
    presence.touch();
    assert.deepEqual(said.slice(4), ["idle", "watching"]);
    end.abort();
    mock.timers.tick(31 * MINUTE);
    assert.equal(said.length, 6);
  } finally {
    mock.timers.reset();
  }
});
