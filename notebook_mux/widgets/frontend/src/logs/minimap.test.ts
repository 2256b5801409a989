import assert from "node:assert/strict";
import test from "node:test";

import { MARK } from "./data";
import { batch, type Given } from "./fake_batch";
import { counted } from "./minimap";
import { Rows } from "./rows";
import { Store } from "./store";

function shown(given: Given[]): [Rows, Store] {
  const store = new Store();
  const rows = new Rows(store);
  const change = store.take(batch(0, given), { oldest: 0, anew: false }, false);
  if (change !== undefined) rows.take(change);
  return [rows, store];
}

test("lines are counted by level and moment, and marks are not", () => {
  const found = counted(...shown([[0, 0, "a", 3], [10, 0, "b", 4], [10, 0, "{}", MARK], [20, 0, "c", 5], [20, 0, "d", 6]]), 3)!;
  assert.deepEqual([...found.all], [1, 1, 2]);
  assert.deepEqual([...found.warnings], [0, 1, 0]);
  assert.deepEqual([...found.errors], [0, 0, 2]);
  assert.deepEqual([found.begin, found.end, found.early], [0, 20, false]);
});

test("a few lines of long ago leave the others their room", () => {
  const given: Given[] = [[0, 0, "of long ago"], ...Array.from({ length: 99 }, (_, at): Given => [1_000_000 + at, 0, "x"])];
  const found = counted(...shown(given), 30)!;
  assert.ok(found.early && found.begin > 999_000);
  assert.equal(found.all[0], 1);
  assert.equal(found.all.reduce((sum, value) => sum + value), 100);
});

test("none and one", () => {
  assert.equal(counted(...shown([]), 10), undefined);
  assert.deepEqual([...counted(...shown([[5, 0, "x"]]), 2)!.all], [1, 0]);
});
