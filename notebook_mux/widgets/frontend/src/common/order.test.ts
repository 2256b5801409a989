import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { sortsOf } from "../table/cells";
import { compareKeys, compareSorted, naturalKey } from "./order";

interface Tables {
  sorted: Record<string, unknown[]>;
  sorts: { titles: string[]; rows: string[][]; wanted: Record<string, string[]> }[];
}

const { sorted, sorts } = JSON.parse(readFileSync("../../../tests/unit/widgets/orders.json", "utf8")) as Tables;

test("cells sort as people expect", () => {
  for (const [title, cells] of Object.entries(sorted)) {
    const again = [...cells].reverse().sort((a, b) => compareKeys(naturalKey(a, title), naturalKey(b, title)));
    assert.deepEqual(again, cells, title);
  }
});

test("several columns sort one behind another, and nothing is last whichever way", () => {
  for (const { titles, rows, wanted } of sorts) {
    for (const [sort, names] of Object.entries(wanted)) {
      const by = sortsOf(sort).filter(({ title }) => titles.includes(title));
      const key = (row: string[], title: string) => naturalKey(row[titles.indexOf(title)], title);
      const found = [...rows].sort((a, b) => {
        for (const { title, down } of by) {
          const order = compareSorted(key(a, title), key(b, title), down);
          if (order !== 0) return order;
        }
        return compareKeys(naturalKey(a[0]), naturalKey(b[0]));
      });
      assert.deepEqual(found.map((row) => row[0]), names, sort);
    }
  }
});
