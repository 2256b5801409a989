/** What holds the grid: as high as its rows need, and words where there are none. */

import { count, element, setText } from "../common/dom";
import { HEADER_PX, ROW_PX } from "./grid";
import type { Head } from "./head";

const LEAST_ROWS = 3;
/** Below the rows, with the lines above and below it: without that the rows would have to be scrolled, too. */
const SCROLLBAR_PX = 18;
/** How long nobody types before the frame follows fewer rows: what is below it would jump at each key. */
const REST_MS = 1000;

export class Frame {
  readonly element = element("div", { class: "grid" });
  readonly host = element("div", { class: "host" });
  #overlay = element("div", { class: "overlay", role: "status" });
  #rowsHigh = LEAST_ROWS;
  #shown = 0;
  #most = 0;
  #anew = false;
  #rest: ReturnType<typeof setTimeout> | undefined;
  /** Where the pointer is in the page, from its top, while it is in the view. */
  #pointer: number | undefined;

  constructor(corner: HTMLElement, root: HTMLElement, signal: AbortSignal) {
    this.element.append(corner, this.host, this.#overlay);
    root.addEventListener("pointermove", (event) => (this.#pointer = event.clientY), { signal, passive: true });
    root.addEventListener("pointerleave", () => (this.#pointer = undefined), { signal });
    signal.addEventListener("abort", () => clearTimeout(this.#rest));
  }

  /** What comes next are the rows of another question: by them it is as high as they need. */
  clear(): void {
    this.#anew = true;
  }

  /** There are so many rows, and so many shown, of which some may be groups' own. */
  show(head: Head, rows: number, shown: number): void {
    // it grows with its rows and does not shrink by itself: what is below in the notebook must not jump
    if (this.#anew && rows > 0) {
      this.#anew = false;
      this.#rowsHigh = LEAST_ROWS;
    }
    this.#shown = shown;
    this.#most = head.settings.height;
    this.#size(Math.max(this.#rowsHigh, shown));
    this.#overlay.hidden = shown > 0;
    setText(this.#overlay, shown > 0 ? "" : emptyText(head, rows));
  }

  /** Its user has chosen other rows: in a moment it is as high as they need, and not while that would move what is pointed at. */
  follow(): void {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      const end = this.element.getBoundingClientRect().top + this.#pixels(this.#needed);
      if (this.#pointer !== undefined && this.#pointer > end) this.follow();
      else this.fit();
    }, REST_MS);
  }

  /** Be as high as the rows need now. */
  fit(): void {
    clearTimeout(this.#rest);
    this.#size(this.#needed);
  }

  get #needed(): number {
    return Math.max(LEAST_ROWS, this.#shown);
  }

  #pixels(rows: number): number {
    return Math.min(this.#most, HEADER_PX + rows * ROW_PX + SCROLLBAR_PX);
  }

  #size(rows: number): void {
    this.#rowsHigh = rows;
    const height = `${this.#pixels(rows)}px`;
    if (this.element.style.height !== height) this.element.style.height = height;
  }
}

function emptyText(head: Head, rows: number): string {
  if (rows > 0) return `None of ${count(rows)} rows passes the filter.`;
  const unread = head.clusters.filter((cluster) => !cluster.synced);
  if (unread.length > 0) return `Not read yet: ${unread.map(({ name, state }) => `${name} (${state})`).join(", ")}`;
  return `There are no ${head.title} now.`;
}
