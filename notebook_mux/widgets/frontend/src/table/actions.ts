/** What can be changed of the rows that are meant: a menu, and the questions before anything is done. */

import { type Ask, change, type Ended, type What, type Wish } from "../common/confirm";
import { kindWords, type Ref } from "../common/jump";
import type { Entry } from "../common/menu";
import type { Head, Kind } from "./head";
import type { Place } from "./places";
import type { Row } from "./rows";

/** Kinds of the API server's own with a scale; custom kinds may have one, and the cluster says so. */
const SCALED = new Set(["Deployment.apps", "StatefulSet.apps", "ReplicaSet.apps", "ReplicationController"]);
const RESTARTED = new Set(["Deployment.apps", "StatefulSet.apps", "DaemonSet.apps"]);
/** What one message may be about. */
const MOST = 1000;

/** `Deployment.apps` of what the rows are of. */
export function kindName(kind: Kind | null): string {
  if (kind === null) return "";
  return kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
}

/** Whether a kind is of somebody's own: its group has a dot and is none of Kubernetes'. */
function isCustom(kind: string): boolean {
  const group = kind.includes(".") ? kind.slice(kind.indexOf(".") + 1) : "";
  return group.includes(".") && !group.endsWith(".k8s.io") && group !== "k8s.io";
}

/** Why something cannot be done to objects of a kind; "" where it can. */
export function whyNot(what: What, kind: string, many: number): string {
  if (kind === "") return "the kind is not known yet";
  if (what === "scale" && !SCALED.has(kind) && !isCustom(kind)) {
    return kind === "Pod" ? "scale what the pod belongs to" : "this kind has no replicas";
  }
  if (what === "restart" && !RESTARTED.has(kind)) {
    return kind === "Pod" || kind === "ReplicaSet.apps" ? "restart what it belongs to" : "this kind is not restarted";
  }
  if (what === "apply" && many !== 1) return "one object at a time";
  return "";
}

export interface ActionHooks {
  /** The element in which questions are shown. */
  root: HTMLElement;
  head(): Head | undefined;
  /** The rows that are selected, else the one with the focus. */
  rows(): Row[];
  ask: Ask;
  /** Show the YAML of a row, to be edited. */
  edit(row: Row): void;
  /** Say how it ended. */
  say(text: string): void;
}

export class Actions {
  #hooks: ActionHooks;
  #signal: AbortSignal;

  constructor(hooks: ActionHooks, signal: AbortSignal) {
    this.#hooks = hooks;
    this.#signal = signal;
  }

  /** Whether there is anything to offer: some cluster may be changed from here. */
  static offered(head: Head): boolean {
    return head.looks && head.write.some((may) => may);
  }

  /** The menu for the rows that are meant now. */
  entries(): Entry[] {
    const head = this.#hooks.head();
    const rows = this.#hooks.rows().slice(0, MOST);
    if (head === undefined) return [];
    const kind = kindName(head.kind);
    const words = rowWords(head, rows);
    const shut = [...new Set(rows.map((row) => row.cluster))].filter((cluster) => head.write[cluster] !== true);
    const names = shut.map((cluster) => head.clusters[cluster]?.name ?? "").join(", ");
    const none = rows.length === 0 ? "select rows first" : names === "" ? "" : `${names}: connected to look only`;
    const of = (what: What, title: string, act: () => void): Entry => {
      const why = none || whyNot(what, kind, rows.length);
      return { kind: "act", words: title, disabled: why !== "", ...(why !== "" && { more: why }), act };
    };
    const go = (what: What) => () =>
      void this.#change(what, { kind, rows: rows.map((row) => [row.cluster, row.uid] as const) }, words);
    return [
      { kind: "heading", words: rows.length === 0 ? "No row is selected" : words },
      of("scale", "Scale …", go("scale")),
      of("restart", "Restart …", go("restart")),
      of("apply", "Edit YAML …", () => rows[0] !== undefined && this.#hooks.edit(rows[0])),
      of("delete", "Delete …", go("delete")),
    ];
  }

  /** The menu for one object that is shown; `edit` shows its YAML. */
  entriesOf(place: Place, edit: () => void): Entry[] {
    const words = `${kindWords(place.kind).toLowerCase()} ${place.name}`;
    const ref: Ref = { cluster: place.cluster, namespace: place.namespace, name: place.name, kind: place.kind };
    const of = (what: What, title: string, act: () => void): Entry => {
      const why = whyNot(what, place.kind, 1);
      return { kind: "act", words: title, disabled: why !== "", ...(why !== "" && { more: why }), act };
    };
    const go = (what: What) => () => void this.#change(what, { kind: place.kind, ref }, words);
    return [
      of("scale", "Scale …", go("scale")),
      of("restart", "Restart …", go("restart")),
      of("apply", "Edit YAML …", edit),
      of("delete", "Delete …", go("delete")),
    ];
  }

  async #change(what: What, of: Omit<Wish, "what">, words: string): Promise<void> {
    const { root, ask, say } = this.#hooks;
    const ended: Ended = await change(root, ask, { what, ...of }, words, this.#signal);
    if (ended.said !== "") say(ended.said);
  }
}

/** Such as `deployment web`, or `5 pods`. */
export function rowWords(head: Head, rows: readonly Row[]): string {
  const [one] = rows;
  if (rows.length === 1 && one !== undefined) return `${(head.kind?.kind ?? "").toLowerCase()} ${one.name}`.trim();
  return `${rows.length} ${head.kind?.resource ?? "objects"}`;
}
