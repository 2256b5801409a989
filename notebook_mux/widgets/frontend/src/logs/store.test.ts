import assert from "node:assert/strict";
import test from "node:test";

import { CONTINUES, MARK } from "./data";
import { batch, type Given } from "./fake_batch";
import { batchOf, BYTES, type Change, LINES, NOBODY, PINNED_LINES, Store } from "./store";

const KNOWN = { oldest: 0, anew: false };

const shown = (store: Store): string[] => [...store.order.subarray(0, store.count)].map((slot) => store.text(slot));

const take = (store: Store, first: number, given: Given[], pinned = false): Change | undefined =>
  store.take(batch(first, given), KNOWN, pinned);

test("lines are kept as they came, with all nine digits", () => {
  const store = new Store();
  take(store, 7, [[1000.000001, 3, "one"], [2000, 4, "zwei ü"]]);
  assert.equal(store.text(1), "zwei ü");
  assert.equal(store.time(0), 1000000001n);
  assert.deepEqual([store.low, store.next, store.count], [7, 9, 2]);
  assert.equal(store.bySource.get(4), 1);
  assert.equal(store.text(1, 4), "zwei");
});

test("late lines are put in their place", () => {
  const store = new Store();
  take(store, 0, [[10, 0, "a"], [30, 0, "c"], [50, 0, "e"]]);
  const change = take(store, 3, [[20, 1, "b"], [40, 1, "d"], [60, 1, "f"]]);
  assert.deepEqual(shown(store), ["a", "b", "c", "d", "e", "f"]);
  assert.equal(change?.from, 1);
  assert.equal(take(store, 6, [[70, 1, "g"]])?.from, 6);
});

test("any order of arrival gives the order of time, and equal times that of arrival", () => {
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 0x7fffffff) / 0x7fffffff;
  const store = new Store();
  const all: [number, number][] = [];
  for (let first = 0; first < 3000; ) {
    const given: Given[] = Array.from({ length: Math.floor(random() * 40) }, (_, at) => {
      const millis = Math.floor(first / 10 + random() * 100);
      all.push([millis, first + at]);
      return [millis, Math.floor(random() * 5), String(first + at)];
    });
    if (given.length > 0) take(store, first, given);
    first += given.length;
  }
  all.sort(([a, x], [b, y]) => a - b || x - y);
  assert.deepEqual(shown(store), all.map(([, number]) => String(number)));
  all.forEach(([, number], place) => assert.equal(store.placeOf(number), place));
});

test("a trace stays together, whatever other pods say meanwhile", () => {
  const store = new Store();
  take(store, 0, [
    [10, 0, "Traceback"], [11, 1, "other"], [12, 0, "  File", CONTINUES], [13, 1, "another"], [14, 0, "ValueError", CONTINUES],
  ]);
  take(store, 5, [[15, 0, "more", CONTINUES], [16, 0, "next"]]);
  assert.deepEqual(shown(store), ["Traceback", "  File", "ValueError", "more", "other", "another", "next"]);
  assert.equal(store.heads[5], 0);
});

test("what is known already is left out, and what was dropped is said", () => {
  const store = new Store();
  take(store, 0, [[1, 0, "a"], [2, 0, "b"]]);
  assert.equal(take(store, 0, [[1, 0, "a"], [2, 0, "b"]]), undefined);
  take(store, 1, [[2, 0, "b"], [3, 0, "c"]]);
  assert.deepEqual(shown(store), ["a", "b", "c"]);
  store.take(batch(100, [[9, 0, "z"]]), { oldest: 100, anew: false }, false);
  assert.equal(store.count, 5);
  assert.equal(store.sources[3], NOBODY);
  assert.ok(store.isMark(3));
  assert.match(store.text(3), /97 lines are missing/);
  assert.equal(store.next, 101);
});

test("a page that was left behind begins anew, but not under its reader's eyes", () => {
  const store = new Store();
  take(store, 0, [[1, 0, "a"]]);
  const anew = { oldest: 0, anew: true };
  assert.equal(store.take(batch(50, [[9, 0, "z"]]), anew, true), undefined);
  assert.deepEqual([store.missed, store.count], [1, 1]);
  assert.equal(store.take(batch(50, [[9, 0, "z"]]), anew, false)?.reset, true);
  assert.deepEqual(shown(store), ["z"]);
  assert.deepEqual([store.low, store.next, store.missed], [50, 51, 0]);
});

test("older lines come before all others", () => {
  const store = new Store();
  take(store, 10, [[100, 0, "  at main", CONTINUES], [101, 0, "later"]]);
  const change = store.prepend(batch(8, [[90, 1, "early"], [99, 0, "panic"]]));
  assert.deepEqual(shown(store), ["early", "panic", "  at main", "later"]);
  assert.deepEqual([change?.prepended, store.low, store.next], [2, 8, 12]);
  assert.equal(store.prepend(batch(2, [[1, 1, "not next to them"]])), undefined);
  take(store, 12, [[102, 0, "now"]]);
  assert.equal(shown(store).at(-1), "now");
});

function flood(store: Store, first: number, size: number, pinned = false): Change | undefined {
  const given: Given[] = Array.from({ length: size }, (_, at) => [first + at, at % 3, `line ${first + at}`, at % 7 === 6 ? CONTINUES : 5]);
  return take(store, first, given, pinned);
}

test("the oldest go when there are too many, and nothing that is read", () => {
  const store = new Store();
  let [next, trimmed] = [0, 0];
  for (; next < 3 * LINES; next += 5000) trimmed += flood(store, next, 5000)?.trimmed ?? 0;
  assert.ok(store.count >= LINES && store.count <= 1.25 * LINES);
  assert.equal(trimmed + store.count, next);
  assert.equal(store.low, trimmed);
  const sizes = [...store.order.subarray(0, store.count)];
  assert.equal(new Set(sizes).size, store.count);
  for (let place = 1; place < store.count; place++) assert.ok(store.compare(sizes[place - 1] as number, sizes[place] as number) < 0);
  assert.equal(store.text(0), `line ${store.low}`);
  assert.equal(store.levels.reduce((sum, value) => sum + value), store.count);
  assert.equal([...store.bySource.values()].reduce((sum, value) => sum + value), store.count);
  for (; store.missed === 0; next += 5000) assert.equal(flood(store, next, 5000, true)?.trimmed ?? 0, 0);
  assert.ok(store.count <= PINNED_LINES && store.count > PINNED_LINES - 5000);
  assert.ok((store.unpin()?.trimmed ?? 0) > 0);
});

test("a mark stands behind all of its container, with whatever time", () => {
  const store = new Store();
  take(store, 0, [[10, 0, "a"], [20, 0, "come", MARK], [12, 1, "other"], [11, 0, "deleted", MARK], [21, 1, "late"]]);
  assert.deepEqual(shown(store), ["a", "other", "come", "deleted", "late"]);
});

test("marks are no lines of a level", () => {
  const store = new Store();
  take(store, 0, [[1, 0, "{}", MARK], [2, 0, "x", 5]]);
  assert.deepEqual([...store.levels], [0, 0, 0, 0, 0, 1, 0]);
});

test("columns that lie on no grid are taken in, and those that do not fit are not", () => {
  const { times, sources, flags, ends, text } = batch(0, [[5, 9, "hello", 3]]);
  const askew = (bytes: Uint8Array) => {
    const room = new Uint8Array(bytes.length + 1);
    room.set(bytes, 1);
    return new DataView(room.buffer, 1, bytes.length);
  };
  const bytes = (column: Uint32Array | Uint16Array) => new Uint8Array(column.buffer);
  const views = [bytes(times), bytes(sources), bytes(flags), bytes(ends), text].map(askew);
  const store = new Store();
  store.take(batchOf(0, views), KNOWN, false);
  assert.deepEqual([store.text(0), store.millis(0), store.sources[0], store.level(0)], ["hello", 5, 9, 3]);
  assert.throws(() => batchOf(0, [...views.slice(0, 4), new DataView(new ArrayBuffer(2))]), /different lengths/);
  assert.throws(() => batchOf(0, []), /five columns/);
});

test("a pinned page is bounded in bytes, too: long lines are left with the kernel", () => {
  const store = new Store();
  const long = new Uint8Array(2 ** 20);
  const bytes = () => [...store.order.subarray(0, store.count)].reduce((sum, slot) => sum + store.size(slot), 0);
  for (let at = 0; at < 200; at++) take(store, at, [[at, 0, long]], true);
  assert.equal(bytes(), 2 * BYTES);
  assert.equal(store.missed, 200 - store.count);
  store.low = 50;
  assert.equal(store.prepend(batch(49, [[0, 0, long]])), undefined);
  store.unpin();
  assert.ok(bytes() <= BYTES);
});
