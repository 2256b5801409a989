/** What the pane shows: which tabs an object has, and the way by which one came to it. */

import { kindWords, type Ref } from "../common/jump";
import type { Head } from "./head";
import type { Row } from "./rows";

export const TABS = ["details", "yaml", "events", "logs", "shell"] as const;
export type Tab = (typeof TABS)[number];

export const TITLES: Record<Tab, string> = { details: "Details", yaml: "YAML", events: "Events", logs: "Logs", shell: "Shell" };

/** An object to show, and the row it came from where it came from one. */
export interface Place extends Ref {
  row?: readonly [cluster: number, uid: string];
}

/** Kinds with logs: pods, and what has pods. */
const LOGS = new Set([
  "Pod", "Service", "ReplicationController", "Deployment.apps", "ReplicaSet.apps", "StatefulSet.apps", "DaemonSet.apps",
  "Job.batch", "CronJob.batch",
]);
const SHELLS = new Set(["Pod", "Node"]);
const EVENTS = new Set(["Event", "Event.events.k8s.io"]);

/** The tabs of an object; of an unknown kind ("") those that can be tried. */
export function tabsOf(kind: string, write: boolean): Tab[] {
  return TABS.filter((tab) => {
    if (tab === "logs") return kind === "" || LOGS.has(kind);
    if (tab === "shell") return write && SHELLS.has(kind);
    if (tab === "events") return !EVENTS.has(kind);
    return true;
  });
}

/** The object of a row; its kind is "" while that is not known. */
export function placeOf(row: Row, head: Head | undefined): Place {
  const { kind } = head ?? {};
  const word = kind ? [kind.kind, kind.group].filter((one) => one !== "").join(".") : "";
  const cluster = head?.clusters[row.cluster]?.name ?? "";
  return { cluster, namespace: row.namespace, name: row.name, kind: word, row: [row.cluster, row.uid] };
}

/** Where an object is, in words, as far as a table does not say it. */
export function whereWords({ cluster, namespace }: Place, head: Head | undefined): string {
  return [head?.several[0] === true ? cluster : "", namespace].filter((one) => one !== "").join(" · ");
}

export function sameObject(a: Ref, b: Ref): boolean {
  return a.cluster === b.cluster && a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
}

/** As in `Deployment web`. */
export function placeWords(place: Ref): string {
  return `${kindWords(place.kind)} ${place.name}`.trim();
}

/** Steps that are remembered: nobody goes back further. */
const MOST = 50;

/** The way through objects, as a browser has it through pages. */
export class Trail {
  #places: Place[] = [];
  #at = -1;

  get here(): Place | undefined {
    return this.#places[this.#at];
  }

  /** Where it began. */
  get first(): Place | undefined {
    return this.#places[0];
  }

  /** The places from the first to this one. */
  get way(): readonly Place[] {
    return this.#places.slice(0, this.#at + 1);
  }

  get canBack(): boolean {
    return this.#at > 0;
  }

  get canForward(): boolean {
    return this.#at < this.#places.length - 1;
  }

  begin(place: Place): void {
    this.#places = [place];
    this.#at = 0;
  }

  clear(): void {
    this.#places = [];
    this.#at = -1;
  }

  /** A further step: what lay ahead is forgotten. One to where one is, is none. */
  go(place: Place): boolean {
    const { here } = this;
    if (here !== undefined && sameObject(here, place)) return false;
    this.#places = [...this.way, place];
    // the first stays: it is the row's, to which the focus goes back
    if (this.#places.length > MOST) this.#places.splice(1, 1);
    this.#at = this.#places.length - 1;
    return true;
  }

  /** So many steps forward, or back where it is below zero; false where there are not so many. */
  step(by: number): boolean {
    const at = this.#at + by;
    if (by === 0 || at < 0 || at >= this.#places.length) return false;
    this.#at = at;
    return true;
  }
}
