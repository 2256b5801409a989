/** When a view draws: at once after a pause, then no faster than anybody can see, and less often where it costs much. */

import { afterKeys } from "../common/typing";

/** Milliseconds between two drawings: ten a second. */
export const LEAST_MS = 95;
/** And when it is not on the screen, though the page is. */
export const UNSEEN_MS = 1000;
const MOST_MS = 1000;
/** For a second after it was not looked at, its user waits for what it missed: all at once, or what is there so often. */
const HURRY_MS = 300;
const HURRY_FOR_MS = 1000;
/** The share of the time that drawing may take. */
const SHARE = 0.25;

export class Beat {
  /** Whether it is on the screen. */
  seen = true;
  #draw: () => void;
  #due = false;
  #last = -Infinity;
  #cost = 0;
  #returned = -Infinity;
  #patient = false;
  #cancel: (() => void) | undefined;

  constructor(draw: () => void, signal: AbortSignal) {
    this.#draw = draw;
    signal.addEventListener("abort", () => this.#stop());
  }

  /** There is something to draw; `more` says of changes from the kernel whether others are on their way already. */
  ask(more?: boolean): void {
    if (document.visibilityState === "hidden") return;
    const now = performance.now();
    const hurries = more !== undefined && this.seen && now - this.#returned < HURRY_FOR_MS;
    if (hurries && !more) {
      this.#stop(); // what waits for this is drawn with it
      this.#returned = -Infinity;
    }
    if (this.#due) return;
    this.#due = true;
    const usual = Math.min(MOST_MS, Math.max(LEAST_MS, this.#cost / SHARE));
    let next = this.#last + (this.seen ? usual : UNSEEN_MS);
    if (hurries && !more) next = now;
    else if (hurries) next = this.#patient ? this.#returned + HURRY_FOR_MS : Math.max(this.#last, this.#returned) + HURRY_MS;
    const timer = setTimeout(() => this.#go(), Math.max(0, next - now));
    this.#cancel = () => clearTimeout(timer);
  }

  /** It is looked at again. */
  hurry(): void {
    this.#returned = performance.now();
    this.#patient = false;
  }

  /** What its user looks at is right already: the others may come all at once. */
  wait(): void {
    this.#returned = performance.now();
    this.#patient = true;
    if (!this.#due) return;
    this.#stop();
    this.ask(true);
  }

  /** Draw now: somebody waits for it. */
  now(): void {
    this.#stop();
    this.#run();
  }

  #go(): void {
    // what keys bring goes first
    const undo = afterKeys(() => {
      const frame = requestAnimationFrame(() => this.#run());
      this.#cancel = () => cancelAnimationFrame(frame);
    });
    const before = this.#cancel;
    this.#cancel = () => {
      undo();
      before?.();
    };
  }

  #run(): void {
    this.#due = false;
    this.#cancel = undefined;
    const began = (this.#last = performance.now());
    this.#draw();
    this.#cost += (performance.now() - began - this.#cost) / 4;
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#due = false;
  }
}
