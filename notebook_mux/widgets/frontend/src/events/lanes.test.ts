import assert from "node:assert/strict";
import { test } from "node:test";

import { Happened, Pod, Store, type Wire } from "./data";
import { barsOf, beginOf, dotsOf, lanesOf, LEAST_SECONDS, scaleOf, spansOf, ticksOf, TOGETHER } from "./lanes";

let keys = 0;

function happened(kind: string, name: string, more: Partial<{ warning: boolean; first: number; last: number; moments: number[]; count: number }> = {}): Wire {
  const { warning = false, first = 900, last = first, moments = [first, last], count = 1 } = more;
  const type = warning ? "Warning" : "Normal";
  return [0, `e${++keys}`, 0, "shop", kind, name, "", type, "Started", "said", count, first, last, moments, "kubelet", 1];
}

function pod(name: string, stretches: [number, string, string][] = [[800, "ready", ""]], end: number | null = null): Wire {
  return [0, `pod shop/${name}`, 1, "shop", "Pod", name, stretches, [], end];
}

function own(kind: string, name: string, owners: [string, string][]): Wire {
  return [0, `own ${kind} shop/${name}`, 2, "shop", kind, name, owners];
}

function bytes(value: unknown): DataView {
  return new DataView(new TextEncoder().encode(JSON.stringify(value)).buffer as ArrayBuffer);
}

function stored(rows: Wire[]): Store {
  const store = new Store();
  store.take([bytes([[], []]), bytes(rows)], { part: 0, last: true });
  return store;
}

function shape(store: Store, pods = true): string[] {
  return lanesOf(store, store.happened.values(), pods).map(({ thing, depth }) => `${" ".repeat(depth)}${thing.kind}/${thing.name}`);
}

const SET: [string, string] = ["ReplicaSet", "web-1"];
const WEB: [string, string] = ["Deployment", "web"];

test("owners stand above what belongs to them, and names are counted as people count", () => {
  const store = stored([
    happened("Pod", "web-1-b10"), happened("Pod", "web-1-b2"), happened("Deployment", "web"), happened("Node", "a"),
    own("Pod", "web-1-b10", [SET, WEB]), own("Pod", "web-1-b2", [SET, WEB]), own(...SET, [WEB]),
  ]);
  assert.deepEqual(shape(store), ["Deployment/web", " ReplicaSet/web-1", "  Pod/web-1-b2", "  Pod/web-1-b10", "Node/a"]);
});

test("an owner of one, that nothing happened to, has no lane", () => {
  const store = stored([happened("Pod", "web-1-b2"), own("Pod", "web-1-b2", [SET, WEB]), own(...SET, [WEB])]);
  assert.deepEqual(shape(store), ["Pod/web-1-b2"]);
});

test("pods without events have a lane where all are meant", () => {
  const store = stored([pod("web-0"), happened("Pod", "web-1")]);
  assert.deepEqual(shape(store), ["Pod/web-0", "Pod/web-1"]);
  assert.deepEqual(shape(store, false), ["Pod/web-1"]);
  assert.equal(lanesOf(store, [], true)[0]?.pod?.name, "web-0");
});

test("owners in a ring are all there, once", () => {
  const store = stored([happened("A", "a"), happened("B", "b"), own("A", "a", [["B", "b"]]), own("B", "b", [["A", "a"]])]);
  assert.deepEqual(shape(store).map((line) => line.trim()).sort(), ["A/a", "B/b"]);
});

test("every event is in exactly one lane", () => {
  const rows = Array.from({ length: 500 }, (_, at) => happened("Pod", `p-${at % 37}`));
  const store = stored([...rows, ...Array.from({ length: 37 }, (_, at) => own("Pod", `p-${at}`, [["Job", `j-${at % 5}`]]))]);
  const lanes = lanesOf(store, store.happened.values(), false);
  assert.equal(lanes.reduce((sum, lane) => sum + lane.happened.length, 0), 500);
  assert.equal(new Set(lanes.map((lane) => lane.key)).size, lanes.length);
});

test("moments that fall together are one dot, a warning's where there is one", () => {
  const scale = scaleOf(0, 1000, 1000);
  const calm = new Happened(happened("Pod", "a", { moments: [100, 101, 500] }));
  const warning = new Happened(happened("Pod", "a", { warning: true, moments: [102, 2000] }));
  const dots = dotsOf([warning, calm], scale);
  assert.deepEqual(dots.map(({ count, warning }) => [count, warning]), [[3, true], [1, false]]);
  assert.equal(dots[0]?.key, warning.key);
  assert.deepEqual(dots[0]?.keys, [calm.key, warning.key]);
});

test("a lane's dots are bounded by its width, whatever their number", () => {
  const scale = scaleOf(0, 3600, 700);
  const all = Array.from({ length: 5000 }, (_, at) => new Happened(happened("Pod", "a", { moments: [at % 3600] })));
  const dots = dotsOf(all, scale);
  assert.ok(dots.length <= 700 / TOGETHER + 1);
  assert.equal(dots.reduce((sum, dot) => sum + dot.count, 0), 5000);
});

test("spans that overlap are one line", () => {
  const scale = scaleOf(0, 1000, 1000);
  const all = [[100, 300], [200, 400], [600, 700], [0, 50]].map(
    ([first = 0, last = 0], at) => new Happened(happened("Pod", "a", { first, last, count: at < 3 ? 2 : 1 })),
  );
  all.push(new Happened(happened("Pod", "a", { first: 350, last: 650, count: 9, warning: true })));
  assert.deepEqual(spansOf(all, scale, false), [{ from: 100, to: 400 }, { from: 600, to: 700 }]);
  assert.deepEqual(spansOf(all, scale, true), [{ from: 350, to: 650 }]);
  assert.deepEqual(spansOf(all, scaleOf(500, 1000, 500), false), [{ from: 100, to: 200 }]);
});

test("states become bars, cut to what is shown", () => {
  const scale = scaleOf(1000, 2000, 500);
  const one = new Pod(pod("a", [[500, "pending", ""], [900, "started", ""], [1500, "ready", ""]]));
  assert.deepEqual(
    barsOf(one, scale, 2000).map(({ x, width, state, until }) => [x, width, state, until]),
    [[0, 250, "started", 1500], [250, 250, "ready", undefined]],
  );
  const gone = new Pod(pod("a", [[1000, "ready", ""], [1200, "away", ""], [1300, "ready", ""]], 1400));
  assert.deepEqual(barsOf(gone, scale, 2000).map(({ x, width }) => [x, width]), [[0, 100], [150, 50]]);
});

test("the axis has whole times, not too near", () => {
  for (const [from, to] of [[0, 300], [1_800_000_017, 1_800_003_700], [1_800_000_017, 1_801_000_000]] as const) {
    const scale = scaleOf(from, to, 800);
    const ticks = ticksOf(scale, 90, 3600);
    assert.ok(ticks.length >= 1 && ticks.length <= 800 / 90 + 1, `${ticks.length}`);
    for (const at of ticks) assert.ok(at >= from && at <= to);
  }
  const [hour] = ticksOf(scaleOf(1_800_000_017, 1_800_030_000, 300), 90, 5.5 * 3600);
  assert.equal(((hour ?? 0) + 5.5 * 3600) % 3600, 0, "whole where it is half an hour off");
});

test("it begins with the first event, and never shorter than some minutes", () => {
  assert.equal(Math.round(beginOf([], 1000)), Math.round(1000 - LEAST_SECONDS * 1.02));
  assert.ok(beginOf([new Happened(happened("Pod", "a", { first: 100 }))], 1000) < 100);
});
