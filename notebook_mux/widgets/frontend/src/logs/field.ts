/** A field for an expression: what is wrong with it is said below it, at the place. */

import { element, setText } from "../common/dom";
import { type Asked, type Compiled, compiled } from "./expression";

const SAY_MS = 200;

export class Field {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  #error = element("div", { class: "wrong", role: "alert", hidden: "" });
  #asked: (text: string) => Asked;
  #say: (regex: RegExp | undefined, text: string) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    { name, placeholder, title }: { name: string; placeholder: string; title: string },
    asked: (text: string) => Asked,
    say: (regex: RegExp | undefined, text: string) => void,
    signal: AbortSignal,
  ) {
    this.#asked = asked;
    this.#say = say;
    this.input = element("input", { type: "search", placeholder, title, "aria-label": name, spellcheck: "false" });
    this.element = element("span", { class: "field-of" }, this.input, this.#error);
    this.input.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#check();
      this.#timer = setTimeout(() => this.now(), SAY_MS);
    }, { signal });
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  get value(): string {
    return this.input.value;
  }

  /** Set from elsewhere. */
  set(text: string): void {
    if (this.input.value === text) return;
    this.input.value = text;
    this.now();
  }

  /** Say what stands there; what is wrong changes nothing. */
  now(): void {
    clearTimeout(this.#timer);
    const made = this.#check();
    if (made.error === undefined) this.#say(made.regex, this.input.value);
  }

  #check(): Compiled {
    const made = compiled(this.#asked(this.input.value));
    const wrong = made.error !== undefined;
    this.input.setAttribute("aria-invalid", String(wrong));
    this.#error.hidden = !wrong;
    if (made.error !== undefined) {
      const { value } = this.input;
      const from = Math.max(0, made.at - 24);
      this.#error.replaceChildren(
        element("code", {}, (from > 0 ? "…" : "") + value.slice(from, made.at), element("b", {}, value.slice(made.at, made.at + 1) || " "), value.slice(made.at + 1, made.at + 24)),
        element("span", {}, made.error),
      );
    } else setText(this.#error, "");
    return made;
  }
}
