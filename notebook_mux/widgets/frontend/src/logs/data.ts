/** What the kernel says of a log, and the words and tones for it. */

import type { Standing } from "../common/trouble";

/** Flags of a line, as the core sets them. */
export const LEVEL = 0b111;
export const CONTINUES = 1 << 3;
export const MARK = 1 << 4;
export const JSON_OBJECT = 1 << 5;
export const CUT = 1 << 6;

/** By the number in a line's flags. */
export const LEVELS = ["no level", "trace", "debug", "info", "warning", "error", "fatal"] as const;
export const LETTERS = ["", "T", "D", "I", "W", "E", "F"] as const;

export interface Source {
  cluster: string;
  namespace: string;
  pod: string;
  container: string;
  /** `container`, `init` or `ephemeral`. */
  kind: string;
  restart: number;
  state: string;
  reason: string;
  said: string;
  todo: string;
  since: number;
  retryAt: number | null;
  color: number;
}

export interface Problem {
  code: string;
  what: string;
  said: string;
  todo: string;
}

export interface State {
  sources: Source[];
  pods: number;
  leftOut: string[];
  settled: boolean;
  closed: boolean;
  problem: Problem | null;
  /** What is otherwise than it should be and no trouble. */
  note: string;
  maxLines: number;
  maxBytes: number;
}

export type Times = "local" | "utc" | "age" | "off";

/** What views and Python both set. */
export interface Settable {
  wrap: boolean;
  times: Times;
  include: string;
  exclude: string;
  highlight: string;
}

export interface Settings extends Settable {
  height: number;
  /** The number of the last change of these settings. */
  at: number;
}

export interface Head {
  title: string;
  settings: Settings;
}

/** Where the numbered lines of the kernel's store begin and end, and how many it has dropped. */
export interface Kept {
  oldest: number;
  end: number;
  dropped: number;
}

/** What a mark says; see `MARK`. */
export interface Mark {
  mark: string;
  text: string;
  todo: string;
}

const TONES: Record<string, string> = {
  live: "good", waiting: "warn", asking: "", ended: "", gone: "", failed: "bad", unreachable: "bad",
};

/** The tone of a container's state: good, warn, bad, or none. */
export function sourceTone(state: string): string {
  return TONES[state] ?? "";
}

const STATE_WORDS: Record<string, string> = { asking: "being asked for", gone: "its pod is gone" };

export function stateWords(state: string): string {
  return STATE_WORDS[state] ?? state;
}

const MARK_TONES: Record<string, string> = { gap: "warn", restarted: "warn", failed: "bad", waiting: "warn", bound: "warn" };

export function markTone(mark: string): string {
  return MARK_TONES[mark] ?? "";
}

/** A mark's text is JSON of the kernel's own; what cannot be read is shown as it is. */
export function markOf(text: string): Mark {
  try {
    const said = JSON.parse(text) as Partial<Mark>;
    return { mark: String(said.mark ?? ""), text: String(said.text ?? ""), todo: String(said.todo ?? "") };
  } catch {
    return { mark: "", text, todo: "" };
  }
}

/** How a container stands, as `common/trouble.ts` says it. */
export function standing(source: Source): Standing {
  return { ...source, state: stateWords(source.state), fresh: null };
}

/** The places that were another's before. */
export function reused(before: readonly Source[], now: readonly Source[]): number[] {
  return before.flatMap((one, at) => (now[at] !== undefined && fullName(now[at]) !== fullName(one) ? [at] : []));
}

const MOST_LABEL = 26;

/** At most so many characters, with the beginning and the end of the name, where pods differ. */
export function shortened(name: string, most = MOST_LABEL): string {
  if (name.length <= most) return name;
  const tail = Math.floor((most - 1) / 2);
  return `${name.slice(0, most - 1 - tail)}…${name.slice(-tail)}`;
}

/** What of a source's name tells it from the others of this log. */
export interface Names {
  clusters: boolean;
  namespaces: boolean;
  containers: boolean;
}

export function naming(sources: readonly Source[]): Names {
  const several = (of: (source: Source) => string) => new Set(sources.map(of)).size > 1;
  const pods = new Set(sources.map(({ cluster, namespace, pod }) => `${cluster}\n${namespace}\n${pod}`));
  return {
    clusters: several((source) => source.cluster),
    namespaces: several((source) => source.namespace),
    containers: pods.size < sources.length && several((source) => source.container),
  };
}

/** A source's short name: its pod, and what else is needed to tell it. */
export function label(source: Source, names: Names): string {
  const place = [names.clusters ? source.cluster : "", names.namespaces ? source.namespace : ""].filter((part) => part !== "");
  return [...place, shortened(source.pod)].join("/") + (names.containers ? ` ${shortened(source.container, 16)}` : "");
}

/** The name before a mark: what of it the mark's own words do not say. */
export function markLabel(source: Source, names: Names, text: string): string {
  if (says(text, `pod ${source.pod}`)) return "";
  return label(source, { ...names, containers: !says(text, `container ${source.container}`) });
}

/** Whether a text has these words, and not the beginning of longer ones. */
function says(text: string, words: string): boolean {
  return text.split(words).slice(1).some((after) => !/^[\w-]|^\.\w/.test(after));
}

export function fullName({ cluster, namespace, pod, container, kind }: Source): string {
  return `${cluster} · ${namespace}/${pod} · ${kind === "container" ? "" : `${kind} container `}${container}`;
}
