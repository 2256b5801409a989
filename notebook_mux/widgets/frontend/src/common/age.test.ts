import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { humanDuration, parseDuration } from "./age";

/** The tables that Python's own copy is tested with; npm runs this in the front ends' folder. */
const AGES = JSON.parse(readFileSync("../../../tests/unit/widgets/ages.json", "utf8")) as [number, string][];

test("ages are printed as kubectl prints them", () => {
  for (const [seconds, text] of AGES) assert.equal(humanDuration(seconds), text, `${seconds} s`);
});

test("what was printed is read again", () => {
  for (const [seconds, text] of AGES) {
    const read = parseDuration(text);
    if (seconds < 0) continue;
    assert.ok(read !== undefined && read <= seconds, text);
    assert.equal(humanDuration(read), text);
  }
  for (const text of ["", "<unknown>", "90m30s", "5 m", "abc", "1/3"]) assert.equal(parseDuration(text), undefined);
});
