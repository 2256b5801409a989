import assert from "node:assert/strict";
import { test } from "node:test";

import { words } from "./words";
import { Happened, Store, type Wire } from "./data";
import { lanesOf } from "./lanes";
import { type Item, itemsOf, oneLine, often, shownOf } from "./list";

function row(key: string, name: string, last: number, warning = false, count = 1, message = "said"): Wire {
  const type = warning ? "Warning" : "Normal";
  return [0, key, 0, "shop", "Pod", name, "", type, warning ? "BackOff" : "Started", message, count, 10, last, [last], "kubelet", 1];
}

function bytes(value: unknown): DataView {
  return new DataView(new TextEncoder().encode(JSON.stringify(value)).buffer as ArrayBuffer);
}

function stored(...rows: Wire[]): Store {
  const store = new Store();
  store.take([bytes([[], []]), bytes(rows)], { part: 0, last: true });
  return store;
}

function lines(store: Store, choice: { grouped?: boolean; warningsFirst?: boolean; folded?: string[]; filter?: string }): string[] {
  const chosen = words(choice.filter ?? "");
  const shown = shownOf(store.happened.values(), chosen);
  const items = itemsOf(shown, lanesOf(store, shown, false), {
    words: chosen, grouped: choice.grouped ?? false, warningsFirst: choice.warningsFirst ?? false, folded: new Set(choice.folded),
  });
  return items.map((item: Item) => ("one" in item ? item.one.key.slice(2) : `[${item.group.thing.name} ${item.size} ${item.warnings}]`));
}

const STORE = stored(row("a", "web-0", 30), row("b", "web-1", 50), row("c", "web-1", 20, true), row("d", "web-2", 40));

test("the newest first, or warnings before all", () => {
  assert.deepEqual(lines(STORE, {}), ["b", "d", "a", "c"]);
  assert.deepEqual(lines(STORE, { warningsFirst: true }), ["c", "b", "d", "a"]);
});

test("by object, each group in its own order, those with warnings first where that is chosen", () => {
  assert.deepEqual(lines(STORE, { grouped: true }), ["[web-0 1 0]", "a", "[web-1 2 1]", "b", "c", "[web-2 1 0]", "d"]);
  assert.deepEqual(lines(STORE, { grouped: true, warningsFirst: true, folded: ["0 shop/Pod/web-0"] }), [
    "[web-1 2 1]", "c", "b", "[web-0 1 0]", "[web-2 1 0]", "d",
  ]);
});

test("words filter, and none is lost between the groups", () => {
  assert.deepEqual(lines(STORE, { filter: "web-1 !backoff" }), ["b"]);
  assert.deepEqual(lines(STORE, { filter: "WARNING", grouped: true }), ["[web-1 1 1]", "c"]);
  const many = stored(...Array.from({ length: 300 }, (_, at) => row(`k${at}`, `p-${at % 7}`, at, at % 3 === 0)));
  const found = lines(many, { grouped: true, warningsFirst: true }).filter((line) => !line.startsWith("["));
  assert.equal(new Set(found).size, 300);
  assert.equal(found.length, 300);
});

test("how often, and over how long", () => {
  const one = (count: number, last: number) => often(new Happened(row("a", "x", last, false, count)));
  assert.equal(one(1, 500), "");
  assert.equal(one(14, 190), "×14 over 3m");
  assert.equal(one(3, 10), "×3");
});

test("a text of a cluster's is one line that turns nothing", () => {
  assert.equal(oneLine("a\nb\u202ec\u0007d\u2066e\u200b"), "a b c d e ");
  assert.equal(oneLine("<b>é 漢字</b>"), "<b>é 漢字</b>");
});

test("what is new is marked until it was looked at", () => {
  const store = stored(row("a", "web-0", 30));
  assert.equal(store.fresh.size, 0, "what is there at first is not new");
  store.take([bytes([[row("b", "web-0", 40)], []])], undefined);
  store.take([bytes([[row("a", "web-0", 50, false, 2)], []])], undefined);
  assert.deepEqual([...store.fresh], ["0 b", "0 a"]);
  store.take([bytes([[row("a", "web-0", 50, false, 2)], []])], undefined);
  store.fresh.delete("0 a");
  store.take([bytes([[row("a", "web-0", 50, false, 2)], []])], undefined);
  assert.deepEqual([...store.fresh], ["0 b"], "only what happened again is new again");
  store.take([bytes([[], [[0, "b"]]])], undefined);
  assert.equal(store.fresh.size, 0);
  assert.equal(store.happened.size, 1);
});

test("what comes in parts is not new until all of it was there", () => {
  const store = new Store();
  store.take([bytes([[], []]), bytes([row("a", "web-0", 30)])], { part: 0, last: true }, true);
  store.take([bytes([[row("b", "web-0", 40)], []])], undefined, true);
  store.take([bytes([[row("c", "web-0", 40)], []])], undefined, false);
  assert.equal(store.fresh.size, 0);
  store.take([bytes([[row("d", "web-0", 40)], []])], undefined, true);
  assert.deepEqual([...store.fresh], ["0 d"], "and from then on it is");
});

test("a whole state takes away what is not in it", () => {
  const store = stored(row("a", "web-0", 30), row("b", "web-0", 30));
  store.take([bytes([[], []]), bytes([row("a", "web-0", 30)])], { part: 0, last: false });
  assert.equal(store.happened.size, 2);
  store.take([bytes([[row("c", "web-0", 31)], []]), bytes([])], { part: 1, last: true });
  assert.deepEqual([...store.happened.keys()], ["0 a", "0 c"]);
});
