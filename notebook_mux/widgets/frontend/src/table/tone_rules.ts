/** The rules by which a column's cells have a tone; the same as in Python (notebook_mux/printing/tone_rules.py). */

import { parseDuration } from "../common/age";
import { quantity } from "../common/order";

export type Tone = "good" | "warn" | "bad" | "done" | "";

/** [tone, meaning] */
export type Said = [Tone, string];

/** From a cell and its partner. */
export type Read = (cell: string, state: string) => Said;

/** A column of `meanings.json`. */
export interface Rule {
  rule: string;
  partner?: string;
  quiet?: boolean;
  of?: string;
  firm?: boolean;
  calm?: boolean;
  text?: string;
  says?: Said;
  cells?: Record<string, Said>;
}

export const NOTHING: Said = ["", ""];

export const RATIO = /^(\d{1,15})\/(\d{1,15})/;

const RECENT = 600;
const HIGH = 70;
const FULL = 90;
const NEARLY = 0.9;
const ORDER: Tone[] = ["bad", "warn", "good", "done", ""];
const ENDED = /^(ExitCode|Signal):(\d+)$/i;
const RESTARTS = /^(\d+)(?: \((.+) ago\))?$/;
const USED = /([^\s:,]+): ([^\s/,]+)\/([^\s/,]+)/g;
const NUMBER = /^\d{1,15}$/;

/** The worst tone, and all meanings. */
export function worst(all: Said[]): Said {
  const tones = new Set(all.map(([tone]) => tone));
  return [ORDER.find((tone) => tones.has(tone)) ?? "", all.map(([, words]) => words).filter((words) => words !== "").join(", ")];
}

/** Whether a text is a ratio with something missing. */
export function isShort(state: string): boolean {
  const match = RATIO.exec(state);
  return match !== null && Number(match[1]) < Number(match[2]);
}

/** Of `ExitCode:1` and `Signal:9`. */
export function ended(cell: string): Said | undefined {
  const match = ENDED.exec(cell);
  if (match === null) return undefined;
  return match[1]?.toLowerCase() === "signal"
    ? ["bad", `its container was ended by signal ${match[2]}`]
    : ["bad", `its container ended with exit code ${match[2]}`];
}

/** `1/3`, ready of wanted; or a number whose partner says how many are wanted. */
export function ratio(rule: Rule, toneOf: (state: string) => Tone): Read {
  const { of = "", firm = false, calm = false } = rule;
  return (cell, state) => {
    const match = RATIO.exec(cell);
    let has: number;
    let wanted: number | undefined;
    let standing: Tone = "";
    if (match !== null) {
      has = Number(match[1]);
      wanted = Number(match[2]);
      if (state !== "") standing = toneOf(state);
    } else {
      wanted = NUMBER.test(cell) ? wantedOf(state) : undefined;
      if (wanted === undefined) return NOTHING;
      has = Number(cell);
    }
    if (wanted === 0 && firm) return ["done", has === 0 ? "none are wanted" : `none are wanted, ${has} are still there`];
    const words = `${has} of ${wanted} ${of}`;
    if (calm) return [standing === "done" || standing === "bad" ? standing : "", words];
    if (has >= wanted) return ["", words];
    if (standing === "done") return ["done", words];
    return [firm && has === 0 ? "bad" : "warn", words];
  };
}

function wantedOf(state: string): number | undefined {
  const match = RATIO.exec(state);
  if (match !== null) return Number(match[2]);
  return NUMBER.test(state) ? Number(state) : undefined;
}

/** Cells that say something; all others say nothing. */
export function cells(rule: Rule): Read {
  const known = new Map(Object.entries(rule.cells ?? {}).map(([cell, said]) => [cell.toLowerCase(), said]));
  return (cell) => known.get(cell.toLowerCase()) ?? NOTHING;
}

/** Cells with a text in them. */
export function holds({ text = "", says = NOTHING }: Rule): Read {
  return (cell) => (cell.includes(text) ? says : NOTHING);
}

/** A number that has come to its partner's. */
export function most({ says = NOTHING }: Rule): Read {
  return (cell, state) => (NUMBER.test(cell) && NUMBER.test(state) && Number(cell) >= Number(state) && Number(state) > 0 ? says : NOTHING);
}

/** `73`, `73%`: how much of something is in use. */
export function percent({ of = "" }: Rule): Read {
  return (cell) => {
    const digits = cell.endsWith("%") ? cell.slice(0, -1) : cell;
    if (!NUMBER.test(digits)) return NOTHING;
    const used = Number(digits);
    return [used >= FULL ? "bad" : used >= HIGH ? "warn" : "", `${used} % ${of} are in use`];
  };
}

/** `5 (3m ago)`: those that go on are worth a look. */
export function restarts(cell: string): Said {
  const match = RESTARTS.exec(cell);
  if (match === null || match[1] === "0") return NOTHING;
  const words = match[1] === "1" ? "restarted once" : `restarted ${match[1]} times`;
  if (match[2] === undefined) return ["", words];
  const span = parseDuration(match[2]);
  return [span !== undefined && span < RECENT ? "warn" : "", `${words}, the last time ${match[2]} ago`];
}

/** `pods: 9/10, requests.cpu: 1/2`: what is used up, or nearly. */
export function quota(cell: string): Said {
  const found: Said[] = [];
  for (const [, name, used, hard] of cell.matchAll(USED)) {
    const has = quantity(used ?? "");
    const limit = quantity(hard ?? "");
    if (has === undefined || limit === undefined || has === 0) continue;
    if (has >= limit) found.push(["bad", `${name} is used up: ${used} of ${hard}`]);
    else if (has >= limit * NEARLY) found.push(["warn", `${name} is nearly used up: ${used} of ${hard}`]);
  }
  return worst(found);
}
