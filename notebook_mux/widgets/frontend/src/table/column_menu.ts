/** Which columns are shown and in which order: for pointer and keys. */

import { element } from "../common/dom";
import type { Layout } from "./head";
import { hiding, moved, NO_LAYOUT, ordered } from "./layout";

export const COLUMN_MENU_CSS = `
.columns-of { position: absolute; left: 0; top: 0; z-index: 2; width: 28px; height: 26px; padding: 0; border: 0; background: transparent;
  color: var(--dim); display: grid; place-items: center; }
.columns-of svg { width: 13px; height: 11px; }
.columns-of[aria-expanded="true"] { color: var(--accent-text); }
.column-menu { display: flex; flex-wrap: wrap; gap: 4px 6px; align-items: center; padding: 5px 8px; border-bottom: 1px solid var(--line);
  background: var(--raised); }
.column-menu[hidden] { display: none; }
.column-menu .push { flex: 1; }
.column-menu ul { display: contents; list-style: none; }
.column-menu li { display: inline-flex; align-items: center; border: 1px solid var(--line); border-radius: 3px; background: var(--back); }
.column-menu label { display: inline-flex; align-items: center; gap: 4px; padding: 0 3px; height: 22px; }
.column-menu input { margin: 0; accent-color: var(--accent); }
.column-menu li button { border: 0; width: 24px; height: 24px; padding: 0; background: transparent; color: var(--dim); }
.column-menu li button[disabled] { opacity: .35; cursor: default; }
.column-menu input:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
`;

export interface MenuActions {
  layout(layout: Layout): void;
}

const SVG = "http://www.w3.org/2000/svg";

export class ColumnMenu {
  readonly element = element("div", { class: "column-menu", role: "group", "aria-label": "Columns", hidden: "" });
  /** What opens it; over the corner of the grid. */
  readonly button = element("button", {
    type: "button",
    class: "columns-of",
    title: "Columns: order, hide",
    "aria-label": "Columns",
    "aria-expanded": "false",
  });
  #list = element("ul", { "aria-label": "Columns in their order" });
  #actions: MenuActions;
  #titles: readonly string[] = [];
  #layout: Layout = NO_LAYOUT;
  #drawn = "";

  constructor(actions: MenuActions, signal: AbortSignal) {
    this.#actions = actions;
    this.button.append(icon());
    const reset = element("button", { type: "button", title: "Order, widths and hidden columns as at first" }, "Reset");
    const close = element("button", { type: "button" }, "Close");
    this.element.append(this.#list, element("span", { class: "push" }), reset, close);
    this.button.addEventListener("click", () => this.toggle(), { signal });
    close.addEventListener("click", () => this.toggle(false), { signal });
    reset.addEventListener("click", () => this.#change(NO_LAYOUT), { signal });
    this.element.addEventListener(
      "keydown",
      (event) => {
        if (event.key === "Escape") {
          this.toggle(false);
          event.stopPropagation();
        }
      },
      { signal },
    );
  }

  /** What there is to choose from, and what is chosen. */
  show(titles: readonly string[], layout: Layout): void {
    this.#titles = titles;
    this.#layout = layout;
    if (this.element.hidden) return;
    const order = ordered(titles, layout);
    const shown = order.filter((title) => !layout.hidden.includes(title));
    const shape = JSON.stringify([order, shown]);
    if (shape === this.#drawn) return;
    this.#drawn = shape;
    const focus = this.#focused();
    this.#list.replaceChildren(
      ...order.map((title, index) => {
        const box = element("input", { type: "checkbox" });
        box.checked = shown.includes(title);
        box.disabled = box.checked && shown.length === 1;
        box.addEventListener("change", () => this.#change(hiding(this.#layout, title, !box.checked)));
        const move = (by: number, sign: string, words: string) => {
          const made = element("button", { type: "button", "aria-label": `Move ${title} ${words}`, title: `Move ${title} ${words}` }, sign);
          made.disabled = by < 0 ? index === 0 : index === order.length - 1;
          made.addEventListener("click", () => this.#change(moved(this.#titles, this.#layout, title, by)));
          return made;
        };
        const item = element("li", { "data-title": title }, move(-1, "‹", "left"), element("label", {}, box, title), move(1, "›", "right"));
        return item;
      }),
    );
    if (focus !== undefined) this.#focus(...focus);
  }

  /** Open or close it. */
  toggle(open: boolean = this.element.hidden): void {
    this.element.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    this.#drawn = "";
    this.#actions.layout(this.#layout); // which shows it
    if (open) this.#list.querySelector("input")?.focus();
    else this.button.focus();
  }

  #change(layout: Layout): void {
    this.#actions.layout(layout);
  }

  /** Which part of which column has the focus. */
  #focused(): [title: string, part: number] | undefined {
    const active = (this.element.getRootNode() as ShadowRoot).activeElement;
    const item = active?.closest("li");
    const title = item?.dataset["title"];
    if (active == null || item == null || title === undefined) return undefined;
    return [title, [...item.querySelectorAll("button, input")].indexOf(active)];
  }

  #focus(title: string, part: number): void {
    const item = [...this.#list.children].find((one) => (one as HTMLElement).dataset["title"] === title);
    const parts = [...(item?.querySelectorAll<HTMLButtonElement | HTMLInputElement>("button, input") ?? [])];
    const wanted = parts[part];
    (wanted?.disabled === false ? wanted : parts.find((one) => !one.disabled))?.focus();
  }
}

function icon(): SVGElement {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("viewBox", "0 0 13 11");
  drawn.setAttribute("aria-hidden", "true");
  for (const x of [0.5, 4.5, 8.5]) {
    const bar = document.createElementNS(SVG, "rect");
    for (const [name, value] of Object.entries({ x, y: 0.5, width: 4, height: 10 })) bar.setAttribute(name, String(value));
    bar.setAttribute("fill", "none");
    bar.setAttribute("stroke", "currentColor");
    drawn.append(bar);
  }
  return drawn;
}
