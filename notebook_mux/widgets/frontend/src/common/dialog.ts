/** A dialog over the page: the focus stays in it, Escape closes it, and the focus goes back to where it was. */

import { element } from "./dom";
import { icon } from "./icons";

export class Dialog {
  readonly element = element("dialog", { class: "dialog" });
  readonly body = element("div", { class: "body" });
  #root: HTMLElement;
  #signal: AbortSignal;
  #end = new AbortController();

  /** `root` is the view's, in whose shadow root it stands; with `signal` the view goes. */
  constructor(root: HTMLElement, title: string, signal: AbortSignal) {
    this.#root = root;
    this.#signal = signal;
    const close = element("button", { type: "button", class: "icon", title: "Close (Esc)", "aria-label": "Close" });
    close.append(icon("close"));
    close.addEventListener("click", () => this.close());
    const head = element("div", { class: "head" }, element("h2", {}, title), close);
    this.element.setAttribute("aria-label", title);
    this.element.append(head, this.body);
    this.element.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.close();
    });
    // a press beside it
    this.element.addEventListener("pointerdown", (event) => {
      if (event.target === this.element) this.close();
    });
    this.element.addEventListener("close", () => {
      this.element.remove();
      this.#end.abort(); // a view that lives long would keep each of its dialogs
    });
  }

  show(): void {
    if (this.element.open) return;
    this.#end = new AbortController();
    this.#signal.addEventListener("abort", () => this.element.remove(), { signal: this.#end.signal });
    this.#root.append(this.element);
    this.element.showModal();
  }

  close(): void {
    this.element.close();
  }
}

export const DIALOG_CSS = `
.dialog { color: var(--text); background: var(--back); border: 1px solid var(--line); border-radius: 6px; padding: 0;
  max-width: min(640px, calc(100vw - 32px)); max-height: calc(100vh - 48px); box-shadow: 0 8px 40px rgba(0, 0, 0, .35);
  font-family: var(--font); font-size: var(--size); overflow: hidden; }
.dialog[open] { display: flex; flex-direction: column; }
.dialog::backdrop { background: rgba(0, 0, 0, .32); }
.dialog .head { display: flex; align-items: center; justify-content: space-between; gap: 12px; padding: 8px 8px 8px 16px;
  border-bottom: 1px solid var(--line); }
.dialog h2 { font-size: 110%; font-weight: 600; margin: 0; }
.dialog .body { padding: 10px 16px 14px; overflow: auto; }
`;
