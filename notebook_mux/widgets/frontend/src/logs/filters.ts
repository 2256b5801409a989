/** Which lines are shown: expressions that let in and keep out, one that highlights, and a time to go to. */

import { element, setText } from "../common/dom";
import { Field } from "./field";

export type Filter = "include" | "exclude" | "highlight";

export interface Actions {
  filter(name: Filter, regex: RegExp | undefined, text: string): void;
  /** Go to what was typed; what is wrong with it, or "". */
  jump(text: string): string;
  left(): void;
}

const FIELDS: [Filter, string, string][] = [
  ["include", "Only lines with", "A regular expression. A trace is shown whole if one of its lines has it."],
  ["exclude", "Not with", "A regular expression. A trace is left out whole if one of its lines has it."],
  ["highlight", "Highlight", "A regular expression that is marked in the lines."],
];
const CASE = " Capital letters count where there is one.";

export class Filters {
  readonly bar = element("div", { class: "line filters", role: "group", "aria-label": "Filters", hidden: "" });
  readonly jumper = element("div", { class: "line filters", role: "group", "aria-label": "Go to a time", hidden: "" });
  #fields = new Map<Filter, Field>();
  #when = element("input", {
    type: "search", placeholder: "12:04:05 · 5m · 2026-01-31 12:04", "aria-label": "Go to this time",
    title: "A time of day, how long ago, or a date and a time; Enter goes there",
  });
  #wrong = element("span", { class: "wrong", role: "alert" });
  #left: () => void;

  constructor(actions: Actions, signal: AbortSignal) {
    this.#left = actions.left;
    for (const [name, words, title] of FIELDS) {
      const field = new Field(
        { name: words, placeholder: words, title: title + CASE },
        (text) => ({ text, regex: true, case: "smart" }),
        (regex, text) => actions.filter(name, regex, text),
        signal,
      );
      this.#fields.set(name, field);
      this.bar.append(field.element);
    }
    const clear = element("button", { type: "button", title: "Show all lines" }, "Clear");
    clear.addEventListener("click", () => {
      for (const field of this.#fields.values()) field.set("");
    }, { signal });
    const go = element("button", { type: "button" }, "Go");
    const jump = () => {
      const wrong = actions.jump(this.#when.value);
      this.#when.setAttribute("aria-invalid", String(wrong !== ""));
      setText(this.#wrong, wrong);
    };
    go.addEventListener("click", jump, { signal });
    this.bar.append(clear, element("span", { class: "push" }), this.#closing(this.bar, "Hide the filters", signal));
    this.jumper.append(element("span", { class: "dim" }, "Go to"), this.#when, go, this.#wrong, element("span", { class: "push" }));
    this.jumper.append(this.#closing(this.jumper, "Close", signal));
    this.jumper.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target !== this.#when) return;
      jump();
      event.preventDefault();
    }, { signal });
  }

  /** Set from elsewhere. */
  set(changed: Partial<Record<Filter, string>>): void {
    for (const [name, field] of this.#fields) {
      const text = changed[name];
      if (text === undefined) continue;
      field.set(text);
      if (text !== "") this.bar.hidden = false;
    }
  }

  show(which: "bar" | "jumper"): void {
    const bar = this[which];
    bar.hidden = !bar.hidden;
    if (!bar.hidden) bar.querySelector("input")?.focus();
    else this.#left();
  }

  #closing(bar: HTMLElement, title: string, signal: AbortSignal): HTMLElement {
    const close = element("button", { type: "button", title, "aria-label": title }, "×");
    const shut = () => {
      bar.hidden = true;
      this.#left();
    };
    close.addEventListener("click", shut, { signal });
    bar.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      shut();
      event.preventDefault();
      event.stopPropagation();
    }, { signal });
    return close;
  }
}
