/** The table's order, the same as in Python (notebook_mux/filtering/keys.py). */

import { parseDuration } from "./age";

const QUANTITY = /^([+-]?\d+(?:\.\d+)?)(n|u|m|Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$/;
const COUNT = /^\d+$/;
const RATIO = /^(\d+)\/(\d+)$/;
const PERCENT = /^([+-]?\d+(?:\.\d+)?)%$/;
const VERSION = /^(?:v?(\d+(?:\.\d+)+)([-+][^ ]*)?|v(\d+)((?:alpha|beta)\d+)?)$/;
const UNITS: Record<string, number> = {
  n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
};

/** What the server prints for nothing, and k9s for a percent of nothing: sorted last. */
export const EMPTY: ReadonlySet<string> = new Set(["", "<none>", "<unknown>", "<unset>", "n/a"]);

/** Columns in which `5m` is five minutes and not five thousandths. */
export const AGE_TITLES = new Set(["Age", "Duration", "Last Seen", "First Seen", "Last Schedule"]);

/** What cells are compared by: rank 0 numbers, 1 text (as `textKey`), 2 nothing. One shape, for it is compared often. */
export interface SortKey {
  readonly rank: number;
  readonly first: number;
  readonly second: number;
  readonly text: string;
}

const NOTHING: SortKey = { rank: 2, first: 0, second: 0, text: "" };
const DIGITS = 15;

export function numberKey(first: number, second = 0): SortKey {
  return { rank: 0, first, second, text: "" };
}

/** Text that compares as people count: `web-2` before `web-10`. */
export function textKey(text: string): string {
  // a digit sorts before a letter, and a longer number behind a shorter one
  return text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(DIGITS, "0"));
}

export function naturalKey(value: unknown, title = ""): SortKey {
  if (typeof value === "number" || typeof value === "boolean") return numberKey(Number(value));
  const text = value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  if (EMPTY.has(text)) return NOTHING;
  if (text.startsWith("v") || title.toLowerCase().endsWith("version")) {
    const version = VERSION.exec(text);
    if (version !== null) return { rank: 1, first: 0, second: 0, text: versionKey(version) };
  }
  const space = text.indexOf(" ");
  const head = space < 0 ? text : text.slice(0, space);
  if (space < 0 || text[space + 1] === "(") {
    const found = numberIn(head, AGE_TITLES.has(title));
    if (found !== undefined) return found;
  }
  return { rank: 1, first: 0, second: 0, text: textKey(text) };
}

/** What leads to a version (`-rc.1`, `beta2`) comes before it, what is built of it (`+k3s1`) behind it. */
function versionKey([, dotted, after, plain, stage]: RegExpExecArray): string {
  const rest = after ?? stage ?? "";
  const mark = rest === "" || rest.startsWith("+") ? "!" : " "; // both before the point of a longer version
  return `${textKey(dotted ?? plain ?? "")}${mark}${textKey(rest)}`;
}

function numberIn(text: string, ages: boolean): SortKey | undefined {
  if (COUNT.test(text)) return numberKey(Number(text)); // most are, and all are asked in a table of thousands
  const ratio = RATIO.exec(text);
  if (ratio !== null) {
    const wanted = Number(ratio[2]);
    return numberKey(wanted ? Number(ratio[1]) / wanted : 1, wanted);
  }
  const duration = ages ? parseDuration(text) : undefined;
  if (duration !== undefined) return numberKey(duration);
  const percent = PERCENT.exec(text);
  if (percent !== null) return numberKey(Number(percent[1]));
  const value = quantity(text);
  return value === undefined ? undefined : numberKey(value);
}

/** `100m`, `2Gi`, `3`: an amount with the API's units, or without one. */
export function quantity(text: string): number | undefined {
  const found = QUANTITY.exec(text);
  return found === null ? undefined : Number(found[1]) * (UNITS[found[2] ?? ""] ?? 1);
}

export function compareKeys(a: SortKey, b: SortKey): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.rank === 0) return a.first - b.first || a.second - b.second;
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

/** The same for a column that is sorted: nothing comes last, whichever way. */
export function compareSorted(a: SortKey, b: SortKey, descending: boolean): number {
  const order = compareKeys(a, b);
  return descending && a.rank !== 2 && b.rank !== 2 ? -order : order;
}
