import assert from "node:assert/strict";
import test from "node:test";

import { type Ahead, Foremost, type Look, placesOf, rowsAhead } from "./ahead";
import { Arrangement, type Rules } from "./arrangement";
import { comparator, sortsOf } from "./cells";
import { head, row } from "./fake_rows";
import { compareGroups, grouping } from "./groups";
import type { Changes, Row } from "./rows";

const HEAD = head(["Restarts", "Node"]);
const ALL = { any: false, timed: false };
const SOME = { any: true, timed: false };

function rules(more: Partial<Rules> = {}, by = ""): Rules {
  const compare = comparator(HEAD, sortsOf("-Restarts"), () => 0);
  return { compare, passes: () => true, groupOf: grouping(by, HEAD), compareGroups, fault: () => false, ...more };
}

/** A hundred rows that have all changed: as they stood, and as they are. */
function changed(wanted = rules(), was = (id: number) => id % 7) {
  const before = Array.from({ length: 100 }, (_, id) => row(`web-${id}`, [was(id), `n${id % 3}`]));
  const after = before.map(({ name }, id) => row(name, [(id * 31) % 101, `n${id % 3}`]));
  const arrangement = new Arrangement(wanted);
  arrangement.arrange(wanted, before);
  const byKey = new Map(after.map((one) => [one.key, one]));
  const changes: Changes = new Map(after.map((one, id) => [one.key, [before[id], one]]));
  const order = [...after].sort(wanted.compare);
  return { before, after, arrangement, byKey, changes, order };
}

function look(arrangement: Arrangement, more: Partial<Look> = {}): Look {
  return { sort: "-Restarts", drawn: [0, 9], arrangement, filter: ALL, ...more };
}

function answer(order: readonly Row[], first = 0, count = 30): Ahead {
  const rows = order.slice(first, first + count).map((one) => [one.cluster, one.uid] as const);
  return { page: "p", view: "v", sort: "-Restarts", first, rows };
}

const names = (rows: readonly unknown[] | undefined) => rows?.map((one) => (one as Row).name);

test("what is on the screen is asked for, and a little more", () => {
  const { arrangement } = changed();
  assert.deepEqual(placesOf("v", look(arrangement)), { view: "v", sort: "-Restarts", first: 0, last: 30 });
  assert.deepEqual(placesOf("v", look(arrangement, { drawn: [40, 49] })), { view: "v", sort: "-Restarts", first: 40, last: 70 });
  assert.equal(placesOf("v", look(arrangement, { drawn: [-1, -1] })), undefined);
  assert.equal(placesOf("v", look(arrangement, { drawn: [0, 600] })), undefined);
});

test("of what passes a filter so many more, from the top alone", () => {
  const wanted = rules({ passes: (one) => Number(one.wire[4][1]) < 2 });
  const { arrangement } = changed(wanted);
  assert.equal(arrangement.passing, 30);
  assert.equal(placesOf("v", look(arrangement, { filter: SOME }))?.last, 100);
  assert.equal(placesOf("v", look(arrangement, { filter: SOME, drawn: [10, 19] })), undefined);
  assert.equal(placesOf("v", look(arrangement, { filter: { any: true, timed: true } })), undefined);
});

test("groups ask for nothing, nor does a view with rows that are on their way out", () => {
  const { arrangement: grouped } = changed(rules({}, "node"));
  assert.equal(placesOf("v", look(grouped)), undefined);
  const { arrangement, before } = changed();
  const gone = before[3] as Row;
  arrangement.take(new Map([[gone.key, [gone, undefined]]]), () => true);
  assert.equal(placesOf("v", look(arrangement)), undefined);
});

test("what is shown ahead is what is there in the end, wherever the screen is", () => {
  for (const [first, drawn] of [[0, [0, 9]], [0, [4, 20]], [40, [42, 60]], [90, [90, 99]]] as const) {
    const { arrangement, byKey, changes, order } = changed();
    const rows = rowsAhead(answer(order, first), look(arrangement, { drawn }), rules(), byKey);
    assert.ok(rows !== undefined);
    arrangement.ahead(first, rows);
    assert.equal(arrangement.shown.length, 100);
    const [from, to] = drawn;
    const seen = names(arrangement.shown.slice(from, to + 1));
    arrangement.take(changes);
    assert.deepEqual(names(arrangement.shown.slice(from, to + 1)), seen);
    assert.deepEqual(names(arrangement.shown), names(order));
  }
});

test("with a filter too, where enough passes", () => {
  const wanted = rules({ passes: (one) => Number(one.wire[4][1]) % 2 === 0 });
  const { arrangement, byKey, changes, order } = changed(wanted);
  const rows = rowsAhead(answer(order), look(arrangement, { filter: SOME }), wanted, byKey);
  assert.ok(rows !== undefined && rows.length < 30);
  arrangement.ahead(0, rows);
  const seen = names(arrangement.shown.slice(0, 10));
  arrangement.take(changes);
  assert.deepEqual(names(arrangement.shown.slice(0, 10)), seen);
});

test("nothing is shown ahead where it is not certain", () => {
  const { arrangement, byKey, order } = changed();
  const none = (more: Partial<Look>, given = answer(order), wanted = rules(), known: ReadonlyMap<string, Row> = byKey) =>
    assert.equal(rowsAhead(given, look(arrangement, more), wanted, known), undefined);
  none({ sort: "Restarts" }); // it was sorted otherwise meanwhile
  none({ filter: { any: true, timed: true } });
  none({ drawn: [0, 30] }); // more is on the screen than was asked for
  none({ drawn: [0, 9] }, answer(order, 5)); // or something before it
  none({ filter: SOME, drawn: [40, 49] }, answer(order, 40)); // nobody knows how many pass above
  none({}, answer([...order].reverse())); // not in the page's own order
  none({}, { ...answer(order), rows: [[0, "unknown"]] });
  none({}, answer(order), rules({ passes: (one) => Number(one.wire[4][1]) > 95 })); // too few pass
  const { arrangement: grouped } = changed(rules({}, "node"));
  assert.equal(rowsAhead(answer(order), look(grouped), rules(), byKey), undefined);
  // one that is on the screen has gone
  const without = new Map(byKey);
  without.delete((arrangement.shown[2] as Row).key);
  none({}, answer(order.filter(({ key }) => without.has(key))), rules(), without);
});

test("no row is there twice, and none is lost", () => {
  const { arrangement, byKey, order } = changed();
  const rows = rowsAhead(answer(order, 40), look(arrangement, { drawn: [42, 50] }), rules(), byKey) ?? [];
  arrangement.ahead(40, rows);
  assert.equal(new Set(names(arrangement.shown)).size, 100);
});

test("nor are they shown too high, where there are too few rows yet to stand above them", () => {
  const { before, arrangement, byKey, order } = changed();
  const known = new Set(order.slice(40, 70).map(({ key }) => key));
  // half of all rows are new: of those that will stand above the screen hardly any is there
  arrangement.arrange(rules(), before.filter(({ key }) => known.has(key)).concat(before.filter(({ key }) => !known.has(key)).slice(0, 20)));
  assert.equal(arrangement.shown.length, 50);
  assert.equal(rowsAhead(answer(order, 40), look(arrangement, { drawn: [40, 49] }), rules(), byKey), undefined);
});

test("it stays where it is while some of the others are drawn, until all are there", () => {
  const { arrangement, byKey, changes, order } = changed(rules(), (id) => (id * 17) % 101);
  const foremost = new Foremost(() => [look(arrangement), rules(), byKey]);
  assert.ok(foremost.came(answer(order)));
  const screen = () => names(arrangement.shown.slice(0, 10));
  const seen = screen();
  assert.deepEqual(seen, names(order.slice(0, 10)));
  const news = [...changes];
  const first = new Set(order.slice(0, 30).map(({ key }) => key));
  const some = news.filter(([key], id) => first.has(key) || id % 2 === 0);
  arrangement.take(new Map(some));
  assert.notDeepEqual(screen(), seen, "among others that are as they were");
  foremost.stay();
  assert.deepEqual(screen(), seen);
  assert.equal(new Set(names(arrangement.shown)).size, 100);
  assert.ok(foremost.done());
  arrangement.take(new Map(news.filter((one) => !some.includes(one))));
  foremost.stay();
  assert.deepEqual(names(arrangement.shown), names(order));
  assert.ok(!foremost.done(), "it is drawn");
});

test("and no longer than it is certain, nor when nothing but its end is told", () => {
  const { arrangement, byKey, changes, order } = changed(rules(), (id) => (id * 17) % 101);
  let drawn: [number, number] = [0, 9];
  const foremost = new Foremost(() => [look(arrangement, { drawn }), rules(), byKey]);
  assert.ok(foremost.came(answer(order)));
  drawn = [50, 59]; // its user has scrolled away
  foremost.stay();
  assert.ok(!foremost.done());
  drawn = [0, 9];
  assert.ok(foremost.came(answer(order)));
  const ahead = new Map([...changes].filter(([key]) => order.slice(0, 30).some((one) => one.key === key)));
  arrangement.take(ahead);
  const own = names(arrangement.shown);
  foremost.stay();
  assert.notDeepEqual(names(arrangement.shown), own);
  assert.ok(foremost.done());
  foremost.stay();
  assert.deepEqual(names(arrangement.shown), own);
});
