/**
 * What the grid's rows on the screen show beside their cells: whether they are selected, new, gone, which cells have
 * just changed, whose button it is, and what a group's own row says. Painted onto the grid's elements after it has drawn.
 */

import { count, element, setText } from "../common/dom";
import { type Group, isGroup, type Shown } from "./arrangement";
import { actLabel, titleOf } from "./columns";
import type { Marks } from "./marks";
import type { Row } from "./rows";
import { CELL_PADDING_PX } from "./widths";

export interface Painted {
  at(place: number): Shown | undefined;
  picked(key: string): boolean;
  /** The key of the row whose details are shown; "" for none. */
  opened(): string;
  groupTitle(name: string): string;
  /** Whether rows are in groups. */
  grouped(): boolean;
  /** Milliseconds, as the marks count them. */
  now(): number;
}

export const PAINT_CSS = `
.ag-row[data-mark] .ag-cell.act::before { position: absolute; left: 0; width: 100%; text-align: center; font-weight: 700; }
.ag-row[data-mark="new"] .ag-cell.act::before { content: "+"; color: var(--good); }
.ag-row[data-mark="gone"] .ag-cell.act::before { content: "−"; color: var(--bad); }
.ag-row[data-mark="new"] { background: color-mix(in srgb, #12a150 10%, transparent); }
.ag-row[data-mark="gone"] { background: color-mix(in srgb, #e5342e 8%, transparent); }
.ag-row[data-mark="gone"] .ag-cell:not(.act) { text-decoration: line-through; color: var(--dim); }
.ag-row[data-mark] .act button { opacity: 0; }
.ag-cell[data-changed] { isolation: isolate; }
.ag-cell[data-changed]::after { content: ""; position: absolute; inset: 0; z-index: -1; pointer-events: none; background: var(--changed);
  box-shadow: inset 0 -2px 0 color-mix(in srgb, var(--accent) 70%, transparent); animation: changed-a 1.2s linear var(--began) both; }
.ag-cell[data-changed="b"]::after { animation-name: changed-b; }
.host { --changed: color-mix(in srgb, var(--accent) 26%, transparent); }
@keyframes changed-a { to { opacity: 0; } }
@keyframes changed-b { to { opacity: 0; } }
.group-row { display: flex; align-items: baseline; gap: 8px; height: 100%; padding: 0 ${CELL_PADDING_PX}px; line-height: 23px; cursor: pointer;
  background: var(--raised); white-space: nowrap; overflow: hidden; }
.ag-full-width-focus .group-row { outline: 2px solid var(--accent); outline-offset: -2px; }
.group-row .turn { width: 12px; color: var(--dim); font-size: 80%; }
.group-row .turn::before { content: "▾"; }
.group-row[data-open="false"] .turn::before { content: "▸"; }
.group-row .name { font-weight: 600; overflow: hidden; text-overflow: ellipsis; }
.group-row .faults { color: var(--bad); font-weight: 600; }
.group-row .faults:empty { display: none; }
`;

/** The element of a group's own row, to be filled in by `fillGroup`. */
export function groupElement(): HTMLElement {
  return element(
    "div",
    { class: "group-row", role: "gridcell" },
    element("span", { class: "turn", "aria-hidden": "true" }),
    element("span", { class: "name" }),
    element("span", { class: "dim" }),
    element("span", { class: "faults" }),
  );
}

export function fillGroup(made: Element, group: Group, title: string): void {
  const [, name, numbers, faults] = made.children;
  setAttribute(made, "data-open", String(group.open));
  setText(name as Node, title);
  setText(numbers as Node, group.count === group.total ? count(group.total) : `${count(group.count)} of ${count(group.total)}`);
  const faulty = group.faults === 1 ? "1 fault" : `${count(group.faults)} faults`;
  setText(faults as Node, group.faults > 0 ? `■ ${faulty}` : "");
}

function setAttribute(to: Element, name: string, value: string | undefined): void {
  if (value === undefined) to.removeAttribute(name);
  else if (to.getAttribute(name) !== value) to.setAttribute(name, value);
}

export class Painter {
  #host: HTMLElement;
  #marks: Marks;
  #painted: Painted;
  /** Cells that are shown as changed, and since when. */
  #changed = new Map<Element, number>();

  #due = false;

  constructor(host: HTMLElement, marks: Marks, painted: Painted) {
    this.#host = host;
    this.#marks = marks;
    this.#painted = painted;
  }

  /** Paint before the next frame: the grid may be drawing. */
  soon(): void {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      if (this.#due) this.paint();
    });
  }

  paint(): void {
    this.#due = false;
    const changed = new Map<Element, number>();
    const level = this.#painted.grouped() ? "2" : undefined;
    for (const drawn of this.#host.querySelectorAll(".ag-row")) {
      const shown = this.#painted.at(Number(drawn.getAttribute("row-index")));
      if (isGroup(shown)) this.#group(drawn, shown);
      else if (shown !== undefined) this.#row(drawn, shown, changed);
      setAttribute(drawn, "aria-level", isGroup(shown) ? "1" : level);
    }
    for (const cell of this.#changed.keys()) if (!changed.has(cell)) cell.removeAttribute("data-changed");
    for (const [cell, at] of changed) {
      if (this.#changed.get(cell) === at) continue;
      (cell as HTMLElement).style.setProperty("--began", `${Math.round(at - this.#painted.now())}ms`);
      cell.setAttribute("data-changed", cell.getAttribute("data-changed") === "a" ? "b" : "a");
    }
    this.#changed = changed;
  }

  #group(drawn: Element, group: Group): void {
    const made = drawn.querySelector(".group-row");
    if (made !== null) fillGroup(made, group, this.#painted.groupTitle(group.group));
    setAttribute(drawn, "aria-expanded", String(group.open));
    setAttribute(drawn, "data-mark", undefined);
    setAttribute(drawn, "aria-selected", undefined);
    drawn.classList.remove("ag-row-selected");
  }

  #row(drawn: Element, row: Row, changed: Map<Element, number>): void {
    const { key } = row;
    const picked = this.#painted.picked(key);
    setAttribute(drawn, "data-mark", this.#marks.row(key));
    setAttribute(drawn, "aria-selected", String(picked));
    setAttribute(drawn, "aria-expanded", undefined);
    drawn.classList.toggle("ag-row-selected", picked);
    const cells = this.#marks.cells(key);
    if (cells !== undefined) {
      for (const cell of drawn.querySelectorAll(".ag-cell")) {
        const at = cells.get(titleOf(cell.getAttribute("col-id") ?? ""));
        if (at !== undefined) changed.set(cell, at);
      }
    }
    const button = drawn.querySelector(".act button");
    if (button === null) return;
    setAttribute(button, "aria-expanded", String(this.#painted.opened() === key));
    const label = actLabel(row);
    if (button.getAttribute("aria-label") === label) return;
    button.setAttribute("aria-label", label);
    button.setAttribute("title", `${label} (Enter)`);
  }
}
