/**
 * A filter while it is typed: which part of it counts already. What is half typed must not empty the table, so a last
 * word that may become something else waits, and what cannot be read is left out until it can.
 */

import { complete, type Known } from "./completing";
import { type Compiled, compiled, type Facts, type Scheme } from "./judging";
import { parse } from "./reading";

/** The beginning of a set of values: `-l app in (`. */
const LISTING = /(?:^|\s)(?:-l|--selector)[\s=].*\s(?:in?|n|not?|notin?)\s*$/;

export interface Typed {
  /** What counts now. */
  readonly compiled: Compiled;
  /** The last word, where it waits: no row passes with it as it is, and it may go on. */
  readonly waiting: string;
  /** Whether all of the text counts. */
  readonly whole: boolean;
}

/** What counts of a text whose last word may not be through. */
export function typed(text: string, scheme: Scheme, faults: boolean, known: () => Known, rows: Iterable<Facts>): Typed {
  const all = compiled(text, scheme, faults);
  if (all.mistakes.length > 0) return { compiled: all, waiting: "", whole: false };
  const { last, terms } = parse(text);
  const term = terms.at(-1);
  const ends = term?.span[1] === text.length || LISTING.test(text);
  // a plain word that is no beginning of anything is all there is to it
  const goesOn = () =>
    term?.t !== "text" || term.text.endsWith("!") || LISTING.test(text) || complete(text, text.length, known()).candidates.length > 0;
  if (!ends || some(rows, all.passes) || !goesOn()) return { compiled: all, waiting: "", whole: true };
  const before = compiled(text.slice(0, last), scheme, faults);
  if (!some(rows, before.passes)) return { compiled: all, waiting: "", whole: true };
  return { compiled: before, waiting: text.slice(last), whole: false };
}

function some(rows: Iterable<Facts>, passes: (row: Facts) => boolean): boolean {
  for (const row of rows) if (passes(row)) return true;
  return false;
}

/** Filters that were used, the last first. */
export class History {
  #texts: string[] = [];
  #at = -1;

  constructor(readonly most = 50) {}

  add(text: string): void {
    this.#at = -1;
    const trimmed = text.trim();
    if (trimmed === "") return;
    this.#texts = [trimmed, ...this.#texts.filter((one) => one !== trimmed)].slice(0, this.most);
  }

  /** Whether it is being gone through. */
  get walking(): boolean {
    return this.#at >= 0;
  }

  /** One further back, or forth; undefined where there is none, "" before the last. */
  step(back: boolean): string | undefined {
    const to = this.#at + (back ? 1 : -1);
    if (to >= this.#texts.length || to < -1) return undefined;
    this.#at = to;
    return this.#texts[to] ?? "";
  }

  leave(): void {
    this.#at = -1;
  }
}
