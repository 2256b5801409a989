import assert from "node:assert/strict";
import test from "node:test";

import { type Changes, Rows } from "./rows";

const encode = (value: unknown) => new DataView(new TextEncoder().encode(JSON.stringify(value)).buffer as ArrayBuffer);
const wire = (name: string, status = "Running") => [0, `u-${name}`, "shop", name, [name, status, "5m"], { 2: [100, "{}"] }];

/** Names of the rows that are new, have changed, and are gone. */
function said(changes: Changes): [added: string[], changed: string[], gone: string[]] {
  const of = (wanted: (before: unknown, after: unknown) => boolean) =>
    [...changes.values()].filter(([b, a]) => wanted(b, a)).map(([b, a]) => (a ?? b)?.name ?? "").sort();
  return [of((b) => b === undefined), of((b, a) => b !== undefined && a !== undefined), of((_, a) => a === undefined)];
}

test("a message names each row once, whatever parts it has", () => {
  const rows = new Rows();
  const changes = rows.take([encode([[wire("a"), wire("b")], []]), encode([wire("a"), wire("c")])], { part: 0, last: true });
  assert.deepEqual(said(changes), [["a", "b", "c"], [], []]);
});

test("changes and removals", () => {
  const rows = new Rows();
  rows.take([encode([[wire("a"), wire("b")], []])], undefined);
  const changes = rows.take([encode([[wire("a", "Error")], [[0, "u-b"], [0, "u-never"]]])], undefined);
  assert.deepEqual(said(changes), [[], ["a"], ["b"]]);
  assert.equal(changes.get("0 u-a")?.[0]?.cell(1, 0), "Running");
  assert.equal(changes.get("0 u-a")?.[1]?.cell(1, 0), "Error");
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
  assert.deepEqual(said(changes), [[], [], ["old"]]);
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

test("what is told again changes nothing", () => {
  const rows = new Rows();
  rows.take([encode([[wire("a")], []])], undefined);
  const before = rows.byKey.get("0 u-a");
  assert.equal(rows.take([encode([[wire("a")], []])], undefined).size, 0);
  assert.equal(rows.byKey.get("0 u-a"), before);
  const told = (labels: Record<string, string>, alive: Record<string, [number, string]>, cell: unknown = "Running") =>
    rows.take([encode([[[0, "u-l", "shop", "l", ["l", cell, "5m"], alive, labels, ""]], []])], undefined).size;
  assert.equal(told({ app: "web", tier: "front" }, { 2: [100, "{}"] }), 1);
  assert.equal(told({ tier: "front", app: "web" }, { 2: [100, "{}"] }), 0);
  assert.equal(told({ app: "web" }, { 2: [100, "{}"] }), 1);
  assert.equal(told({ app: "web" }, { 2: [101, "{}"] }), 1);
  assert.equal(told({ app: "web" }, {}), 1);
  assert.equal(told({ app: "web" }, {}, { a: [1] }), 1);
  assert.equal(told({ app: "web" }, {}, { a: [1] }), 0);
  assert.equal(told({ app: "web" }, {}, null), 1);
  // a row that came and went again within one message
  assert.equal(rows.take([encode([[wire("b")], [[0, "u-b"]]])], undefined).size, 0);
});

test("labels and owner come with a row, or not", () => {
  const rows = new Rows();
  rows.take([encode([[[...wire("a"), { app: "web" }, "ReplicaSet/web-5d"], wire("b")], []])], undefined);
  const [a, b] = [...rows.byKey.values()];
  assert.deepEqual([a?.labels["app"], a?.owner, b?.labels["app"], b?.owner], ["web", "ReplicaSet/web-5d", undefined, ""]);
});

test("of a row that is there, what has changed is enough", () => {
  const rows = new Rows();
  const full = [...wire("a"), { app: "web" }, "ReplicaSet/web"];
  const change = [0, "u-a", { 1: "Error" }, { 0: [7, "{}"], 2: 0 }];
  assert.equal(rows.take([encode([[change], []])], undefined).size, 0);
  rows.take([encode([[full], []])], undefined);
  const [before, after] = rows.take([encode([[change], []])], undefined).get("0 u-a") ?? [];
  assert.deepEqual([after?.cell(1, 0), after?.cell(0, 12), after?.isLive(2)], ["Error", "5s", false]);
  assert.deepEqual([after?.labels, after?.owner, before?.cell(1, 0)], [{ app: "web" }, "ReplicaSet/web", "Running"]);
});

test("a change waits for the whole of its row where that is on its way", () => {
  const rows = new Rows();
  rows.take([encode([[wire("a"), wire("b")], []])], undefined);
  const change = (name: string) => [0, `u-${name}`, { 1: "Error" }, {}];
  rows.take([encode([[], []]), encode([wire("a")])], { part: 0, last: false });
  const changes = rows.take([encode([[change("a"), change("b")], []]), encode([wire("b", "Failed")])], { part: 1, last: true });
  assert.deepEqual(said(changes), [[], ["a", "b"], []]);
  assert.deepEqual([...rows.byKey.values()].map((row) => row.cell(1, 0)), ["Error", "Failed"]);
});
