import assert from "node:assert/strict";
import test from "node:test";

import { CONTINUES, MARK } from "./data";
import { batch, type Given } from "./fake_batch";
import { Rows } from "./rows";
import { Store } from "./store";

const KNOWN = { oldest: 0, anew: false };

const GIVEN: Given[] = [
  [1, 0, "GET / 200", 3], [2, 1, "GET /cart 500", 5], [3, 0, "Traceback", 5], [3.5, 1, "POST /cart", 3],
  [4, 0, "  KeyError: cart", CONTINUES], [5, 1, '{"mark":"gap","text":"lost"}', MARK], [6, 0, "bye", 0],
];

function made(given: Given[] = GIVEN): { store: Store; rows: Rows } {
  const store = new Store();
  const rows = new Rows(store);
  const change = store.take(batch(0, given), KNOWN, false);
  if (change) rows.take(change);
  return { store, rows };
}

const shown = ({ store, rows }: { store: Store; rows: Rows }): string[] =>
  Array.from({ length: rows.count }, (_, place) => store.text(rows.slot(place)));

const all = (rows: Rows): void => {
  while (rows.progress < 1) rows.work(() => 0);
};

test("without filters all are shown, traces together", () => {
  assert.deepEqual(shown(made()), [
    "GET / 200", "GET /cart 500", "Traceback", "  KeyError: cart", "POST /cart", '{"mark":"gap","text":"lost"}', "bye",
  ]);
});

test("a trace is let in and kept out whole, and marks stay", () => {
  const it = made();
  it.rows.expressions({ include: /cart/ });
  all(it.rows);
  assert.deepEqual(shown(it), ["GET /cart 500", "Traceback", "  KeyError: cart", "POST /cart", '{"mark":"gap","text":"lost"}']);
  it.rows.expressions({ include: undefined, exclude: /KeyError/ });
  all(it.rows);
  assert.ok(!shown(it).includes("Traceback"));
  assert.ok(shown(it).includes("bye"));
  it.rows.expressions({ exclude: undefined });
  assert.equal(it.rows.count, 7);
});

test("lines that come are filtered too, and one that belongs to a trace brings it in", () => {
  const it = made();
  it.rows.expressions({ include: /timeout/ });
  all(it.rows);
  assert.equal(it.rows.count, 1);
  it.rows.take(it.store.take(batch(7, [[7, 1, "Traceback of the other", 5], [8, 0, "no"]]), KNOWN, false)!);
  assert.equal(it.rows.count, 1);
  it.rows.take(it.store.take(batch(9, [[9, 1, "  timeout", CONTINUES]]), KNOWN, false)!);
  assert.deepEqual(shown(it).slice(1), ["Traceback of the other", "  timeout"]);
});

test("colour codes are no part of what is found", () => {
  const it = made([[1, 0, "\u001b[31mfa\u001b[0miled"]]);
  it.rows.expressions({ search: /^failed$/ });
  all(it.rows);
  assert.deepEqual(it.rows.found(0), { total: 1, before: 0 });
});

test("levels, sources and folds", () => {
  const it = made();
  it.rows.levels = 1 << 5;
  it.rows.again();
  assert.deepEqual(shown(it).slice(0, 3), ["GET /cart 500", "Traceback", "  KeyError: cart"]);
  it.rows.levels = 0xff;
  it.rows.hidden.add(1);
  it.rows.again();
  assert.deepEqual(shown(it), ["GET / 200", "Traceback", "  KeyError: cart", "bye"]);
  it.rows.toggle(2, "fold");
  assert.deepEqual(shown(it), ["GET / 200", "Traceback", "bye"]);
  assert.equal(it.rows.below(2), 1);
  it.rows.fold(true);
  assert.ok(it.rows.isFolded(2));
  it.rows.toggle(2, "fold");
  assert.ok(shown(it).includes("  KeyError: cart"));
});

test("found lines with others around them", () => {
  const lines: Given[] = Array.from({ length: 100 }, (_, at) => [at, 0, at % 40 === 20 ? "needle" : `line ${at}`]);
  const it = made(lines);
  it.rows.around = 1;
  it.rows.expressions({ search: /needle/ });
  all(it.rows);
  assert.deepEqual(shown(it), ["line 19", "needle", "line 21", "line 59", "needle", "line 61"]);
  assert.deepEqual([0, 3].map((place) => it.rows.isBreak(place)), [true, true]);
  assert.equal(it.rows.slot(3), 59);
  assert.equal(it.rows.placeOf(60), 4);
  assert.equal(it.rows.next(0, 1), 1);
  assert.equal(it.rows.next(2, 1), 4);
  assert.equal(it.rows.next(0, -1), 4, "around the end");
  assert.deepEqual(it.rows.found(4), { total: 2, before: 1 });
  it.rows.around = undefined;
  it.rows.again();
  assert.equal(it.rows.count, 100);
});

test("a pause holds back what comes, however late it is", () => {
  const it = made();
  it.rows.stop = it.store.count;
  it.rows.again();
  it.rows.take(it.store.take(batch(7, [[2.5, 0, "late"], [9, 0, "new"]]), KNOWN, true)!);
  assert.equal(it.rows.count, 7);
  it.rows.stop = Infinity;
  it.rows.again();
  assert.equal(it.rows.count, 9);
  assert.equal(it.store.text(it.rows.slot(2)), "late");
});

test("what is known of lines moves with them", () => {
  const it = made();
  it.rows.toggle(2, "fold");
  it.rows.expressions({ search: /bye/ });
  all(it.rows);
  const change = it.store.prepend(batch(-2, [[0.1, 0, "bye, older"], [0.2, 0, "older"]]));
  assert.equal(change?.prepended, 2);
  it.rows.take(change!);
  assert.ok(it.rows.isFolded(4));
  assert.ok(!shown(it).includes("  KeyError: cart"));
  assert.equal(it.rows.found(0).total, 2);
  assert.ok(it.rows.isFound(8) && it.rows.isFound(0));
});

test("random filters and arrivals agree with filtering all at once", () => {
  let seed = 3;
  const random = (below: number) => ((seed = (seed * 48271) % 0x7fffffff) >> 4) % below;
  const it = made([]);
  it.rows.expressions({ include: /[ab]/, exclude: /cc/, search: /a/ });
  for (let first = 0; first < 2000; ) {
    const given = Array.from({ length: 1 + random(30) }, (_, at): Given => {
      const text = Array.from({ length: 1 + random(4) }, () => "abcd"[random(4)]).join("");
      return [first / 5 + random(40), random(4), `${text}`, random(4) === 0 ? CONTINUES : at % 7];
    });
    const change = it.store.take(batch(first, given), KNOWN, false);
    first += given.length;
    if (change) it.rows.take(change);
  }
  const incremental = shown(it);
  it.rows.expressions({});
  all(it.rows);
  assert.ok(incremental.length > 100);
  assert.deepEqual(shown(it), incremental);
});
