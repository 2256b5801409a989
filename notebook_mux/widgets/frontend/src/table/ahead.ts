/**
 * A view that is seen again: which places it has on its screen, for the kernel to send their rows ahead of all others,
 * and whether these may be shown before the others are there. Where that is not certain the view waits for all of them.
 */

import { type Arrangement, isGroup, type Rules } from "./arrangement";
import type { Row } from "./rows";

/** Places as the kernel is asked for them: of all rows in this order, whether they pass or not, up to before `last`. */
export interface Places {
  readonly view: string;
  readonly sort: string;
  readonly first: number;
  readonly last: number;
}

/** Its answer: what is at these places. */
export interface Ahead {
  readonly page: string;
  readonly view: string;
  readonly sort: string;
  readonly first: number;
  readonly rows: readonly (readonly [cluster: number, uid: string])[];
}

/** What a view is like just now. */
export interface Look {
  readonly sort: string;
  /** The first and the last place that are drawn. */
  readonly drawn: readonly [first: number, last: number];
  readonly arrangement: Arrangement;
  /** Whether some rows may not pass, and whether that may change by time alone. */
  readonly filter: { readonly any: boolean; readonly timed: boolean };
}

/** Rows below those that are drawn, for what a filter may take away. */
const MORE = 20;
/** So many places the kernel is asked for at most. */
const MOST = 500;

/** Whether what is at a place can be told by some of the rows. */
function certain({ arrangement, filter }: Look): boolean {
  return !arrangement.grouped && !arrangement.leaving && !filter.timed;
}

/** What a view asks for; undefined where it is better told by all rows. */
export function placesOf(view: string, look: Look): Places | undefined {
  const { sort, arrangement, filter } = look;
  const [from, to] = look.drawn;
  const { passing, size } = arrangement;
  const first = Math.max(0, from);
  if (!certain(look) || to < 0 || passing === 0 || (filter.any && first > 0)) return undefined;
  // as many more as do not pass, where they are spread evenly
  const last = filter.any ? Math.ceil(((to + 1 + MORE) * size) / passing) : to + 1 + MORE;
  return last - first > MOST ? undefined : { view, sort, first, last };
}

/**
 * The rows to be shown from the first of the places on, which are those of the answer that pass; undefined where it is
 * not certain that they fill the screen, and are what will be there.
 */
export function rowsAhead(
  { sort, first, rows }: Ahead,
  look: Look,
  { compare, passes }: Pick<Rules, "compare" | "passes">,
  byKey: ReadonlyMap<string, Row>,
): Row[] | undefined {
  const { arrangement, filter } = look;
  const from = Math.max(0, look.drawn[0]);
  const to = look.drawn[1];
  if (sort !== look.sort || !certain(look) || from < first || (filter.any && first > 0)) return undefined;
  // what has gone from the screen stays there for a moment, struck through, and where that is only all rows tell
  for (const shown of arrangement.shown.slice(from, to + 1)) if (isGroup(shown) || !byKey.has(shown.key)) return undefined;
  const found: Row[] = [];
  let before: Row | undefined;
  for (const [cluster, uid] of rows) {
    const row = byKey.get(`${cluster} ${uid}`);
    if (row === undefined || (before !== undefined && compare(before, row) >= 0)) return undefined;
    before = row;
    if (passes(row)) found.push(row);
  }
  if (to >= first + found.length) return undefined;
  // where some of those above them are not there yet, they would stand too high
  const keys = new Set(found.map(({ key }) => key));
  const others = arrangement.shown.reduce((count, shown) => (isGroup(shown) || keys.has(shown.key) ? count : count + 1), 0);
  return others >= first ? found : undefined;
}

/** What decides whether rows are shown ahead, as it is just now. */
type Asked = readonly [look: Look, rules: Pick<Rules, "compare" | "passes">, byKey: ReadonlyMap<string, Row>];

/** What came ahead, as long as the others are on their way: when some of them are drawn it stays where it will be. */
export class Foremost {
  #look: () => Asked;
  #ahead: Ahead | undefined;
  #shown = false;

  constructor(look: () => Asked) {
    this.#look = look;
  }

  /** It has come; returns whether it is shown. */
  came(ahead: Ahead): boolean {
    this.#ahead = ahead;
    const shown = this.#show();
    this.#shown ||= shown;
    return shown;
  }

  /** Nothing is on its way any more; returns whether what is shown is to be drawn without it. */
  done(): boolean {
    this.#ahead = undefined;
    return this.#shown;
  }

  /** Others were taken in, which are shown in their order. */
  stay(): void {
    if (!this.#shown) return;
    this.#look()[0].arrangement.show();
    this.#shown = this.#show();
  }

  #show(): boolean {
    const [look, rules, byKey] = this.#look();
    const rows = this.#ahead && rowsAhead(this.#ahead, look, rules, byKey);
    if (rows === undefined) this.#ahead = undefined; // it is certain no more
    else if (this.#ahead !== undefined) look.arrangement.ahead(this.#ahead.first, rows);
    return rows !== undefined;
  }
}
