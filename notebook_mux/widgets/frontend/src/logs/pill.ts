/** What is said over the lines while they stand still: that following has stopped, or what a pause holds back. */

import { count, element, setText } from "../common/dom";

export class Pill {
  readonly element = element("div", { class: "pill", hidden: "" });
  /** For those who cannot see it: said once, and not with each line. */
  readonly announced = element("span", { role: "status", class: "hidden" });
  #words = element("span");
  #go = element("button", { type: "button" });

  constructor(go: () => void, signal: AbortSignal) {
    this.element.append(this.#words, this.#go);
    this.#go.addEventListener("click", go, { signal });
  }

  /** `lines`: how many are held back, or are new. */
  tell(state: "follows" | "stopped" | "paused", lines: number): void {
    this.element.hidden = state === "follows";
    setText(this.announced, state === "follows" ? "" : state === "paused" ? "Paused." : "Following has stopped.");
    if (state === "follows") return;
    const many = lines === 1 ? "1 line" : `${count(lines)} lines`;
    const fresh = lines === 1 ? "1 new line" : `${count(lines)} new lines`;
    if (state === "paused") setText(this.#words, `Paused · ${lines === 0 ? "nothing" : many} held back`);
    else setText(this.#words, `Following has stopped · ${lines === 0 ? "nothing new" : fresh}`);
    setText(this.#go, state === "paused" ? "Go on" : "Go on ↓");
    this.#go.title = state === "paused" ? "Show what was held back" : "Follow the end again";
  }
}
