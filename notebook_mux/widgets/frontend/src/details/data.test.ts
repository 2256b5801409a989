import assert from "node:assert/strict";
import test from "node:test";

import { foldWords, isRich, sizeWords } from "./data";

test("sizes as people say them", () => {
  assert.deepEqual([0, 1, 1023, 1024, 1536, 1048576].map(sizeWords), [
    "0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "1.5 KiB", "1.0 MiB",
  ]);
});

test("the first of a long text, in one line", () => {
  assert.equal(foldWords("a\n  b", 10), "a b");
  assert.equal(foldWords("abcdef", 3), "abc…");
});

test("a cell is a text, or more", () => {
  assert.equal(isRich("x"), false);
  assert.equal(isRich({ text: "x" }), true);
});
