/** The line of a view that stands still: what it has missed, and the way on. */

import { element, setText } from "../common/dom";
import { type Missed, missedText } from "./ledger";

export const PAUSE_CSS = `
.line.paused { background: color-mix(in srgb, var(--accent) 14%, var(--back)); align-items: center; }
.line.paused::before { content: "‖"; font-weight: 700; color: var(--accent-text); }
.line.paused > span { flex: 1; font-variant-numeric: tabular-nums; }
`;

export class PauseLine {
  readonly element = element("div", { class: "line paused", hidden: "" });
  #said = element("span");
  #on = element("button", { type: "button", title: "Show what the table has become meanwhile, and go on (p)" }, "Go on");
  /** Read aloud once, and not at each change. */
  #aloud = element("span", { class: "hidden", role: "status" });

  constructor(resume: () => void, signal: AbortSignal) {
    this.element.append(this.#said, this.#aloud, this.#on);
    this.#on.addEventListener("click", resume, { signal });
  }

  /** Show what was missed; undefined: not paused. */
  show(missed: Missed | undefined): void {
    this.element.hidden = missed === undefined;
    setText(this.#aloud, missed === undefined ? "" : "The table is paused.");
    if (missed !== undefined) setText(this.#said, missedText(missed));
  }
}
