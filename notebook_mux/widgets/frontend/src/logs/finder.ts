/** The search: words or a regular expression, next and previous, and only what is found with lines around it. */

import { count, element, setText } from "../common/dom";
import { pressed, toggle } from "./buttons";
import type { Asked } from "./expression";
import { Field } from "./field";

export interface Found {
  total: number;
  /** Of those, the one that is current; 0 for none. */
  current: number;
  /** The share of lines that were searched. */
  progress: number;
}

export interface Actions {
  search(regex: RegExp | undefined): void;
  step(step: 1 | -1): void;
  /** Show only what is found, with so many lines around it. */
  around(lines: number | undefined): void;
  left(): void;
}

export class Finder {
  readonly bar = element("div", { class: "line finder", role: "search", hidden: "" });
  #field: Field;
  #actions: Actions;
  #regex = toggle(".*", "Regular expression");
  #case = toggle("Aa", "Match case");
  #around = element("select", { "aria-label": "Lines shown", title: "All lines, or only those that are found, with lines around them" });
  #found = element("span", { class: "dim found-of", role: "status" });

  constructor(actions: Actions, signal: AbortSignal) {
    this.#actions = actions;
    const asked = (text: string): Asked => ({
      text, regex: pressed(this.#regex), case: pressed(this.#case) ? "match" : "ignore",
    });
    const words = { name: "Search", placeholder: "Search", title: "Enter: next, Shift+Enter: previous, Escape: close" };
    this.#field = new Field(words, asked, (regex) => actions.search(regex), signal);
    for (const [value, text] of [["", "all lines"], ["0", "only found"], ["2", "± 2 lines"], ["5", "± 5 lines"], ["20", "± 20 lines"]] as const) {
      this.#around.append(element("option", { value }, text));
    }
    const previous = element("button", { type: "button", title: "Previous (Shift+Enter)", "aria-label": "Previous" }, "↑");
    const next = element("button", { type: "button", title: "Next (Enter)", "aria-label": "Next" }, "↓");
    const close = element("button", { type: "button", title: "Close (Escape)", "aria-label": "Close the search" }, "×");
    this.bar.append(this.#field.element, this.#case, this.#regex, previous, next, this.#around, this.#found, element("span", { class: "push" }), close);
    for (const button of [this.#regex, this.#case]) {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(!pressed(button)));
        this.#field.now();
      }, { signal });
    }
    previous.addEventListener("click", () => actions.step(-1), { signal });
    next.addEventListener("click", () => actions.step(1), { signal });
    close.addEventListener("click", () => this.close(), { signal });
    this.#around.addEventListener("change", () => actions.around(this.around), { signal });
    this.bar.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      else if (event.key === "Enter" && event.target === this.#field.input) actions.step(event.shiftKey ? -1 : 1);
      else return;
      event.preventDefault();
      event.stopPropagation();
    }, { signal });
  }

  get around(): number | undefined {
    return this.bar.hidden || this.#around.value === "" ? undefined : Number(this.#around.value);
  }

  show(): void {
    const opened = this.bar.hidden;
    this.bar.hidden = false;
    this.#field.input.focus();
    this.#field.input.select();
    if (opened && this.#field.value !== "") {
      this.#field.now();
      this.#actions.around(this.around);
    }
  }

  close(): void {
    this.bar.hidden = true;
    this.#actions.around(undefined);
    this.#actions.search(undefined);
    this.#actions.left();
  }

  tell({ total, current, progress }: Found): void {
    const searching = progress < 1 ? ` · ${Math.floor(100 * progress)} % searched` : "";
    const at = current > 0 ? `${count(current)} of ${count(total)}` : `${count(total)} found`;
    setText(this.#found, this.#field.value === "" ? "" : (total === 0 && progress >= 1 ? "not found" : at) + searching);
  }
}
