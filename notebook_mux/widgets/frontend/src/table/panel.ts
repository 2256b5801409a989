/** Below the rows: one object's events and, where it has pods, their log lines, each a widget of the kernel's. */

import type { Cleanup, Model } from "../common/afm";
import { element, setText } from "../common/dom";
import { showPart } from "../common/part";
import { actLabel } from "./columns";
import type { Row } from "./rows";

export const PANEL_CSS = `
.panel { border-top: 2px solid var(--accent); outline: none; }
.panel .part { padding: 6px 8px; }
.panel .part + .part { padding-top: 0; }
.panel .said { white-space: pre-wrap; overflow-wrap: anywhere; padding: 3px 0; color: var(--dim); }
.panel .said.bad { color: var(--bad); }
.panel .said button { margin-left: 8px; }
`;

/** What is shown of an object, in this order. */
const PARTS = ["events", "logs"] as const;
type What = (typeof PARTS)[number];

/** The kernel's answer to what was asked for: the widget that shows it, or what there is to say instead. */
interface Answer {
  ok: boolean;
  error?: string;
  model?: string;
  said?: string;
  bad?: boolean;
}

interface PanelActions {
  ask(what: What, row: Row): Promise<Answer>;
  /** It has been closed here: let go of what it showed. */
  left(row: Row): void;
}

export class Panel {
  readonly element = element("section", { class: "panel", role: "region", tabindex: "-1", hidden: "" });
  #title = element("span", { class: "title" });
  #where = element("span", { class: "dim" });
  #close = element("button", { type: "button" }, "Close");
  #slots = element("div");
  #model: Model;
  #actions: PanelActions;
  #row: Row | undefined;
  #removers: Cleanup[] = [];
  /** Of the openings: what an earlier one asked for comes too late. */
  #opening = 0;

  constructor(model: Model, actions: PanelActions, signal: AbortSignal) {
    this.#model = model;
    this.#actions = actions;
    this.#close.addEventListener("click", () => this.close(), { signal });
    const bar = element("div", { class: "bar" }, this.#title, this.#where, element("span", { class: "push" }), this.#close);
    this.element.append(bar, this.#slots);
    signal.addEventListener("abort", () => this.close());
  }

  /** The key of the row that is shown; "" for none. */
  get key(): string {
    return this.#row?.key ?? "";
  }

  /** Show a row's, in place of another's; `where` it is, in words. */
  open(row: Row, where: string): void {
    this.#clear();
    this.#row = row;
    this.element.setAttribute("aria-label", actLabel(row));
    this.#close.setAttribute("aria-label", `Close events and logs of ${row.name}`);
    setText(this.#title, row.name);
    setText(this.#where, where);
    for (const what of PARTS) {
      const slot = element("div", { class: "part", "data-part": what });
      this.#slots.append(slot);
      void this.#fill(slot, what, row);
    }
    this.element.hidden = false;
  }

  close(): void {
    const row = this.#row;
    if (row === undefined) return;
    this.#clear();
    this.element.hidden = true;
    this.#actions.left(row);
  }

  #clear(): void {
    this.#opening += 1;
    this.#row = undefined;
    for (const remove of this.#removers.splice(0)) remove();
    this.#slots.replaceChildren();
  }

  async #fill(slot: HTMLElement, what: What, row: Row): Promise<void> {
    const opening = this.#opening;
    say(slot, `reading the ${what} …`);
    const answer = await this.#actions.ask(what, row);
    if (opening !== this.#opening) return;
    if (!answer.ok || answer.model === undefined) {
      say(slot, answer.said ?? answer.error ?? "", !answer.ok || answer.bad === true);
      return;
    }
    const ended = () => {
      if (opening !== this.#opening) return;
      const again = element("button", { type: "button" }, "Read them again");
      again.addEventListener("click", () => void this.#fill(slot, what, row));
      say(slot, `The ${what} were let go of, for nobody looked for some minutes, or they were closed.`).append(again);
    };
    try {
      const remove = await showPart(this.#model, answer.model, slot, ended);
      if (opening === this.#opening) this.#removers.push(remove);
      else remove();
    } catch (error) {
      if (opening === this.#opening) say(slot, error instanceof Error ? error.message : String(error), true);
    }
  }
}

function say(slot: HTMLElement, text: string, bad = false): HTMLElement {
  const made = element("div", { class: bad ? "said bad" : "said", role: "status" }, text);
  slot.replaceChildren(made);
  return made;
}
