/** The lines between toolbar and screen: what is in the way, what was not sent, what can be taken over. */

import { element, setText } from "../common/dom";

export interface Line {
  text: string;
  tone: "" | "warn" | "bad";
  /** Buttons and what they do. */
  actions?: Record<string, () => void>;
}

export class Lines {
  readonly box = element("div", { role: "status", "aria-live": "polite" });
  #made = new Map<string, HTMLElement>();

  /** Show this line under its name, or none. */
  set(name: string, line: Line | undefined): void {
    const before = this.#made.get(name);
    if (line === undefined) {
      before?.remove();
      this.#made.delete(name);
      return;
    }
    const shape = [line.tone, ...Object.keys(line.actions ?? {})].join("|");
    if (before?.dataset["shape"] === shape) {
      setText(before.firstChild as Node, line.text);
      return;
    }
    const made = element("div", { class: `line trouble ${line.tone}`, "data-shape": shape }, element("span", {}, line.text));
    for (const [words, act] of Object.entries(line.actions ?? {})) {
      const button = element("button", { type: "button" }, words);
      button.addEventListener("click", act);
      made.append(button);
    }
    if (before === undefined) this.box.append(made);
    else before.replaceWith(made);
    this.#made.set(name, made);
  }
}
