/** A view's rows and what has just become of them: takes changes in, and says of those on the screen what is to be marked. */

import { type Arrangement, isGroup } from "./arrangement";
import type { Head } from "./head";
import { Marks } from "./marks";
import { asText, type Changes, type Row } from "./rows";

/** So many new rows at once, and so large a share, are another question and not news. */
const MANY = 50;
const SHARE = 0.2;

/** Rows below those on the screen that are marked too: a table that grows shows them at once. */
const MORE = 20;

export class Show {
  readonly arrangement: Arrangement;
  readonly marks = new Marks(() => performance.now());
  /** What comes next is the rows' first state: nothing of it is marked. */
  quiet = true;

  constructor(arrangement: Arrangement) {
    this.arrangement = arrangement;
  }

  /** Forget all rows. */
  clear(): void {
    this.marks.clear();
    this.arrangement.clear();
    this.quiet = true;
  }

  /** Take changes in; the places from `first` to `last` are on the screen. */
  take(changes: Changes, first: number, last: number, head: Head): void {
    const { arrangement, marks } = this;
    const going = marks.expire();
    const unread = new Set(head.clusters.flatMap(({ synced }, index) => (synced ? [] : [index])));
    let added = 0;
    for (const [key, [before, after]] of changes) {
      if (before !== undefined || after === undefined) continue;
      added += 1;
      const stood = marks.back(key);
      if (stood !== undefined) going.push(stood);
    }
    const news = !this.quiet && (added <= MANY || added <= arrangement.size * SHARE);
    // by their keys: what was shown ahead of other changes is not what stood in the order before them
    const drawn = new Set(arrangement.shown.slice(Math.max(0, first), last + 1).map((shown) => (isGroup(shown) ? "" : shown.key)));
    if (going.length > 0) arrangement.drop(going);
    arrangement.take(changes, (row) => {
      const stays = !this.quiet && drawn.has(row.key);
      if (stays) marks.gone(row);
      return stays;
    });
    if (!this.quiet) {
      for (const shown of arrangement.shown.slice(Math.max(0, first), last + 1 + MORE)) {
        const change = isGroup(shown) ? undefined : changes.get(shown.key);
        if (change === undefined) continue;
        const [before, after] = change;
        if (after === undefined) continue;
        if (before !== undefined) marks.changed(after, differing(before, after, head));
        else if (news && !unread.has(after.cluster)) marks.added(after);
      }
    }
    if (changes.size > 0) this.quiet = false;
  }
}

/** What stands in a cell whose function has not come back yet. */
const PENDING = "…";

/** The titles of the cells that say something else now: not a time that ran on or is known better, nor usage, which never rests. */
function differing(before: Row, after: Row, head: Head): string[] {
  const titles: string[] = [];
  head.columns.forEach(({ title, source }, index) => {
    if (source === "usage" || before.still(index) === PENDING) return;
    if (asText(before.still(index)) !== asText(after.still(index))) titles.push(title);
  });
  return titles;
}
