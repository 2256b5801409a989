/** A list of tabs: arrow keys go through it, and one of them can have the focus by Tab. */

import { element, setText } from "../common/dom";
import { randomId } from "../common/ids";
import { type Tab, TABS, TITLES } from "./places";

/** As in the rows. */
const LETTERS: Record<string, Tab> = { d: "details", y: "yaml", e: "events", l: "logs", s: "shell" };

export class Tabs {
  readonly element = element("div", { class: "tabs", role: "tablist", "aria-label": "What is shown" });
  #buttons = new Map<Tab, HTMLButtonElement>();
  #panels = new Map<Tab, HTMLElement>();
  #body: HTMLElement;
  #now: Tab = "details";

  /**
   * @param body - What the tabs' panels are put into.
   * @param chosen - Called when another tab is chosen by hand; `into` where by a letter, as in the rows.
   */
  constructor(body: HTMLElement, chosen: (tab: Tab, into: boolean) => void, signal: AbortSignal) {
    this.#body = body;
    const id = randomId().slice(0, 8);
    for (const tab of TABS) {
      const names = { id: `tab-${id}-${tab}`, panel: `panel-${id}-${tab}` };
      const button = element("button", { type: "button", role: "tab", id: names.id, "aria-controls": names.panel, "data-tab": tab }, TITLES[tab]);
      button.addEventListener("click", () => chosen(tab, false), { signal });
      this.#buttons.set(tab, button);
      this.#panels.set(tab, element("div", { class: "part", role: "tabpanel", id: names.panel, "aria-labelledby": names.id, "data-part": tab }));
      this.element.append(button);
    }
    this.element.addEventListener("keydown", (event) => this.#key(event, chosen), { signal });
  }

  get now(): Tab {
    return this.#now;
  }

  /** The tab that has the focus by Tab. */
  get button(): HTMLButtonElement {
    return this.#buttons.get(this.#now) as HTMLButtonElement;
  }

  panel(tab: Tab): HTMLElement {
    return this.#panels.get(tab) as HTMLElement;
  }

  /** Those that are offered, and which is shown. */
  show(offered: readonly Tab[], now: Tab): void {
    this.#now = now;
    for (const tab of TABS) {
      const [button, panel] = [this.#buttons.get(tab), this.#panels.get(tab)] as [HTMLButtonElement, HTMLElement];
      button.hidden = !offered.includes(tab);
      button.setAttribute("aria-selected", String(tab === now));
      button.tabIndex = tab === now ? 0 : -1;
      panel.hidden = tab !== now;
    }
  }

  /** Empty, for another object. */
  clear(): void {
    for (const panel of this.#panels.values()) panel.replaceChildren();
    this.#body.replaceChildren(...this.#panels.values());
  }

  /** Say something in place of a part. */
  say(tab: Tab, text: string, bad = false): HTMLElement {
    const made = element("div", { class: bad ? "said bad" : "said", role: "status" });
    setText(made, text);
    this.panel(tab).replaceChildren(made);
    return made;
  }

  #key(event: KeyboardEvent, chosen: (tab: Tab, into: boolean) => void): void {
    const offered = TABS.filter((tab) => this.#buttons.get(tab)?.hidden === false);
    const at = offered.indexOf(this.#now);
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const next: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: offered.length - 1 };
    const letter = LETTERS[event.key];
    const wanted = letter === undefined ? next[event.key] : offered.indexOf(letter);
    if (wanted === undefined || (letter !== undefined && wanted < 0)) return;
    const tab = offered[(wanted + offered.length) % offered.length];
    if (tab === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    chosen(tab, letter !== undefined);
    this.button.focus();
  }
}
