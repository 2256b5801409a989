/** Sections as DOM: tables, cards, keys of a ConfigMap or Secret, and what belongs to the object. */

import { count, element, setText } from "../common/dom";
import { toClipboard } from "../common/clipboard";
import type { Cells } from "./cells";
import { type Card, isRich, type Key, type Owned, type Section, sizeWords, type Value } from "./data";

/** Columns whose texts are short, and are not broken. */
const SHORT = new Set(["Type", "Status", "Reason", "Since", "Age", "Ready", "Restarts", "Name", "Kind", "State", "Port", "Node"]);

export interface Revealed {
  ok: boolean;
  error?: string;
  value?: string;
  plain?: boolean;
}

export interface SectionActions {
  reveal(key: string): Promise<Revealed>;
  signal: AbortSignal;
}

export class Sections {
  #cells: Cells;
  #actions: SectionActions;

  constructor(cells: Cells, actions: SectionActions) {
    this.#cells = cells;
    this.#actions = actions;
  }

  section(section: Section): HTMLElement {
    const made = element("section", {}, this.#title(section.title));
    if (section.columns !== undefined) made.append(this.#table(section.title, section.columns, section.rows ?? []));
    if (section.items !== undefined) made.append(this.#cells.items(section.items));
    if (section.cards !== undefined) made.append(this.#cards(section.cards));
    if (section.keys !== undefined) made.append(this.#keys(section.keys));
    if (section.note !== undefined) made.append(element("div", { class: "dim" }, section.note));
    return made;
  }

  /** What belongs to the object, each to jump to. */
  owned(owned: Owned): HTMLElement {
    const many = owned.total > owned.rows.length ? `${count(owned.rows.length)} of ${count(owned.total)} shown` : count(owned.total);
    const made = element("section", { "data-owned": owned.title }, this.#title(owned.title, owned.note === "" ? many : ""));
    if (owned.note !== "") made.append(element("div", { class: "tone-warn" }, owned.note));
    if (owned.rows.length === 0) return made;
    const columns = ["Name", ...(owned.spaces ? ["Namespace"] : []), ...owned.columns];
    const rows = owned.rows.map(({ ref, cells }) => [
      { text: ref.name, ref },
      ...(owned.spaces ? [ref.namespace] : []),
      ...cells,
    ]);
    made.append(this.#table(owned.title, columns, rows));
    return made;
  }

  #title(title: string, many = ""): HTMLElement {
    const made = element("h3", {}, title);
    if (many !== "") made.append(element("span", { class: "many" }, many));
    return made;
  }

  #table(title: string, columns: string[], rows: Value[][]): HTMLElement {
    const table = element("table", { "aria-label": title });
    table.append(element("thead", {}, element("tr", {}, ...columns.map((one) => element("th", { scope: "col" }, one)))));
    const body = element("tbody");
    for (const row of rows) {
      const line = element("tr");
      row.forEach((value, at) => {
        line.append(element("td", SHORT.has(columns[at] ?? "") ? { class: "short" } : {}, this.#cells.value(value)));
      });
      body.append(line);
    }
    table.append(body);
    // what is wider than a narrow cell is reached by keys, too
    return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": title, "data-key": `table ${title}` }, table);
  }

  #cards(cards: Card[]): HTMLElement {
    const made = element("div", { class: "cards" });
    for (const card of cards) {
      const tone = isRich(card.state) ? (card.state.tone ?? "") : "";
      const top = element("div", { class: "top" }, element("strong", {}, card.title));
      if (card.kind !== "") top.append(element("span", { class: "dim" }, card.kind));
      if (card.state !== "") top.append(this.#cells.cell(card.state));
      made.append(element("div", { class: `card ${tone}`.trim(), role: "group", "aria-label": card.title }, top, this.#cells.items(card.items)));
    }
    return made;
  }

  #keys(keys: Key[]): HTMLElement {
    const made = element("div", { class: "keys" });
    for (const key of keys) {
      if (key.text !== undefined) made.append(this.#open(key, key.text));
      else made.append(this.#closed(key));
    }
    return made;
  }

  #open(key: Key, text: string): HTMLElement {
    const cut = key.cut === undefined ? "" : `\n… ${count(key.cut)} more characters are in the YAML`;
    const summary = element("summary", { "data-key": `key ${key.name}` }, element("span", { class: "mono" }, key.name), " ");
    summary.append(element("span", { class: "dim" }, sizeWords(key.size)));
    return element("details", {}, summary, element("pre", { tabindex: "0" }, text + cut));
  }

  #closed(key: Key): HTMLElement {
    const line = element("div", { class: "key" }, element("span", { class: "mono" }, key.name));
    line.append(element("span", { class: "dim" }, sizeWords(key.size)));
    if (key.secret === true) this.#revealing(line, key);
    return line;
  }

  #revealing(line: HTMLElement, key: Key): void {
    const { signal } = this.#actions;
    const button = element("button", { type: "button", "data-key": `reveal ${key.name}` }, "Reveal");
    const copy = element("button", { type: "button", hidden: "" }, "Copy");
    const said = element("span", { class: "dim", role: "status" });
    let shown: HTMLElement | undefined;
    /** Of the last press that asked; none while nobody waits for the value. */
    let asked: object | undefined;
    const words = (verb: string) => {
      setText(button, verb);
      button.setAttribute("aria-label", `${verb} ${key.name}`);
    };
    words("Reveal");
    copy.setAttribute("aria-label", `Copy ${key.name}`);
    line.append(button, copy, said);
    const hide = () => {
      shown?.remove();
      shown = undefined;
      copy.hidden = true;
      words("Reveal");
    };
    button.addEventListener(
      "click",
      () => {
        setText(said, "");
        if (shown !== undefined) {
          hide();
          return;
        }
        if (asked !== undefined) {
          asked = undefined; // pressed again before the answer came: it is to be hidden
          return;
        }
        const mine = (asked = {});
        void this.#actions.reveal(key.name).then((answer) => {
          if (asked !== mine) return;
          asked = undefined;
          if (!line.isConnected) return;
          if (!answer.ok || answer.value === undefined) {
            setText(said, answer.error ?? "");
            return;
          }
          if (answer.plain === false) setText(said, "no text; as base64:");
          shown = element("pre", { tabindex: "0", "aria-label": `value of ${key.name}` }, answer.value);
          line.append(shown);
          copy.hidden = false;
          words("Hide");
        });
      },
      { signal },
    );
    copy.addEventListener(
      "click",
      () => {
        void toClipboard(shown?.textContent ?? "").then((done) => setText(said, done ? "copied" : "the browser does not let it be copied"));
      },
      { signal },
    );
  }
}
