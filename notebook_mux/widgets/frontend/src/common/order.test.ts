import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { compareKeys, naturalKey, passes, words } from "./order";

interface Tables {
  sorted: Record<string, unknown[]>;
  filters: [string, string, boolean][];
}

const { sorted, filters } = JSON.parse(readFileSync("../../../tests/unit/widgets/orders.json", "utf8")) as Tables;

test("cells sort as people expect", () => {
  for (const [title, cells] of Object.entries(sorted)) {
    const again = [...cells].reverse().sort((a, b) => compareKeys(naturalKey(a, title), naturalKey(b, title)));
    assert.deepEqual(again, cells, title);
  }
});

test("the filter passes what it should", () => {
  for (const [filter, text, wanted] of filters) {
    assert.equal(passes(words(filter), text.toLowerCase()), wanted, `${filter} on ${text}`);
  }
});
