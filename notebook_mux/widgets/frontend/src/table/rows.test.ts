import assert from "node:assert/strict";
import test from "node:test";

import { Rows } from "./rows";

const encode = (value: unknown) => new DataView(new TextEncoder().encode(JSON.stringify(value)).buffer as ArrayBuffer);
const wire = (name: string, status = "Running") => [0, `u-${name}`, "shop", name, [name, status, "5m"], { 2: [100, "{}"] }];

test("a message names each row once, whatever parts it has", () => {
  const rows = new Rows();
  const changes = rows.take([encode([[wire("a"), wire("b")], []]), encode([wire("a"), wire("c")])], { part: 0, last: true });
  assert.deepEqual(changes.add.map((row) => row.name).sort(), ["a", "b", "c"]);
  assert.equal(changes.update.length + changes.remove.length, 0);
});

test("changes and removals", () => {
  const rows = new Rows();
  rows.take([encode([[wire("a"), wire("b")], []])], undefined);
  const changes = rows.take([encode([[wire("a", "Error")], [[0, "u-b"], [0, "u-never"]]])], undefined);
  assert.deepEqual(changes.update.map((row) => row.cell(1, 0)), ["Error"]);
  assert.deepEqual(changes.remove.map((row) => row.name), ["b"]);
  assert.equal(rows.byKey.size, 1);
});

test("what a whole state does not name is gone at its end", () => {
  const rows = new Rows();
  rows.take([encode([[wire("old"), wire("kept")], []])], undefined);
  rows.take([encode([[], []]), encode([wire("kept")])], { part: 0, last: false });
  assert.equal(rows.byKey.size, 2);
  // a change between two parts counts as named
  rows.take([encode([[wire("new")], []])], undefined);
  const changes = rows.take([encode([[], []]), encode([])], { part: 1, last: true });
  assert.deepEqual(changes.remove.map((row) => row.name), ["old"]);
  assert.deepEqual([...rows.byKey.values()].map((row) => row.name).sort(), ["kept", "new"]);
});

test("an age goes on by itself, and sorts by its moment", () => {
  const rows = new Rows();
  rows.take([encode([[wire("a")], []])], undefined);
  const [row] = [...rows.byKey.values()];
  assert.equal(row?.cell(2, 145), "45s");
  assert.equal(row?.cell(2, 700), "10m");
  assert.equal(row?.sortKey(2, "Age").first, -100);
});
