/** The list below the time line: only the rows in sight are in the page, and keys move through it. */

import { humanDuration } from "../common/age";
import { count, element, setText } from "../common/dom";
import { ROW_PX } from "./css";
import { type Happened, thingWords } from "./data";
import { Hold } from "./hold";
import { type Item, oneLine, often } from "./list";

const BEYOND = 4;
/** Ticks of a second for which a row must be in sight to count as looked at. */
const LOOKED_AT = 3;

export interface RowsActions {
  pick(key: string): void;
  fold(lane: string): void;
  /** These have been looked at. */
  seen(keys: readonly string[]): void;
}

export interface Drawn {
  items: readonly Item[];
  grouped: boolean;
  /** Whether objects are named with their cluster or namespace. */
  where: (one: Happened) => string;
  picked: string;
  fresh: ReadonlySet<string>;
}

function keyOf(item: Item | undefined): string {
  return item === undefined ? "" : "one" in item ? item.one.key : `group ${item.group.key}`;
}

export class RowList {
  readonly element = element("div", { class: "list", tabindex: "0", role: "listbox", "aria-label": "events" });
  #sizer = element("div", { class: "sizer" });
  #actions: RowsActions;
  #drawn: Drawn = { items: [], grouped: false, where: () => "", picked: "", fresh: new Set() };
  #ages: [Node, Happened][] = [];
  #looked = new Map<string, number>();
  #hold: Hold;
  #now: () => number;

  constructor(actions: RowsActions, now: () => number, signal: AbortSignal) {
    this.#actions = actions;
    this.#now = now;
    this.element.append(this.#sizer);
    this.element.addEventListener("scroll", () => this.#hold.later(), { signal, passive: true });
    this.element.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.#sizer.addEventListener("click", (event) => this.#click(event), { signal });
    this.#hold = new Hold(this.#sizer, () => this.#draw(), signal);
    const size = new ResizeObserver(() => this.#hold.later());
    size.observe(this.element);
    signal.addEventListener("abort", () => size.disconnect());
  }

  /** Show these lines; what was in sight stays where it was, unless the list stands at its top. */
  draw(drawn: Drawn): void {
    const top = this.element.scrollTop;
    const at = Math.floor(top / ROW_PX);
    const before = top > 0 ? keyOf(this.#drawn.items[at]) : "";
    this.#drawn = drawn;
    this.#sizer.style.height = `${drawn.items.length * ROW_PX}px`;
    this.element.classList.toggle("grouped", drawn.grouped);
    if (before !== "" && keyOf(drawn.items[at]) !== before) {
      const index = drawn.items.findIndex((item) => keyOf(item) === before);
      if (index >= 0) this.element.scrollTop = top + (index - at) * ROW_PX;
    }
    this.#hold.later();
  }

  /** Stand at the top again: the order is another one. */
  top(): void {
    this.element.scrollTop = 0;
  }

  /** Bring a row into the middle of the sight. */
  reveal(key: string): void {
    const index = this.#drawn.items.findIndex((item) => keyOf(item) === key);
    if (index < 0) return;
    const { scrollTop, clientHeight } = this.element;
    const top = index * ROW_PX;
    if (top < scrollTop || top + ROW_PX > scrollTop + clientHeight) {
      this.element.scrollTop = Math.max(0, top - clientHeight / 2);
    }
    this.#hold.later();
  }

  /** Another second: ages go on, and what has been in sight for some counts as looked at. */
  tick(inSight: boolean): void {
    const now = this.#now();
    for (const [node, one] of this.#ages) setText(node, humanDuration(now - one.last));
    const { fresh } = this.#drawn;
    if (!inSight || fresh.size === 0) {
      this.#looked.clear();
      return;
    }
    const seen: string[] = [];
    const looked = new Map<string, number>();
    for (const [, one] of this.#visible()) {
      if (!fresh.has(one.key)) continue;
      const ticks = (this.#looked.get(one.key) ?? 0) + 1;
      if (ticks >= LOOKED_AT) seen.push(one.key);
      else looked.set(one.key, ticks);
    }
    this.#looked = looked;
    if (seen.length > 0) this.#actions.seen(seen);
  }

  #visible(): [Node, Happened][] {
    const first = Math.ceil(this.element.scrollTop / ROW_PX);
    const end = Math.floor((this.element.scrollTop + this.element.clientHeight) / ROW_PX);
    const inSight = new Set(this.#drawn.items.slice(first, end).map(keyOf));
    return this.#ages.filter(([, one]) => inSight.has(one.key));
  }

  #draw(): void {
    const { items } = this.#drawn;
    const { scrollTop, clientHeight } = this.element;
    if (clientHeight === 0 && items.length > 0) return; // the host has taken it out of the page for a moment
    const first = Math.max(0, Math.floor(scrollTop / ROW_PX) - BEYOND);
    const end = Math.min(items.length, Math.ceil((scrollTop + clientHeight) / ROW_PX) + BEYOND);
    const rows: HTMLElement[] = [];
    this.#ages = [];
    for (let index = first; index < end; index++) {
      const item = items[index];
      if (item === undefined) continue;
      const row = "one" in item ? this.#row(item.one) : this.#group(item);
      row.style.top = `${index * ROW_PX}px`;
      row.setAttribute("aria-setsize", String(items.length));
      row.setAttribute("aria-posinset", String(index + 1));
      rows.push(row);
    }
    this.#sizer.replaceChildren(...rows);
    const picked = this.#drawn.picked !== "" && rows.find((row) => row.getAttribute("aria-selected") === "true");
    if (picked) this.element.setAttribute("aria-activedescendant", (picked.id = "picked"));
    else this.element.removeAttribute("aria-activedescendant");
  }

  #row(one: Happened): HTMLElement {
    const { picked, fresh, where } = this.#drawn;
    const kind = `row${one.warning ? " warning" : ""}${fresh.has(one.key) ? " fresh" : ""}${picked === one.key ? " picked" : ""}`;
    const row = element("div", { class: kind, role: "option", "aria-selected": String(picked === one.key), "data-key": one.key });
    const age = element("span", { class: "age" }, humanDuration(this.#now() - one.last));
    const about = oneLine(`${where(one)}${thingWords(one)}${one.container === "" ? "" : ` ${one.container}`}`);
    const message = oneLine(one.message);
    const mark = element("span", { class: "dot", "aria-hidden": "true" });
    row.append(
      mark,
      age,
      element("span", { class: "reason", title: oneLine(one.reason) }, oneLine(one.reason)),
      element("span", { class: "about", title: about }, about),
      element("span", { class: "often" }, often(one)),
      element("span", { class: "message", title: message.slice(0, 600) }, message),
    );
    const said = `${one.warning ? "warning, " : ""}${fresh.has(one.key) ? "new, " : ""}`;
    if (said !== "") row.prepend(element("span", { class: "hidden" }, said));
    this.#ages.push([age, one]);
    return row;
  }

  #group({ group, size, warnings, folded }: Extract<Item, { group: unknown }>): HTMLElement {
    const name = oneLine(thingWords(group.thing));
    const row = element("div", { class: "group", role: "option", "aria-expanded": String(!folded), "data-lane": group.key });
    row.append(element("span", { class: "dim", "aria-hidden": "true" }, folded ? "▸" : "▾"), element("span", { class: "name", title: name }, name));
    if (warnings > 0) row.append(element("span", { class: "bad" }, `▲ ${count(warnings)} ${warnings === 1 ? "warning" : "warnings"}`));
    row.append(element("span", { class: "dim" }, `${count(size)} ${size === 1 ? "event" : "events"}`));
    return row;
  }

  #click(event: MouseEvent): void {
    const row = (event.target as Element).closest("[data-key], [data-lane]");
    const key = row?.getAttribute("data-key");
    const lane = row?.getAttribute("data-lane");
    if (key !== null && key !== undefined) this.#actions.pick(key);
    else if (lane !== null && lane !== undefined) this.#actions.fold(lane);
  }

  #key(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const ones = this.#drawn.items.flatMap((item) => ("one" in item ? [item.one] : []));
    if (ones.length === 0) return;
    const at = ones.findIndex((one) => one.key === this.#drawn.picked);
    const next = ones[Math.max(0, Math.min(ones.length - 1, at < 0 ? 0 : at + step))];
    if (next !== undefined) this.#actions.pick(next.key);
  }
}
