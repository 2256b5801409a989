/** What cells are compared with: numbers, spans of time, versions, texts; see notebook_mux/filtering/amounts.py. */

import { parseDuration } from "../common/age";
import { naturalKey, type SortKey, textKey } from "../common/order";

const SPAN = /^(?:\d+(?:\.\d+)?[ywdhms])+$/;
const SPAN_PART = /(\d+(?:\.\d+)?)([ywdhms])/g;
const VERSION = /^(?:v?(\d+(?:\.\d+)+)([-+].*)?|v(\d+)([-+].*)?)$/s;
const RATIO = /^\d+\/\d+/;
const SECONDS: Record<string, number> = { y: 31536000, w: 604800, d: 86400, h: 3600, m: 60, s: 1 };

interface Version {
  readonly numbers: readonly number[];
  readonly rest: string;
}

/** A value in all the ways in which it can be read. */
export interface Amount {
  readonly text: string;
  readonly number: number | undefined;
  readonly percent: boolean;
  readonly seconds: number | undefined;
  readonly version: Version | undefined;
}

export function amount(text: string): Amount {
  const key = naturalKey(text);
  return {
    text: textKey(text),
    number: key.rank === 0 ? key.first : undefined,
    percent: text.endsWith("%"),
    seconds: seconds(text),
    version: version(/^\d+$/.test(text) ? `v${text}` : text),
  };
}

/** `5m`, `2d`, `1h30m`, `1.5h`: a span of time, whether or not it would be printed so. */
function seconds(text: string): number | undefined {
  if (!SPAN.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit] of text.matchAll(SPAN_PART)) sum += Number(number) * (SECONDS[unit as string] as number);
  return sum;
}

/** `v1.32.1`, `1.32`, `v1.32.1-rc.1`: its numbers and what stands behind them. */
function version(text: string): Version | undefined {
  const found = VERSION.exec(text);
  if (found === null) return undefined;
  const numbers = ((found[1] ?? found[3]) as string).split(".").map(Number);
  while (numbers.length > 1 && numbers.at(-1) === 0) numbers.pop();
  return { numbers, rest: found[2] ?? found[4] ?? "" };
}

/**
 * Below 0, 0 or above it as a cell is less than, as much as or more than what is wanted; undefined where the two do not
 * compare. `cell` is as printed, `key` what it is sorted by.
 */
export function difference(cell: unknown, key: SortKey, wanted: Amount, ages: boolean): number | undefined {
  if (ages && typeof cell === "string") {
    const printed = parseDuration(cell);
    return printed === undefined || wanted.seconds === undefined ? undefined : printed - wanted.seconds;
  }
  if (key.rank === 2) return undefined;
  if (key.rank === 0) {
    if (wanted.number === undefined) return undefined;
    return key.first - (wanted.percent && isRatio(cell) ? wanted.number / 100 : wanted.number);
  }
  if (wanted.version !== undefined) {
    const found = version(String(cell).split(" ", 1)[0] as string);
    if (found !== undefined) return versions(found, wanted.version);
  }
  if (wanted.number !== undefined) return undefined;
  return order(key.text, wanted.text);
}

/** Whether it is one such as `1/3`. */
export function isRatio(cell: unknown): boolean {
  return typeof cell === "string" && RATIO.test(cell);
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** What stands behind the numbers counts only where it is asked for: `v1.32.1-gke.5` is as new as `1.32.1`. */
function versions(found: Version, wanted: Version): number {
  const length = Math.max(found.numbers.length, wanted.numbers.length);
  for (let index = 0; index < length; index++) {
    const mine = found.numbers[index] ?? -1;
    const other = wanted.numbers[index] ?? -1;
    if (mine !== other) return mine - other;
  }
  if (wanted.rest === "" || found.rest === wanted.rest) return 0;
  if (found.rest === "") return wanted.rest.startsWith("-") ? 1 : -1; // semver: a release comes after what leads to it
  return order(textKey(found.rest), textKey(wanted.rest));
}
