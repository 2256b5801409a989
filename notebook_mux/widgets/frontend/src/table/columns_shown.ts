/** A view's columns as they are shown: what its user and the kernel make of them, and the grid's part of it. */

import type { Entry } from "../common/menu";
import type { TimeOf } from "./cells";
import { ColumnMenu } from "./column_menu";
import { actColumn, columnDefs, idOf, needsOf, type RowAt } from "./columns";
import type { Grid } from "./grid";
import type { Head, Layout } from "./head";
import { laidOut, widthOf } from "./layout";
import { LayoutKeeper } from "./layout_keeper";
import type { Row } from "./rows";
import { chosen, fitted, type Need } from "./widths";

export interface ColumnsHooks {
  head(): Head | undefined;
  /** Those whose cells say how wide a column should be. */
  rows(): Iterable<Row>;
  rowAt: RowAt;
  timeOf: TimeOf;
  /** Say it to the kernel; comes back with the number of that change, undefined where it was refused. */
  say(layout: Layout): Promise<number | undefined>;
  open(place: number, byKey: boolean): void;
  /** The grid has other columns now. */
  drawn(): void;
}

export class ColumnsShown {
  readonly menu: ColumnMenu;
  readonly layout: LayoutKeeper;
  /** Of the view, once it is made. */
  grid: Grid | undefined;
  #hooks: ColumnsHooks;
  #shape = "";
  #sized = "";
  #titles: readonly string[] = [];
  #needs: readonly Need[] = [];
  #widths: readonly number[] = [];
  #measured = false;
  #kind = "";

  constructor(hooks: ColumnsHooks, signal: AbortSignal) {
    this.#hooks = hooks;
    const titles = () => hooks.head()?.settings.shown ?? [];
    this.layout = new LayoutKeeper({ say: (layout) => hooks.say(layout), changed: () => this.draw(), titles }, signal);
    this.menu = new ColumnMenu({ layout: (layout) => this.layout.set(layout) }, signal);
  }

  /** For the menu of the view. */
  entries(): Entry[] {
    return [{ kind: "act", words: "Columns …", more: "order, hide", act: () => this.menu.toggle(true) }];
  }

  /** The kernel said this. */
  head(head: Head): void {
    const kind = `${head.kind?.resource ?? ""}.${head.kind?.group ?? ""}`;
    if (kind !== this.#kind) {
      this.clear(); // its first rows say how wide its columns are
      this.layout.drop();
    }
    this.#kind = kind;
    this.layout.told(head.settings.layout, head.settings.at);
    this.draw();
  }

  /** The rows have gone, and those of another question come. */
  clear(): void {
    this.#measured = false;
  }

  /** There may be rows: the first say how wide the columns are. */
  measure(): void {
    if (this.#measured || this.#hooks.rows()[Symbol.iterator]().next().done === true) return;
    this.#measured = true;
    this.draw();
  }

  /** Give the grid its columns, where they are others than before. */
  draw(): void {
    const { grid } = this;
    const head = this.#hooks.head();
    if (head === undefined || grid === undefined) return;
    const { shown } = head.settings;
    const { layout } = this.layout;
    this.menu.show(shown, layout);
    if (grid.dragging) return; // which ends with a layout, and so comes here again
    const titles = laidOut(shown, layout);
    const shape = JSON.stringify([head.columns, head.kind, titles, head.looks, this.#measured]);
    const sized = JSON.stringify(layout.widths);
    if (shape === this.#shape && sized === this.#sized) return;
    const { rows, timeOf, rowAt, open } = this.#hooks;
    if (shape !== this.#shape) {
      this.#titles = titles;
      // the body's, for the view may not be in the page yet
      const family = getComputedStyle(document.body).getPropertyValue("--jp-ui-font-family").trim() || "sans-serif";
      this.#needs = needsOf(head, titles, rows(), family, timeOf);
      this.#fit(); // and not when its user has sized one: the others stay under the pointer
    }
    [this.#shape, this.#sized] = [shape, sized];
    const defs = columnDefs(head, titles, this.#given(), this.#rest(), timeOf, rowAt);
    grid.api.setGridOption("columnDefs", [actColumn(head.looks, open), ...defs]);
    this.#hooks.drawn();
  }

  /** The grid has become wider, or narrower. */
  fit(): void {
    const { grid } = this;
    if (grid === undefined || grid.dragging || !this.#fit()) return;
    const state = this.#given().map((width, at) => ({ colId: idOf(this.#titles[at] ?? ""), width }));
    grid.api.applyColumnState({ state: this.#rest() === undefined ? state : state.slice(0, -1) });
    grid.api.refreshCells({ force: true }); // where the pointer rests, what is cut now is said in full
  }

  /** Find out how wide they are in the grid of now; returns whether that is anything new. */
  #fit(): boolean {
    const room = this.grid?.room ?? 0;
    const needs = this.#needs.map((need, at) => {
      const own = widthOf(this.layout.layout, this.#titles[at] ?? "");
      return own === undefined ? need : chosen(own);
    });
    const found = fitted(needs, room > 0 ? room : Infinity); // there is none while the page does not show it
    const same = found.join() === this.#widths.join();
    this.#widths = found;
    return !same;
  }

  /** What the last one has at least, besides all that is left; undefined where its user sized it. */
  #rest(): number | undefined {
    const last = this.#titles[this.#titles.length - 1];
    return last === undefined || widthOf(this.layout.layout, last) !== undefined ? undefined : this.#needs[this.#needs.length - 1]?.cut;
  }

  #given(): number[] {
    return this.#widths.map((width, at) => widthOf(this.layout.layout, this.#titles[at] ?? "") ?? width);
  }
}
