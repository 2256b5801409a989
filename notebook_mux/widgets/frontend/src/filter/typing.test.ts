import assert from "node:assert/strict";
import test from "node:test";

import { Known } from "./completing";
import { World, VECTORS } from "./vectors";
import { History, typed } from "./typing";

const { scheme, rows, columns } = new World(VECTORS.worlds["pods"]!);
const known = () => new Known(columns, scheme.clusters, rows);
const of = (text: string, faults = false) => {
  const { compiled, waiting, whole } = typed(text, scheme, faults, known, rows);
  return { names: rows.filter(compiled.passes).map(({ name }) => name), waiting, whole };
};
const EMPTIED = ["!-", '"nominated node"', "not", "noth", "nothi", "nothin", "nothing"];
const ALL = rows.map(({ name }) => name);
const WEB = ["web-0", "web-1", "web-10"];

test("no beginning of a filter that some rows pass empties the table", () => {
  const texts = VECTORS.judged.filter(([world, , wanted]) => world === "pods" && wanted.length > 0).map(([, text]) => text);
  const emptied: string[] = [];
  for (const text of texts) {
    for (let end = 1; end < text.length; end++) if (of(text.slice(0, end)).names.length === 0) emptied.push(text.slice(0, end));
  }
  // but for a word that no row has, of which nobody knows that it goes on
  assert.deepEqual([...new Set(emptied)], EMPTIED);
});

test("what may go on waits, what is meant counts", () => {
  assert.deepEqual(of("web status=Run"), { names: WEB, waiting: "status=Run", whole: false });
  assert.deepEqual(of("web status=Run "), { names: [], waiting: "", whole: true });
  assert.deepEqual(of("web status=Running"), { names: ["web-0", "web-10"], waiting: "", whole: true });
  assert.deepEqual(of("cpu"), { names: ALL, waiting: "cpu", whole: false });
  assert.deepEqual(of("zzz"), { names: [], waiting: "", whole: true });
  assert.deepEqual(of("web cpu>"), { names: WEB, waiting: "", whole: false });
  assert.deepEqual(of("web -n pro"), { names: WEB, waiting: "-n pro", whole: false });
  assert.deepEqual(of("status=Compl", true), { names: ["web-1", "web-10", "cache"], waiting: "status=Compl", whole: false });
});

test("filters come again, the last first, and each once", () => {
  const history = new History(3);
  for (const text of ["a", "b", " a ", "", "c", "d"]) history.add(text);
  assert.deepEqual([history.step(true), history.step(true), history.step(true), history.step(true)], ["d", "c", "a", undefined]);
  assert.deepEqual([history.step(false), history.step(false), history.walking, history.step(false), history.walking], ["c", "d", true, "", false]);
  assert.equal(history.step(false), undefined);
});
