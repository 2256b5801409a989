/** The grid's focus stays on its row: where the row goes, it goes. */

import { type Arrangement, isGroup, type Shown } from "./arrangement";
import type { Grid } from "./grid";

export class Focus {
  #grid: Grid;
  #arrangement: Arrangement;
  /** Whose it is: a row's key, or a group's name. */
  #key: string | undefined;
  #group: string | undefined;
  #column: string | undefined;
  #place = -1;
  /** Whether no row is left to have it: it waits at the root for the next. */
  #waiting = false;
  /** Whether rows are being drawn: where the grid puts its focus meanwhile, nobody has gone. */
  #drawing = false;
  #root: HTMLElement;

  constructor(root: HTMLElement, grid: Grid, arrangement: Arrangement) {
    this.#root = root;
    this.#grid = grid;
    this.#arrangement = arrangement;
  }

  /** What has the focus; undefined where nothing has it, or it is not shown. */
  get shown(): Shown | undefined {
    return this.#arrangement.shown[this.#where()];
  }

  /** The page's focus has come to a place of the grid. */
  look(): void {
    const focus = this.#grid.active && !this.#drawing ? this.#grid.focus : undefined;
    if (focus === undefined) return;
    const shown = this.#arrangement.shown[focus.place];
    if (shown === undefined) return;
    this.#place = focus.place;
    this.#key = isGroup(shown) ? undefined : shown.key;
    this.#group = isGroup(shown) ? shown.group : undefined;
    this.#column = focus.column;
  }

  /** Draw rows anew. The page's focus stays in here, or the next keys were the notebook's, which deletes cells by them. */
  keep(draw: () => void): void {
    const waits = this.#waiting && (this.#root.getRootNode() as ShadowRoot).activeElement === this.#root;
    const held = this.#grid.active;
    this.#drawing = true;
    draw();
    this.#drawing = false;
    this.#follow(held);
    const lost = held && !this.#grid.active;
    if (lost) this.#root.focus({ preventScroll: true });
    this.#waiting = (lost || waits) && this.#arrangement.shown.length === 0;
    if (waits) this.enter();
  }

  /**
   * The rows have moved: go with the one that has it. One that has gone leaves it to the row in its place. What had the
   * page's focus (`held`) may have been drawn anew, as a group's row in the place of another.
   */
  #follow(held: boolean): void {
    if (this.#key === undefined && this.#group === undefined) return;
    const { shown } = this.#arrangement;
    const found = this.#where();
    const place = found >= 0 ? found : Math.min(this.#place, shown.length - 1);
    const lost = held && !this.#grid.active;
    if (place < 0 || (place === this.#place && found >= 0 && !lost)) return;
    this.#place = place;
    if (found < 0) {
      const now = shown[place];
      this.#key = isGroup(now) ? undefined : now?.key;
      this.#group = isGroup(now) ? now.group : undefined;
    }
    if (held) this.#grid.setFocus(place, this.#column);
  }

  /** Give the page's focus to the row that had it, or to the first; says whether there is any. */
  enter(): boolean {
    const place = Math.max(0, this.#where());
    if (place >= this.#arrangement.shown.length) return false;
    this.give(place, this.#column);
    return true;
  }

  /** Give the page's focus to a place, and show it. */
  give(place: number, column: string | undefined): void {
    this.#grid.reveal(place);
    this.#grid.setFocus(place, column);
  }

  #where(): number {
    if (this.#group !== undefined) return this.#arrangement.indexOfGroup(this.#group);
    if (this.#key === undefined) return -1;
    const there = this.#arrangement.shown[this.#place];
    if (there !== undefined && !isGroup(there) && there.key === this.#key) return this.#place;
    return this.#arrangement.find(this.#key)?.[1] ?? -1;
  }
}
