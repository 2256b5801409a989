/** Questions over a view: what is pasted, where a link leads, whether a program is to end. */

import { element } from "../common/dom";

export interface Question {
  title: string;
  /** What it is about, shown as it is. */
  text?: string;
  note?: string;
  yes: string;
  /** Other things to do, each ends the question. */
  more?: Record<string, () => void>;
}

/** Ask, in front of `root`; one question at a time. Escape is no. */
export class Asking {
  #root: HTMLElement;
  #end: (answer: boolean) => void = () => undefined;

  constructor(root: HTMLElement) {
    this.#root = root;
  }

  ask(question: Question, done: () => void): Promise<boolean> {
    this.#end(false);
    return new Promise((resolve) => {
      const yes = element("button", { type: "button", class: "yes" }, question.yes);
      const no = element("button", { type: "button" }, "Cancel");
      const box = element(
        "div",
        { class: "question", role: "alertdialog", "aria-modal": "true", "aria-label": question.title },
        element("div", { class: "heading" }, question.title),
      );
      if (question.text !== undefined) {
        box.append(element("pre", { class: "shown", tabindex: "0", "aria-label": "what it is about" }, question.text));
      }
      if (question.note !== undefined) box.append(element("div", { class: "dim" }, question.note));
      const row = element("div", { class: "answers" }, yes);
      const veil = element("div", { class: "veil" }, box);
      const end = (answer: boolean) => {
        if (!veil.isConnected) return;
        veil.remove();
        this.#end = () => undefined;
        resolve(answer);
        done();
      };
      this.#end = end;
      for (const [name, act] of Object.entries(question.more ?? {})) {
        const button = element("button", { type: "button" }, name);
        button.addEventListener("click", () => {
          act();
          end(false);
        });
        row.append(button);
      }
      row.append(no);
      box.append(row);
      yes.addEventListener("click", () => end(true));
      no.addEventListener("click", () => end(false));
      veil.addEventListener("keydown", (event) => {
        event.stopPropagation();
        if (event.key === "Escape") end(false);
        if (event.key !== "Tab") return;
        // the rest of the view is behind the question
        const stops = [...box.querySelectorAll<HTMLElement>("button, [tabindex]")];
        const at = stops.indexOf(event.target as HTMLElement);
        const next = stops[(at + (event.shiftKey ? -1 : 1) + stops.length) % stops.length];
        next?.focus();
        event.preventDefault();
      });
      this.#root.append(veil);
      yes.focus();
    });
  }
}
