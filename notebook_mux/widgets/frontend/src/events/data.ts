/** What the kernel says of events: rows of three kinds, each the whole of one thing. Times are Unix seconds. */

import type { Clock } from "../common/clock";
import type { Standing } from "../common/trouble";

export interface Cluster extends Standing {
  name: string;
  synced: boolean;
  clock: Clock;
}

export interface Head {
  title: string;
  clusters: Cluster[];
  /** Whether there are several clusters, several namespaces. */
  several: [boolean, boolean];
  /** What limits what is shown, in words. */
  notes: string[];
  closed: boolean;
}

/** As they come; see notebook_mux/widgets/events.py. */
export type Wire = [cluster: number, key: string, what: number, namespace: string, kind: string, name: string, ...unknown[]];

const EVENT = 0;
const POD = 1;

/** An object that something happened to, or that something belongs to. */
export interface Thing {
  readonly cluster: number;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

/** Two with the same are the same thing. */
export function thingKey({ cluster, namespace, kind, name }: Thing): string {
  return `${cluster} ${namespace}/${kind}/${name}`;
}

/** As kubectl names it: `pod/web-0`. */
export function thingWords({ kind, name }: Thing): string {
  return kind === "" ? name : `${kind.toLowerCase()}/${name}`;
}

/** What happened to one object for one reason, however often. */
export class Happened implements Thing {
  readonly key: string;
  /** What the kernel calls it. */
  readonly wire: readonly [cluster: number, key: string];
  readonly thing: string;
  readonly cluster: number;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly container: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  /** When it is known to have happened, in order. */
  readonly moments: readonly number[];
  readonly source: string;
  /** How many Event objects say so. */
  readonly objects: number;
  #text: string | undefined;

  constructor(wire: Wire) {
    [this.cluster, this.key, , this.namespace, this.kind, this.name] = wire;
    this.thing = thingKey(this);
    const more = wire.slice(6) as [string, string, string, string, number, number, number, number[], string, number];
    [this.container, this.type, this.reason, this.message, this.count, this.first, this.last, this.moments] = more;
    [, , , , , , , , this.source, this.objects] = more;
    this.wire = [this.cluster, this.key];
    this.key = `${this.cluster} ${this.key}`;
  }

  /** Whether it is a warning; a type that is neither is none. */
  get warning(): boolean {
    return this.type === "Warning";
  }

  /** All its words in lower case, for the filter. */
  get text(): string {
    return (this.#text ??= [
      this.namespace, thingWords(this), this.container, this.type, this.reason, this.message, this.source,
    ].join("\n").toLowerCase());
  }
}

export type Stretch = [since: number, state: string, words: string];
export type Mark = [at: number, what: string, words: string];

/** What a pod went through. */
export class Pod implements Thing {
  readonly thing: string;
  readonly cluster: number;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly stretches: readonly Stretch[];
  readonly marks: readonly Mark[];
  readonly end: number | null;

  constructor(wire: Wire) {
    [this.cluster, , , this.namespace, this.kind, this.name] = wire;
    this.thing = thingKey(this);
    [this.stretches, this.marks, this.end] = wire.slice(6) as [Stretch[], Mark[], number | null];
  }

  /** When it is first known to have been there. */
  get begin(): number {
    return Math.min(this.stretches[0]?.[0] ?? Infinity, this.marks[0]?.[0] ?? Infinity);
  }
}

const decoder = new TextDecoder();

function decode<T>(buffer: DataView | undefined): T | undefined {
  return buffer && buffer.byteLength > 0 ? (JSON.parse(decoder.decode(buffer)) as T) : undefined;
}

/** A page's copy of all of it, shared by its views. */
export class Store {
  readonly happened = new Map<string, Happened>();
  readonly pods = new Map<string, Pod>();
  /** What a thing belongs to, the nearest first. */
  readonly owners = new Map<string, readonly Thing[]>();
  /** What happened since the page was shown first and was not looked at yet, by key: its count then. */
  readonly fresh = new Set<string>();
  /** Moves with each message. */
  version = 0;
  #keys = new Map<string, (() => void) | undefined>();
  #seen: Set<string> | undefined;
  #whole = false;
  #complete = false;

  /**
   * Take in a message's buffers.
   *
   * @param more Whether there is more of what was there before this page looked.
   */
  take(buffers: readonly DataView[], whole: { part: number; last: boolean } | undefined, more = false): void {
    if (whole?.part === 0) this.#seen = new Set();
    const delta = decode<[Wire[], [number, string][]]>(buffers[0]);
    for (const wire of delta?.[0] ?? []) this.#put(wire);
    for (const [cluster, key] of delta?.[1] ?? []) this.#remove(`${cluster} ${key}`);
    if (whole !== undefined) {
      for (const wire of decode<Wire[]>(buffers[1]) ?? []) this.#put(wire);
      if (whole.last && this.#seen !== undefined) {
        const seen = this.#seen;
        for (const key of [...this.#keys.keys()]) if (!seen.has(key)) this.#remove(key);
        this.#seen = undefined;
        this.#whole = true;
      }
    }
    if (this.#whole && !more) this.#complete = true;
    this.version += 1;
  }

  /** These have been looked at. */
  see(keys: readonly string[]): void {
    for (const key of keys) this.fresh.delete(key);
    this.version += 1;
  }

  #put(wire: Wire): void {
    const key = `${wire[0]} ${wire[1]}`;
    this.#seen?.add(key);
    if (wire[2] === EVENT) {
      const one = new Happened(wire);
      const before = this.happened.get(key);
      if (this.#complete && (before === undefined || one.count > before.count)) this.fresh.add(key);
      this.happened.set(key, one);
      this.#keys.set(key, () => {
        this.happened.delete(key);
        this.fresh.delete(key);
      });
    } else if (wire[2] === POD) {
      const pod = new Pod(wire);
      this.pods.set(pod.thing, pod);
      this.#keys.set(key, () => this.pods.delete(pod.thing));
    } else {
      const [cluster, , , namespace, kind, name, owners] = wire;
      const thing = thingKey({ cluster, namespace, kind, name });
      const things = (owners as [string, string][]).map(([kind, name]) => ({ cluster, namespace, kind, name }));
      this.owners.set(thing, things);
      this.#keys.set(key, () => this.owners.delete(thing));
    }
  }

  #remove(key: string): void {
    this.#keys.get(key)?.();
    this.#keys.delete(key);
  }
}
