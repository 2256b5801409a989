import assert from "node:assert/strict";
import test from "node:test";

import { passes, words } from "./words";

const CASES: [filter: string, text: string, wanted: boolean][] = [
  ["", "web-0\nRunning", true],
  ["web", "web-0\nRunning", true],
  ["WEB run", "web-0\nRunning", true],
  ["web crash", "web-0\nRunning", false],
  ["!crash", "web-0\nRunning", true],
  ["web !run", "web-0\nRunning", false],
  ["!", "web-0!", true],
  ["!", "web-0", false],
];

test("the filter passes what it should", () => {
  for (const [filter, text, wanted] of CASES) {
    assert.equal(passes(words(filter), text.toLowerCase()), wanted, `${filter} on ${text}`);
  }
});
