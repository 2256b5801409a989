/** The list of all keys. */

import { Dialog } from "../common/dialog";
import { element } from "../common/dom";
import { GRID_KEYS, type Key, KEYS } from "./keys";

/** What a filter can be made of; the words of `nm.table`'s own documentation. */
const FILTER: readonly [example: string, words: string][] = [
  ["web", "a cell has it"],
  ["!test", "no cell has it"],
  ['"two words"', "as they stand"],
  ["/web-\\d+/", "an expression"],
  ["status=Running,Pending", "a column, or else a label"],
  ["image~^web", "a column or label by an expression"],
  ["cpu>200m", "by size, age, share"],
  ["-n prod,dev", "namespaces"],
  ["--cluster prod", "clusters"],
  ["-l app=api", "labels, as kubectl"],
  ["--faults", "what is not as it should be"],
];

export class Help {
  #dialog: Dialog;

  constructor(root: HTMLElement, signal: AbortSignal) {
    this.#dialog = new Dialog(root, "Keys", signal);
    const list = (title: string, rows: readonly (readonly [string, string])[]) => {
      const made = element("dl", { "aria-label": title });
      for (const [key, words] of rows) made.append(element("div", {}, element("dt", {}, element("kbd", {}, key)), element("dd", {}, words)));
      return element("section", {}, element("h3", {}, title), made);
    };
    const pairs = (keys: readonly Key[]) => keys.map(({ key, words }) => [key, words] as const);
    const columns = element("div", { class: "columns", tabindex: "0", role: "group", "aria-label": "Keys" });
    columns.append(
      list("The row", pairs(KEYS.filter(({ row }) => row))),
      list("The table", pairs(KEYS.filter(({ row }) => !row))),
      list("Moving", GRID_KEYS),
      list("In the filter", FILTER),
    );
    this.#dialog.body.append(columns, element("p", { class: "dim" }, "Keys count while the focus is in the table and not in a field. None of them changes anything in a cluster."));
  }

  show(): void {
    this.#dialog.show();
  }
}

export const HELP_CSS = `
.columns { columns: 2 240px; column-gap: 28px; outline-offset: 4px; }
.columns:focus-visible { outline: 2px solid var(--accent); }
.columns section { break-inside: avoid; margin: 0 0 12px; }
.columns h3 { font-size: 100%; font-weight: 600; margin: 0 0 4px; color: var(--dim); }
.columns dl { margin: 0; display: grid; grid-template-columns: max-content 1fr; gap: 3px 12px; align-items: baseline; }
.columns dl > div { display: contents; }
.columns dd { margin: 0; }
.dialog p { margin: 4px 0 0; font-size: 90%; max-width: 62ch; }
`;
