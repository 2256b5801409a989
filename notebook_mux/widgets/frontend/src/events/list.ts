/** The list's order, without a page: what passes the filter, grouped by object or in the order of time. */

import { humanDuration } from "../common/age";
import { passes, type Words } from "./words";
import type { Happened } from "./data";
import type { Lane } from "./lanes";

export interface Choice {
  words: Words;
  grouped: boolean;
  warningsFirst: boolean;
  /** Keys of lanes whose groups are folded. */
  folded: ReadonlySet<string>;
}

/** A line of the list: a group's head, or what happened. */
export type Item = { group: Lane; size: number; warnings: number; folded: boolean } | { one: Happened };

/** What passes the filter. */
export function shownOf(all: Iterable<Happened>, filter: Words): Happened[] {
  const shown: Happened[] = [];
  for (const one of all) if (passes(filter, one.text)) shown.push(one);
  return shown;
}

/** The newest first, warnings before all others where that is chosen. */
export function ordered(all: readonly Happened[], warningsFirst: boolean): Happened[] {
  return [...all].sort(
    (a, b) =>
      (warningsFirst ? Number(b.warning) - Number(a.warning) : 0) ||
      b.last - a.last ||
      b.first - a.first ||
      (a.key < b.key ? -1 : 1),
  );
}

/** The lines to show. */
export function itemsOf(shown: readonly Happened[], lanes: readonly Lane[], choice: Choice): Item[] {
  if (!choice.grouped) return ordered(shown, choice.warningsFirst).map((one) => ({ one }));
  const items: Item[] = [];
  const groups = lanes.filter((lane) => lane.happened.length > 0);
  const warnings = new Map(groups.map((lane) => [lane.key, lane.happened.filter((one) => one.warning).length]));
  // a stable sort: within each half the lanes' order stays
  if (choice.warningsFirst) groups.sort((a, b) => Number(warnings.get(a.key) === 0) - Number(warnings.get(b.key) === 0));
  for (const lane of groups) {
    const folded = choice.folded.has(lane.key);
    items.push({ group: lane, size: lane.happened.length, warnings: warnings.get(lane.key) ?? 0, folded });
    if (!folded) for (const one of ordered(lane.happened, choice.warningsFirst)) items.push({ one });
  }
  return items;
}

/** How often, and over how long: `×14 over 3m`; nothing for what happened once. */
export function often({ count, first, last }: Happened): string {
  if (count <= 1) return "";
  const span = humanDuration(last - first);
  return last - first < 1 ? `×${count}` : `×${count} over ${span}`;
}

/** Characters that have no look of their own and can change that of others: controls, and those of writing's direction. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+/g;

/** A text of a cluster's as one line in which nothing turns the direction of writing. */
export function oneLine(text: string): string {
  return text.replace(UNSEEN, " ");
}
