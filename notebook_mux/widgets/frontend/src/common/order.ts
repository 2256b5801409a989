/** The table's filter and its order, the same as in Python (notebook_mux/widgets/order.py). */

import { parseDuration } from "./age";

const QUANTITY = /^([+-]?\d+(?:\.\d+)?)(m|Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$/;
const RATIO = /^(\d+)\/(\d+)$/;
const UNITS: Record<string, number> = {
  m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
};

const EMPTY = new Set(["", "<none>", "<unknown>", "<unset>"]);

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
  const space = text.indexOf(" ");
  const head = space < 0 ? text : text.slice(0, space);
  if (space < 0 || text[space + 1] === "(") {
    const found = numberIn(head, AGE_TITLES.has(title));
    if (found !== undefined) return found;
  }
  return { rank: 1, first: 0, second: 0, text: textKey(text) };
}

function numberIn(text: string, ages: boolean): SortKey | undefined {
  const ratio = RATIO.exec(text);
  if (ratio !== null) {
    const wanted = Number(ratio[2]);
    return numberKey(wanted ? Number(ratio[1]) / wanted : 1, wanted);
  }
  const duration = ages ? parseDuration(text) : undefined;
  if (duration !== undefined) return numberKey(duration);
  const quantity = QUANTITY.exec(text);
  if (quantity !== null) return numberKey(Number(quantity[1]) * (UNITS[quantity[2] ?? ""] ?? 1));
  return undefined;
}

export function compareKeys(a: SortKey, b: SortKey): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.rank === 0) return a.first - b.first || a.second - b.second;
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

/** The filter's words, lower case: those that must be there, and those that must not. */
export interface Words {
  has: string[];
  not: string[];
}

export function words(filter: string): Words {
  const all = filter.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const isNot = (word: string) => word.startsWith("!") && word.length > 1;
  return { has: all.filter((word) => !isNot(word)), not: all.filter(isNot).map((word) => word.slice(1)) };
}

/** Whether a row with this text (lower case) passes. */
export function passes({ has, not }: Words, text: string): boolean {
  return has.every((word) => text.includes(word)) && !not.some((word) => text.includes(word));
}
