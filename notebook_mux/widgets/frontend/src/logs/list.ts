/**
 * The lines that are seen, of many: rows of one height, or measured ones where lines are wrapped or opened. It follows
 * the end until somebody scrolls up, and what is read then stays where it is, whatever comes above or below.
 */

import { element } from "../common/dom";
import { afterKeys } from "../common/typing";
import { Heights } from "./heights";
import { type Drawing, Line, SHOWN } from "./line";
import type { Rows } from "./rows";
import type { Change, Store } from "./store";

/** Rows drawn beyond what is seen, for the time until a scroll is answered. */
const BEYOND = 12;
/** Pixels of the line above all, which says what is before them. */
export const TOP = 26;
const PASSES = 4;
const LEADING = 1.4;
/** So near to the end is at the end. */
const NEAR = 3;
/** So near to the beginning older lines are wanted. */
const NEAR_TOP = 400;
/** Pixels behind the widest line. */
const PAD = 10;

export interface Events {
  /** It follows, or does not any more. */
  followed(on: boolean): void;
  /** Somebody is near the beginning. */
  top(): void;
  drawn(first: number, last: number): void;
}

export class List {
  // nobody wants a flood read aloud
  readonly element = element("div", {
    class: "list", role: "log", "aria-live": "off", tabindex: "0", "data-lm-suppress-shortcuts": "true",
  });
  readonly top = element("div", { class: "top" });
  drawing: Drawing;
  wrap = false;
  follow = true;
  /** While a button of the mouse is down nothing moves. */
  held = false;
  #store: Store;
  #rows: Rows;
  #events: Events;
  #space = element("div", { class: "space" });
  #layer = element("div", { class: "layer" });
  #probe = element("div", { class: "row probe", "aria-hidden": "true" }, element("span", { class: "text" }, "0".repeat(100)));
  #lines = new Map<number, Line>();
  #free: Line[] = [];
  #heights = new Heights();
  #measured = new Uint16Array(4096);
  #opened = 0;
  #row = 18;
  #char = 7;
  #columns = 120;
  #gutter = 0;
  /** The height of what is seen, at the beginning of a picture: to ask the page later costs it a layout. */
  #room = 0;
  #wide = 0;
  #at = 0;
  #anchor: { slot: number; offset: number } | undefined;
  /** The first row of the last picture, where that is, and whether slots have moved since. */
  #first = { slot: -1, begin: 0, moved: false };
  #resized = true;
  /** Somebody wants the beginning, and has not moved since. */
  #beginning = false;
  #frame = 0;
  #later: (() => void) | undefined;

  constructor(store: Store, rows: Rows, drawing: Drawing, events: Events, signal: AbortSignal) {
    this.#store = store;
    this.#rows = rows;
    this.drawing = drawing;
    this.#events = events;
    this.#space.append(this.top, this.#layer, this.#probe);
    this.element.append(this.#space);
    this.element.addEventListener("scroll", () => this.#scrolled(), { signal, passive: true });
    const observer = new ResizeObserver(() => {
      this.#resized = true;
      this.plan();
    });
    observer.observe(this.element);
    observer.observe(this.#probe);
    signal.addEventListener("abort", () => {
      observer.disconnect();
      cancelAnimationFrame(this.#frame);
      this.#later?.();
    });
  }

  /** The first and the last place that is seen. */
  get seen(): [first: number, last: number] {
    return this.#seenAt(this.element.scrollTop);
  }

  /** The height that all of it would take, with the bar below it. */
  get wanted(): number {
    return this.#total + this.element.offsetHeight - this.element.clientHeight;
  }

  get rowsSeen(): number {
    return Math.max(1, Math.floor(this.element.clientHeight / this.#row) - 1);
  }

  /** There are more lines: draw soon. */
  grow(): void {
    if (this.#frame !== 0 || this.#later !== undefined) return;
    this.#later = afterKeys(() => this.plan());
  }

  /** Draw in the next frame. */
  plan(): void {
    if (this.#frame !== 0) return;
    this.#later?.();
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#later = undefined;
      this.#draw();
    });
  }

  /** Slots have moved: what is known by slot moves with them. */
  take(change: Change): void {
    if (change.reset) {
      this.#measured.fill(0);
      this.#opened = 0;
      this.#anchor = undefined;
      this.#forget();
      this.go(true);
      return;
    }
    const shift = change.prepended - change.trimmed;
    if (this.#measured.length < this.#store.order.length) {
      const grown = new Uint16Array(this.#store.order.length);
      grown.set(this.#measured);
      this.#measured = grown;
    }
    if (shift === 0) return;
    if (shift < 0) {
      this.#measured.copyWithin(0, -shift);
      this.#measured.fill(0, this.#measured.length + shift);
    } else {
      this.#measured.copyWithin(shift, 0, this.#store.count - shift);
      this.#measured.fill(0, 0, shift);
    }
    if (this.#anchor !== undefined) this.#anchor.slot += shift;
    this.#first.slot += shift;
    this.#first.moved = true;
    if (this.drawing.current !== undefined) {
      const moved = this.drawing.current + shift;
      this.drawing.current = moved < 0 ? undefined : moved;
    }
    const moved = [...this.#lines].map(([slot, line]) => [slot + shift, line] as const);
    this.#lines.clear();
    for (const [slot, line] of moved) {
      if (slot >= 0) this.#lines.set(slot, line);
      else this.#release(line);
    }
  }

  /** All rows are drawn anew, and measured anew. */
  renew(): void {
    this.drawing.version += 1;
    this.#measured.fill(0);
    this.#heights.cut(0);
    this.#resized = true;
    this.plan();
  }

  /** A row was opened or closed. */
  opened(slot: number, open: boolean): void {
    this.#opened += open ? 1 : -1;
    this.#measured[slot] = 0;
    this.#rows.since = Math.min(this.#rows.since, this.#rows.placeOf(slot));
    this.plan();
  }

  /** Follow the end, or stay. */
  go(follow: boolean): void {
    this.#beginning = false;
    if (follow !== this.follow) {
      this.follow = follow;
      if (!follow) this.#hold(true);
      this.#events.followed(follow);
    }
    this.plan();
  }

  /** Bring a place into sight: in the middle, or as little as it takes. */
  show(place: number, where: "middle" | "near"): void {
    this.#beginning = false;
    this.#sync();
    this.#space.style.height = `${this.#total}px`;
    const room = this.element.clientHeight;
    const begin = TOP + this.#begin(place);
    const height = this.#heightOf(place);
    const { scrollTop } = this.element;
    let to = scrollTop;
    if (where === "middle") to = begin - (room - height) / 2;
    else if (begin < scrollTop) to = begin;
    else if (begin + height > scrollTop + room) to = begin + height - room;
    if (place < this.#rows.count - 1) this.go(false);
    if (to !== scrollTop) this.#set(to);
    this.#hold();
    this.plan();
  }

  /** Scroll by so many pixels, as keys do. */
  scroll(pixels: number): void {
    if (pixels < 0) this.go(false);
    this.element.scrollTop += pixels;
  }

  /** To the first line there is, wherever it is: older ones are loaded for it. */
  begin(): void {
    this.go(false);
    this.#beginning = true;
    this.plan();
  }

  lineAt(target: EventTarget | null): Line | undefined {
    const row = target instanceof Element ? target.closest(".row") : null;
    for (const line of this.#lines.values()) if (line.element === row) return line;
    return undefined;
  }

  /** Ages go on. */
  tick(): void {
    for (const line of this.#lines.values()) line.tick(this.drawing);
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  get #variable(): boolean {
    return this.wrap || this.#opened > 0;
  }

  get #total(): number {
    return TOP + (this.#variable ? this.#heights.total : this.#rows.count * this.#row);
  }

  #seenAt(scrolled: number): [first: number, last: number] {
    const top = scrolled - TOP;
    return [this.#placeOf(Math.max(0, top)), this.#placeOf(Math.max(0, top + this.#room - 1))];
  }

  #begin(place: number): number {
    return this.#variable ? this.#heights.begin(place) : place * this.#row;
  }

  #heightOf(place: number): number {
    return this.#variable ? this.#heights.height(place) : this.#row;
  }

  #placeOf(pixels: number): number {
    const { count } = this.#rows;
    const place = this.#variable ? this.#heights.at(pixels) : Math.floor(pixels / this.#row);
    return Math.max(0, Math.min(count - 1, place));
  }

  #scrolled(): void {
    const moved = this.element.scrollTop - this.#at;
    if (Math.abs(moved) < 0.5 && !this.#resized) return;
    if (!this.#resized) {
      this.#beginning = false;
      if (moved < -NEAR && this.follow) {
        this.follow = false;
        this.#events.followed(false);
      } else if (moved > 0 && !this.follow && this.element.scrollTop + this.element.clientHeight >= this.#total - NEAR) {
        this.follow = true;
        this.#events.followed(true);
      }
      this.#at = this.element.scrollTop;
      this.#hold(true);
    }
    this.plan();
  }

  #set(to: number): void {
    this.element.scrollTop = to;
    this.#at = this.element.scrollTop;
  }

  /** Remember what is seen first, so that it stays; `drawn`: by the last picture, and not by what has come since. */
  #hold(drawn = false): void {
    if (this.#rows.count === 0 || this.follow) {
      this.#anchor = undefined;
      return;
    }
    const top = this.element.scrollTop - TOP;
    const first = this.#first;
    if (drawn && first.moved && first.slot >= 0) {
      this.#anchor = { slot: first.slot, offset: top - first.begin };
      return;
    }
    const place = this.#placeOf(Math.max(0, top));
    this.#anchor = { slot: this.#rows.slot(place), offset: top - this.#begin(place) };
  }

  #estimate(slot: number): number {
    const known = this.#measured[slot] as number;
    if (known > 0) return known;
    if (!this.wrap || this.#store.isMark(slot)) return this.#row;
    const letters = Math.min(this.#store.size(slot), SHOWN + 20);
    return Math.max(1, Math.ceil(letters / this.#columns)) * this.#row;
  }

  #draw(): void {
    if (this.held || !this.element.isConnected) return;
    if (this.#resized) this.#measurePage();
    const list = this.element;
    this.#room = list.clientHeight;
    const moved = list.scrollTop - this.#at;
    if (moved < -NEAR && this.follow && !this.#resized) {
      this.follow = false; // scrolled up, and its event has not come yet
      this.#at = list.scrollTop;
      this.#hold(true);
      this.#events.followed(false);
    }
    this.#resized = false;
    const rows = this.#rows;
    this.#sync();
    for (let pass = 0; pass < PASSES; pass++) {
      this.#space.style.height = `${this.#total}px`;
      if (this.follow) this.#set(this.#total - this.#room);
      else if (this.#beginning) {
        this.#set(0);
        this.#hold();
      } else if (this.#anchor !== undefined) {
        const to = TOP + this.#begin(rows.placeOf(this.#anchor.slot)) + this.#anchor.offset;
        if (Math.abs(to - list.scrollTop) > 0.5) this.#set(to);
      }
      if (!this.follow) this.#at = list.scrollTop;
      this.#fill();
      if (!this.#variable || !this.#measure()) break;
    }
    if (!this.follow && this.#at < NEAR_TOP) this.#events.top();
    if (!this.wrap) this.#widen();
    this.#events.drawn(...this.#seenAt(this.#at));
  }

  /** The heights of the rows as they are now, thought where they are not known. */
  #sync(): void {
    const rows = this.#rows;
    if (!this.#variable) {
      this.#heights.cut(0);
      return;
    }
    this.#heights.cut(Math.min(rows.since, rows.count));
    for (let place = this.#heights.count; place < rows.count; place++) this.#heights.push(this.#estimate(rows.slot(place)));
    rows.since = Infinity;
  }

  #fill(): void {
    const rows = this.#rows;
    const [first, last] = this.#seenAt(this.#at);
    const end = rows.count === 0 ? -1 : last;
    // in a flood all rows are others: they are drawn anew where they stand, and nothing beyond them
    const flooded = end >= 0 && this.#lines.size > 0 && !this.#draws(first, end);
    const beyond = flooded ? 0 : BEYOND;
    const from = Math.max(0, first - beyond);
    const to = Math.min(rows.count - 1, end + beyond);
    const wanted = new Set<number>();
    for (let place = from; place <= to; place++) wanted.add(rows.slot(place));
    const inPlace = flooded ? [...this.#lines.values()] : [];
    if (flooded) this.#lines.clear();
    for (const [slot, line] of this.#lines) {
      if (wanted.has(slot)) continue;
      this.#lines.delete(slot);
      this.#release(line);
    }
    let before: ChildNode | null = this.#layer.firstChild;
    for (let place = from; place <= to; place++) {
      const slot = rows.slot(place);
      let line = this.#lines.get(slot);
      if (line === undefined) {
        line = inPlace.shift() ?? this.#free.pop() ?? new Line();
        this.#lines.set(slot, line);
      }
      line.draw(slot, rows.isBreak(place), this.drawing);
      if (line.element === before) before = before.nextSibling;
      else this.#layer.insertBefore(line.element, before);
    }
    for (const line of inPlace) this.#release(line);
    const begin = this.#begin(from);
    this.#layer.style.transform = `translateY(${TOP + begin}px)`;
    this.#first = { slot: to < 0 ? -1 : rows.slot(from), begin, moved: false };
  }

  /** Whether one of these rows is drawn already. */
  #draws(first: number, last: number): boolean {
    for (let place = first; place <= last; place++) if (this.#lines.has(this.#rows.slot(place))) return true;
    return false;
  }

  /** Take the heights of the rows that are drawn; true if one was another than thought. */
  #measure(): boolean {
    let changed = false;
    for (const [slot, line] of this.#lines) {
      const height = Math.min(0xffff, Math.round(line.element.getBoundingClientRect().height));
      if (height === 0) continue;
      this.#measured[slot] = height;
      if (this.#heights.set(this.#rows.placeOf(slot), height) !== 0) changed = true;
    }
    return changed;
  }

  #measurePage(): void {
    // whole pixels: what is not would add up to the height of rows that are not there
    const line = `${Math.round(parseFloat(getComputedStyle(this.element).fontSize) * LEADING)}px`;
    if (this.element.style.lineHeight !== line) this.element.style.lineHeight = line;
    const probe = this.#probe.getBoundingClientRect();
    const text = (this.#probe.firstChild as HTMLElement).getBoundingClientRect();
    if (probe.height === 0) return;
    this.#row = probe.height;
    this.#char = text.width / 100 || this.#char;
    const { style } = this.#layer;
    const width = this.element.clientWidth;
    style.setProperty("--view", `${width}px`);
    const columns = Math.max(20, Math.floor((width - this.#gutter * this.#char - 30) / this.#char));
    if (columns !== this.#columns) {
      this.#columns = columns;
      if (this.#variable) {
        this.#measured.fill(0);
        this.#heights.cut(0);
      }
    }
  }

  /** The width of what stands before a line's text, in letters. */
  gutter(at: number, who: number): void {
    this.#layer.style.setProperty("--at", `${at}ch`);
    this.#layer.style.setProperty("--who", `${who}ch`);
    this.#gutter = at + who + 4;
    this.#resized = true;
  }

  /** The widest line so far: narrower ones that follow must not move what is seen. Rows with no width of their own are
   * laid out once, and not first for how wide they would like to be. */
  #widen(): void {
    const width = this.#layer.scrollWidth + (this.#layer.scrollWidth > this.#layer.clientWidth ? PAD : 0);
    if (width <= this.#wide) return;
    this.#wide = width;
    this.#layer.style.minWidth = `${width}px`;
  }

  #release(line: Line): void {
    line.element.remove();
    line.slot = -1;
    if (this.#free.length < 100) this.#free.push(line);
  }

  #forget(): void {
    for (const line of this.#lines.values()) this.#release(line);
    this.#lines.clear();
    this.#heights.cut(0);
  }
}
