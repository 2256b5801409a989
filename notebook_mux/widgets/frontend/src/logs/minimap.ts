/** Levels over time: a bar for each moment, what is seen marked in it; a click goes there. */

import { count, element } from "../common/dom";
import { afterKeys } from "../common/typing";
import type { Times } from "./data";
import type { Rows } from "./rows";
import type { Store } from "./store";
import { datedBy, sameDay, short } from "./times";

const BAR_PX = 3;
const HEIGHT_PX = 30;
/** A shorter time is not drawn. */
const LEAST_MS = 1000;
/** Milliseconds between two counts of all lines. */
const EVERY_MS = 400;
/** The share of lines that may be older than what is drawn, and by how much longer than the others' time. */
const FEW = 0.05;
const FAR = 3;
/** From here on a line is a warning, and an error. */
const WARNING = 4;
const ERROR = 5;

/** Lines of each moment: all, those that warn, and those that are errors or worse. */
export interface Counted {
  begin: number;
  end: number;
  /** Lines from before `begin` are in its first moment. */
  early: boolean;
  all: Uint32Array;
  warnings: Uint32Array;
  errors: Uint32Array;
}

/** Count the rows into so many moments between the first and the last of them. */
export function counted(rows: Rows, store: Store, moments: number): Counted | undefined {
  if (rows.count === 0 || moments < 1) return undefined;
  let [begin, end] = [Infinity, -Infinity];
  for (let place = 0; place < rows.count; place++) {
    const at = store.millis(rows.slot(place));
    if (at < begin) begin = at;
    if (at > end) end = at;
  }
  // a few lines of long ago must not leave a corner to all others: they are in the first moment
  const most = store.millis(rows.slot(Math.floor(rows.count * FEW)));
  const early = begin < end - (end - most) * FAR;
  if (early) begin = end - (end - most) * FAR;
  const [all, warnings, errors] = [0, 1, 2].map(() => new Uint32Array(moments)) as [Uint32Array, Uint32Array, Uint32Array];
  const scale = end > begin ? (moments - 1) / (end - begin) : 0;
  for (let place = 0; place < rows.count; place++) {
    const slot = rows.slot(place);
    if (store.isMark(slot)) continue;
    const moment = Math.max(0, Math.round((store.millis(slot) - begin) * scale));
    const level = store.level(slot);
    (all[moment] as number) += 1;
    if (level >= ERROR) (errors[moment] as number) += 1;
    else if (level >= WARNING) (warnings[moment] as number) += 1;
  }
  return { begin, end, early, all, warnings, errors };
}

export class Minimap {
  readonly element = element("div", { class: "minimap", hidden: "" });
  times: Times = "local";
  #canvas = element("canvas", { role: "img" });
  #from = element("span", { class: "edge" });
  #to = element("span", { class: "edge" });
  #window = element("div", { class: "window", "aria-hidden": "true" });
  #rows: Rows;
  #store: Store;
  #counted: Counted | undefined;
  #due = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #later: (() => void) | undefined;

  constructor(store: Store, rows: Rows, jump: (millis: number) => void, signal: AbortSignal) {
    this.#store = store;
    this.#rows = rows;
    this.element.append(this.#from, element("div", { class: "field" }, this.#canvas, this.#window), this.#to);
    const at = (event: MouseEvent): number | undefined => {
      const box = this.#canvas.getBoundingClientRect();
      const { begin, end } = this.#counted ?? { begin: 0, end: 0 };
      if (this.#counted === undefined || box.width === 0) return undefined;
      return begin + ((end - begin) * Math.max(0, Math.min(box.width, event.clientX - box.left))) / box.width;
    };
    this.#canvas.addEventListener("click", (event) => {
      const millis = at(event);
      if (millis !== undefined) jump(millis);
    }, { signal });
    this.#canvas.addEventListener("mousemove", (event) => {
      const millis = at(event);
      if (millis !== undefined) this.#canvas.title = this.#about(millis);
    }, { signal });
    const observer = new ResizeObserver(() => this.plan(0));
    observer.observe(this.#canvas);
    signal.addEventListener("abort", () => {
      observer.disconnect();
      clearTimeout(this.#timer);
      this.#later?.();
    });
  }

  /** Count and draw soon, and not too often. */
  plan(wait = EVERY_MS): void {
    const due = performance.now() + wait;
    if (this.#timer !== undefined) {
      if (due >= this.#due) return;
      clearTimeout(this.#timer);
    }
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#later?.();
      this.#later = afterKeys(() => this.#draw());
    }, wait);
  }

  /** Where the rows that are seen are in it. */
  seen(first: number, last: number): void {
    const found = this.#counted;
    this.#window.hidden = found === undefined || this.#rows.count === 0;
    if (found === undefined || this.#rows.count === 0) return;
    const place = (row: number) => {
      const share = (this.#store.millis(this.#rows.slot(row)) - found.begin) / Math.max(1e-6, found.end - found.begin);
      return 100 * Math.max(0, Math.min(1, share));
    };
    const [left, right] = [place(first), place(last)];
    this.#window.style.left = `${Math.min(left, 99.6)}%`;
    this.#window.style.width = `max(4px, ${Math.max(0, right - left)}%)`;
  }

  #draw(): void {
    // one moment is no time to look over; once it is there it stays, so that nothing below it moves
    if (this.element.hidden && this.#rows.count > 1) {
      const [first, last] = [this.#rows.slot(0), this.#rows.slot(this.#rows.count - 1)];
      this.element.hidden = this.#store.millis(last) - this.#store.millis(first) < LEAST_MS;
    }
    const { width } = this.#canvas.getBoundingClientRect();
    if (width === 0) return;
    const moments = Math.max(1, Math.floor(width / BAR_PX));
    const found = (this.#counted = counted(this.#rows, this.#store, moments));
    const ratio = globalThis.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(HEIGHT_PX * ratio);
    const paint = this.#canvas.getContext("2d");
    if (paint === null) return;
    paint.scale(ratio, ratio);
    paint.clearRect(0, 0, width, HEIGHT_PX);
    if (found === undefined) {
      this.#from.textContent = this.#to.textContent = "";
      this.#canvas.setAttribute("aria-label", "no lines");
      return;
    }
    const style = getComputedStyle(this.element);
    const [plain, warning, error] = ["--bar", "--l4", "--l5"].map((name) => style.getPropertyValue(name).trim()) as [string, string, string];
    const most = found.all.reduce((high, value) => Math.max(high, value), 1);
    const step = width / moments;
    // roots, or a flood flattens all that is not one
    const height = (value: number) => (value === 0 ? 0 : Math.max(2, Math.sqrt(value / most) * (HEIGHT_PX - 3)));
    for (let moment = 0; moment < moments; moment++) {
      const [all, warnings, errors] = [found.all, found.warnings, found.errors].map((of) => of[moment] as number) as [number, number, number];
      const left = moment * step;
      const bar = (value: number, fill: string) => {
        if (value === 0) return;
        paint.fillStyle = fill;
        paint.fillRect(left, HEIGHT_PX - height(value), Math.max(1, step - 1), height(value));
      };
      bar(all, plain);
      bar(warnings + errors, warnings > 0 ? warning : error);
      bar(errors, error);
    }
    const dated = sameDay(found.begin, found.end, this.times) ? 0 : datedBy(found.begin, found.end, Date.now(), this.times);
    const mode = this.times === "utc" ? "utc" : "local";
    const words = (millis: number) => short(BigInt(Math.round(millis)) * 1_000_000n, mode, dated, 0).slice(0, -4);
    this.#from.textContent = (found.early ? "… " : "") + words(found.begin);
    this.#to.textContent = words(found.end);
    const sum = (of: Uint32Array) => of.reduce((total, value) => total + value, 0);
    this.#canvas.setAttribute(
      "aria-label",
      `lines over time, ${words(found.begin)} to ${words(found.end)}: ${sum(found.all)}, with ${sum(found.warnings)} warnings and ${sum(found.errors)} errors`,
    );
  }

  #about(millis: number): string {
    const found = this.#counted;
    if (found === undefined) return "";
    const moment = Math.round(((millis - found.begin) * (found.all.length - 1)) / Math.max(1e-6, found.end - found.begin));
    const [all, warnings, errors] = [found.all, found.warnings, found.errors].map((of) => of[moment] ?? 0) as [number, number, number];
    const parts = [`${count(all)} ${all === 1 ? "line" : "lines"}`];
    if (warnings > 0) parts.push(`${count(warnings)} warnings`);
    if (errors > 0) parts.push(`${count(errors)} errors`);
    const at = short(BigInt(Math.round(millis)) * 1_000_000n, this.times === "utc" ? "utc" : "local", 0, 0);
    return `${at} · ${parts.join(", ")} · click to go there`;
  }
}
