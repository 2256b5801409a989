import assert from "node:assert/strict";
import test from "node:test";

import { moment } from "./timeline";

const NOW = 1_764_417_660;
const DAY = 86_400;

test("a moment has a day where it is not today, and a year where it is not this one", () => {
  assert.doesNotMatch(moment(NOW - 1, NOW), /Nov|2025/);
  assert.doesNotMatch(moment(NOW - 2 * DAY, NOW), /2025/);
  assert.match(moment(NOW - 2 * DAY, NOW), /27/);
  assert.match(moment(NOW - 366 * DAY, NOW), /2024/);
});
