/** The time line's geometry, without a page: which lanes there are, in which order, and what stands where in them. */

import { textKey } from "../common/order";
import { type Happened, type Pod, type Store, type Thing, thingKey } from "./data";

/** One object's lane. */
export interface Lane {
  readonly key: string;
  readonly thing: Thing;
  /** How far it is set in: owners above what belongs to them. */
  readonly depth: number;
  readonly happened: readonly Happened[];
  readonly pod: Pod | undefined;
}

/** Kinds in the order of what owns what; others stand between. */
const RANK: Record<string, number> = { Deployment: 0, CronJob: 0, Service: 0, StatefulSet: 1, DaemonSet: 1, ReplicaSet: 2, Job: 2, Pod: 4 };
const OTHER = 3;

interface Node {
  thing: Thing;
  order: string;
  happened: Happened[];
  children: Node[];
}

/** The order of lanes: what owns others before what it owns, and by name as people count. */
function orderOf({ cluster, namespace, kind, name }: Thing): string {
  return `${String(cluster).padStart(3, "0")} ${namespace} ${RANK[kind] ?? OTHER} ${textKey(name)} ${kind}`;
}

/**
 * The lanes of what passes. An owner that nothing happened to has a lane where it brings several together.
 *
 * @param store All there is.
 * @param shown What passes the filter; pods with nothing of it have a lane only where `pods` says so.
 * @param pods Whether each pod has a lane.
 */
export function lanesOf(store: Pick<Store, "pods" | "owners">, shown: Iterable<Happened>, pods: boolean): Lane[] {
  const nodes = new Map<string, Node>();
  const node = (thing: Thing): Node => {
    const key = thingKey(thing);
    let found = nodes.get(key);
    if (found === undefined) {
      nodes.set(key, (found = { thing, order: orderOf(thing), happened: [], children: [] }));
    }
    return found;
  };
  for (const one of shown) node(one).happened.push(one);
  if (pods) for (const pod of store.pods.values()) node(pod);
  const roots = new Set<Node>();
  const placed = new Set<Node>();
  const place = (one: Node): void => {
    if (placed.has(one)) return;
    placed.add(one);
    const owner = store.owners.get(thingKey(one.thing))?.[0];
    // of a ring of owners none would be reached from above
    if (owner === undefined || isAbove(one.thing, owner, store)) {
      roots.add(one);
      return;
    }
    const above = node(owner);
    above.children.push(one);
    place(above);
  };
  for (const one of [...nodes.values()]) place(one);
  const lanes: Lane[] = [];
  const walk = (one: Node, depth: number): void => {
    const own = one.happened.length > 0 || store.pods.has(thingKey(one.thing)) || one.children.length > 1;
    if (own) {
      const key = thingKey(one.thing);
      lanes.push({ key, thing: one.thing, depth, happened: one.happened, pod: store.pods.get(key) });
    }
    for (const child of one.children.sort(byOrder)) walk(child, own ? depth + 1 : depth);
  };
  for (const root of [...roots].sort(byOrder)) walk(root, 0);
  return lanes;
}

function byOrder(a: Node, b: Node): number {
  return a.order < b.order ? -1 : a.order > b.order ? 1 : 0;
}

/** Whether a thing is among what its owner belongs to: they own each other. */
function isAbove(thing: Thing, owner: Thing, store: Pick<Store, "owners">): boolean {
  const key = thingKey(thing);
  let at: Thing | undefined = owner;
  for (let steps = 0; at !== undefined && steps < 10; steps++) {
    const here = thingKey(at);
    if (here === key) return true;
    at = store.owners.get(here)?.[0];
  }
  return at !== undefined;
}

/** From times to places. */
export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly width: number;
  x(at: number): number;
}

export function scaleOf(from: number, to: number, width: number): Scale {
  const span = Math.max(1, to - from);
  return { from, to, width, x: (at) => ((at - from) / span) * width };
}

/** At least so much is shown: a single event of now should not look like an age. */
export const LEAST_SECONDS = 300;
const MARGIN = 0.02;

/** From when to show what happened: from the first of it, with a margin. */
export function beginOf(happened: Iterable<Happened>, now: number): number {
  let first = now - LEAST_SECONDS;
  for (const one of happened) first = Math.min(first, one.first);
  return first - (now - first) * MARGIN;
}

/** A dot: one moment or several that fall together, and what they are of. */
export interface Dot {
  x: number;
  /** How many moments. */
  count: number;
  warning: boolean;
  /** Of the newest warning among them, else of the newest. */
  key: string;
  keys: string[];
}

/** Pixels within which moments are one dot. */
export const TOGETHER = 7;

/** A lane's dots from left to right; no two nearer than `TOGETHER`. */
export function dotsOf(happened: readonly Happened[], scale: Scale): Dot[] {
  const places = new Map<number, Dot>();
  const ordered = [...happened].sort((a, b) => Number(a.warning) - Number(b.warning) || a.last - b.last);
  for (const one of ordered) {
    for (const at of one.moments) {
      if (at < scale.from || at > scale.to + 1) continue;
      const place = Math.floor(scale.x(at) / TOGETHER);
      const known = places.get(place);
      if (known === undefined) {
        places.set(place, { x: scale.x(at), count: 1, warning: one.warning, key: one.key, keys: [one.key] });
        continue;
      }
      known.count += 1;
      known.warning ||= one.warning;
      known.key = one.key;
      if (known.keys[known.keys.length - 1] !== one.key) known.keys.push(one.key);
    }
  }
  return [...places.entries()].sort(([a], [b]) => a - b).map(([, dot]) => dot);
}

/** From the first to the last of what happened more than once; what overlaps is one, so that many do not turn black. */
export interface Span {
  from: number;
  to: number;
}

export function spansOf(happened: readonly Happened[], scale: Scale, warning: boolean): Span[] {
  const spans: Span[] = [];
  const found = happened.filter((one) => one.count > 1 && one.warning === warning && one.last >= scale.from);
  for (const one of found.sort((a, b) => a.first - b.first)) {
    const from = Math.max(0, scale.x(one.first));
    const to = scale.x(one.last);
    const last = spans.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else spans.push({ from, to });
  }
  return spans;
}

/** A part of a pod's bar. */
export interface Bar {
  x: number;
  width: number;
  state: string;
  words: string;
  since: number;
  until: number | undefined;
}

const LEAST_PX = 1;

/** A pod's states as bars, cut to what is shown. */
export function barsOf(pod: Pod, scale: Scale, now: number): Bar[] {
  const bars: Bar[] = [];
  pod.stretches.forEach(([since, state, words], index) => {
    const next = pod.stretches[index + 1]?.[0] ?? pod.end ?? undefined;
    const until = next ?? now;
    if (state === "away" || until < scale.from || since > scale.to) return;
    const x = Math.max(0, scale.x(since));
    const width = Math.min(scale.width, scale.x(until)) - x;
    bars.push({ x, width: Math.max(LEAST_PX, width), state, words, since, until: next });
  });
  return bars;
}

const STEPS = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

/** Where the axis has its marks: whole times of the clock, not nearer than `gap` pixels. */
export function ticksOf(scale: Scale, gap: number, zone: number): number[] {
  const least = ((scale.to - scale.from) / Math.max(1, scale.width)) * gap;
  const step = STEPS.find((one) => one >= least) ?? Math.ceil(least / 604800) * 604800;
  const ticks: number[] = [];
  // whole hours are whole where one lives: a zone may be half an hour off
  for (let at = Math.ceil((scale.from + zone) / step) * step - zone; at <= scale.to; at += step) ticks.push(at);
  return ticks;
}
