import assert from "node:assert/strict";
import test from "node:test";

import { plain, plainly } from "./plain";

test("what turns text around is seen as something that is there; joiners stay", () => {
  assert.equal(plain("cv\u202egnp.exe\u0007"), "cv\ufffdgnp.exe\ufffd");
  for (const kept of ["web-1", "مرحبا", "👩‍👩‍👧", "line\n\tline", ""]) assert.equal(plain(kept), kept);
});

test("in all of a value", () => {
  const made = plainly({ "a\u202e": [1, null, "b\u2066", { c: true }] });
  assert.deepEqual(made, { "a\ufffd": [1, null, "b\ufffd", { c: true }] });
});
