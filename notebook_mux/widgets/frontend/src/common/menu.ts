/** A button that opens a menu, as the ARIA practices have it: arrows, Home, End, first letters, Escape, Tab. */

import { element } from "./dom";
import { randomId } from "./ids";
import { Popup } from "./popup";
import { Pressed } from "./pressed";

export type Entry =
  | { kind: "heading"; words: string }
  | {
      /** What it is: something done, switched, or one of those under a heading. */
      kind: "act" | "check" | "radio";
      words: string;
      /** Its key, shown at the right. */
      key?: string;
      /** More about it, below its words. */
      more?: string;
      on?: boolean;
      disabled?: boolean;
      act(): void;
    };

const ROLES = { act: "menuitem", check: "menuitemcheckbox", radio: "menuitemradio" } as const;

export class Menu {
  readonly button: HTMLButtonElement;
  readonly popup: Popup;
  #entries: () => Entry[];
  #pressed: Pressed;
  #list = element("div", { role: "menu", class: "menu-of", id: `menu-${randomId()}` });

  constructor(button: HTMLButtonElement, entries: () => Entry[], signal: AbortSignal, opened: () => void = () => undefined) {
    this.button = button;
    this.#entries = entries;
    button.setAttribute("aria-haspopup", "menu");
    button.setAttribute("aria-expanded", "false");
    this.#list.setAttribute("aria-label", button.getAttribute("aria-label") ?? button.textContent ?? "");
    this.#pressed = new Pressed(this.#list, () => this.popup.open && this.draw(), signal);
    this.popup = new Popup(button, this.#list, () => button.setAttribute("aria-expanded", "false"));
    const open = (last: boolean) => {
      if (this.popup.open) {
        this.popup.close();
        return;
      }
      opened(); // before it is drawn: what was known at its last opening may not be so any more
      this.draw();
      this.popup.show();
      button.setAttribute("aria-expanded", "true");
      const items = this.#items();
      (last ? items.at(-1) : items[0])?.focus({ preventScroll: true });
    };
    button.addEventListener("click", () => open(false), { signal });
    button.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
        event.preventDefault();
        if (!this.popup.open) open(event.key === "ArrowUp");
      },
      { signal },
    );
    this.#list.addEventListener("keydown", (event) => this.#key(event), { signal });
    signal.addEventListener("abort", () => this.popup.close("elsewhere"));
  }

  /** Draw what there is now: called too where an answer has come while it is open. */
  draw(): void {
    if (this.#pressed.now) return;
    const focused = this.#items().indexOf((this.#list.getRootNode() as ShadowRoot).activeElement as HTMLElement);
    const drawn: HTMLElement[] = [];
    let group: HTMLElement | undefined;
    for (const entry of this.#entries()) {
      if (entry.kind === "heading") {
        const heading = element("div", { class: "heading", role: "presentation", "aria-hidden": "true" }, entry.words);
        group = element("div", { role: "group", "aria-label": entry.words }, heading);
        drawn.push(group);
      } else {
        const item = this.#item(entry);
        if (group !== undefined) group.append(item);
        else drawn.push(item);
      }
    }
    this.#list.replaceChildren(...drawn);
    if (focused >= 0) this.#items()[focused]?.focus({ preventScroll: true });
    if (this.popup.open) this.popup.place();
  }

  #item(entry: Exclude<Entry, { kind: "heading" }>): HTMLElement {
    const item = element("div", { role: ROLES[entry.kind], class: "item", tabindex: "-1" });
    if (entry.kind !== "act") item.setAttribute("aria-checked", String(entry.on === true));
    if (entry.disabled === true) item.setAttribute("aria-disabled", "true");
    const words = element("span", { class: "words" }, entry.words);
    item.append(element("span", { class: "mark", "aria-hidden": "true" }, entry.on === true ? "✓" : ""), words);
    if (entry.key !== undefined) {
      item.append(element("kbd", { "aria-hidden": "true" }, entry.key));
      item.setAttribute("aria-keyshortcuts", entry.key);
    }
    if (entry.more !== undefined) item.append(element("span", { class: "more" }, entry.more));
    item.addEventListener("click", () => {
      if (entry.disabled === true) return;
      this.popup.close();
      entry.act();
    });
    return item;
  }

  #items(): HTMLElement[] {
    return [...this.#list.querySelectorAll<HTMLElement>('[role^="menuitem"]')];
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const items = this.#items();
    const at = items.indexOf(event.target as HTMLElement);
    const go = (to: number) => items[(to + items.length) % items.length]?.focus();
    if (event.key === "ArrowDown") go(at + 1);
    else if (event.key === "ArrowUp") go(at < 0 ? -1 : at - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(-1);
    else if (event.key === "Enter" || event.key === " ") items[at]?.click();
    else if (event.key === "Tab") this.popup.close();
    else if (event.key.length === 1) {
      const letter = event.key.toLowerCase();
      const next = [...items.slice(at + 1), ...items.slice(0, at + 1)].find((item) =>
        item.querySelector(".words")?.textContent?.toLowerCase().startsWith(letter),
      );
      next?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

export const MENU_CSS = `
.popup { position: fixed; inset: auto; margin: 0; padding: 4px 0; box-sizing: border-box; overflow: auto; color: var(--text);
  background: var(--back); border: 1px solid var(--line); border-radius: 5px; box-shadow: 0 4px 18px rgba(0, 0, 0, .28); z-index: 30;
  font-family: var(--font); font-size: var(--size); }
.popup[hidden] { display: none; }
.menu-of { min-width: 200px; }
.menu-of .heading { padding: 6px 12px 2px 28px; color: var(--dim); font-size: 85%; }
.menu-of > [role="group"] + .item, .menu-of > .item + [role="group"], .menu-of > [role="group"] + [role="group"] {
  border-top: 1px solid color-mix(in srgb, var(--line) 60%, transparent); margin-top: 4px; padding-top: 4px; }
.item { display: grid; grid-template-columns: 16px 1fr auto; gap: 0 4px; align-items: baseline; padding: 4px 12px 4px 8px; cursor: pointer;
  outline: none; }
.item:hover { background: var(--hover); }
.item:focus-visible, .item:focus { background: var(--picked); }
.item:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.item[aria-disabled="true"] { color: var(--dim); cursor: default; }
.item .mark { color: var(--accent-text); font-weight: 700; }
.item .more { grid-column: 2 / -1; color: var(--dim); font-size: 88%; max-width: 46ch; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
kbd { font: inherit; font-family: var(--mono); font-size: 85%; color: var(--dim); border: 1px solid var(--line); border-radius: 3px;
  padding: 0 4px; min-width: 1ch; text-align: center; background: var(--raised); }
`;
