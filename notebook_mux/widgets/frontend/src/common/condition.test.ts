import assert from "node:assert/strict";
import test from "node:test";

import { conditionWords, cutWords, idleWords, WAITS } from "./condition";
import type { Condition } from "./link";

const well: Condition = { kernel: "live", attention: "watching", heard: 0 };

test("the kernel's end is said before all else, then a cut, then a pause, then that something waits", () => {
  const idle: Condition = { ...well, attention: "idle" };
  assert.equal(conditionWords(well, false), "");
  assert.equal(conditionWords(well, true), WAITS);
  assert.equal(conditionWords(idle, true), "Paused: no input here for half an hour. Move the mouse to go on.");
  assert.equal(conditionWords({ ...idle, kernel: "reconnecting" }, true), "Not live: connecting to the Jupyter server again …");
  assert.equal(conditionWords({ ...idle, kernel: "gone" }, true), "Not live: the kernel has gone. Run the cell again.");
});

test("it is said since when, and what is left to do", () => {
  const heard = new Date(2026, 0, 2, 3, 4, 5).getTime();
  assert.equal(cutWords({ ...well, heard, kernel: "gone" }, "The lines stay."), "Not live since 03:04:05: the kernel has gone. The lines stay.");
  assert.equal(idleWords({ ...well, heard, attention: "idle" }, ""), "Paused since 03:04:05: no input here for half an hour.");
  assert.equal(cutWords({ ...well, heard }), "");
});
