/** A view's layout of columns: what its user does is said to the kernel, what others do is taken in, and never both at once. */

import type { Layout } from "./head";
import { laidOut, NO_LAYOUT, reordered, sameLayout } from "./layout";

/** Milliseconds of rest after which a change is said: a drag goes over many places. */
const SAY_MS = 400;

export interface LayoutHooks {
  /** Say it to the kernel; comes back with the number of that change, undefined where it was refused. */
  say(layout: Layout): Promise<number | undefined>;
  /** It has changed. */
  changed(): void;
  /** The titles to lay out, by themselves. */
  titles(): readonly string[];
}

export class LayoutKeeper {
  layout: Layout = NO_LAYOUT;
  #hooks: LayoutHooks;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What has been said and is not answered yet. */
  #saying = 0;
  /** The number of the last change that was this view's: what the kernel said before it is older. */
  #mine = 0;
  /** What the kernel said last, and the number of the last change before that. */
  #kernel: [layout: Layout, at: number] = [NO_LAYOUT, 0];

  constructor(hooks: LayoutHooks, signal: AbortSignal) {
    this.#hooks = hooks;
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  /** The user made this of it. */
  set(layout: Layout): void {
    const same = sameLayout(layout, this.layout);
    this.layout = layout;
    this.#hooks.changed();
    if (!same) this.say();
  }

  /** Tell the kernel, in a moment. */
  say(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#say(), SAY_MS);
  }

  /** The columns are of another kind now: what has not been said of those before is not said of these. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The user moved a column: the titles shown, as they stand now. */
  moved(shown: readonly string[]): void {
    const titles = this.#hooks.titles();
    const same = laidOut(titles, this.layout).join("\n") === shown.join("\n");
    this.set(same ? this.layout : reordered(titles, this.layout, shown));
  }

  resized(title: string, width: number): void {
    this.set({ ...this.layout, widths: { ...this.layout.widths, [title]: Math.round(width) } });
  }

  /** What the kernel keeps after so many changes; what is on its way to it is newer. */
  told(layout: Layout | null, at: number): void {
    this.#kernel = [layout ?? NO_LAYOUT, at];
    this.#follow();
  }

  #follow(): void {
    const [layout, at] = this.#kernel;
    if (this.#timer === undefined && this.#saying === 0 && at >= this.#mine) this.layout = layout;
  }

  async #say(): Promise<void> {
    this.#timer = undefined;
    this.#saying += 1;
    const at = await this.#hooks.say(this.layout);
    this.#saying -= 1;
    if (at === undefined) return; // the kernel has not changed, and what its user made of it stays
    this.#mine = Math.max(this.#mine, at);
    // what others have made of it was not taken in while this was on its way
    const before = this.layout;
    this.#follow();
    if (!sameLayout(before, this.layout)) this.#hooks.changed();
  }
}
