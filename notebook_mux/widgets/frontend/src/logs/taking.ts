/** Copying and downloading, and what is said of it. */

import { count } from "../common/dom";
import { toClipboard } from "../common/clipboard";
import { showMenu } from "../terminal/menu";
import type { Drawing } from "./line";
import type { Rows } from "./rows";
import { fileName, lineText, save, texts } from "./take";

/** Lines of one copy: what a clipboard's reader can do with more is little, and a download has all. */
const MOST_COPIED = 20_000;
const REFUSED = "the browser does not let this page copy";

const lines = (many: number): string => `${count(many)} ${many === 1 ? "line" : "lines"}`;

export class Taking {
  #root: HTMLElement;
  #drawing: Drawing;
  #say: (text: string) => void;

  constructor(root: HTMLElement, drawing: Drawing, say: (text: string) => void) {
    this.#root = root;
    this.#drawing = drawing;
    this.#say = say;
  }

  /** What is selected, or else all lines shown. */
  async copy(): Promise<void> {
    const { store, sources, rows } = this.#drawing;
    let text = selection(this.#root);
    let said = "copied what is selected";
    if (text === "") {
      const all = texts(store, sources, rows);
      const last = all.slice(-MOST_COPIED);
      text = last.join("");
      said = `copied ${last.length < all.length ? `the last ${count(last.length)} of ` : ""}${lines(all.length)}`;
    }
    this.#say((await toClipboard(text)) ? said : REFUSED);
  }

  /** What is selected, or else the current line. */
  async copyLine(): Promise<void> {
    const { current, sources, store } = this.#drawing;
    if (selection(this.#root) !== "" || current === undefined) return this.copy();
    this.#say((await toClipboard(lineText(store, sources, current))) ? "copied a line" : REFUSED);
  }

  download(button: HTMLElement, title: string): void {
    const { store, sources, rows } = this.#drawing;
    const offer = (shown: Rows | undefined, many: number, words: string) => ({
      words: `${words} (${lines(many)})`,
      enabled: many > 0,
      act: () => {
        save(texts(store, sources, shown), fileName(title, new Date()));
        this.#say(`${lines(many)} given to the browser to save`);
      },
    });
    const [box, at] = [this.#root.getBoundingClientRect(), button.getBoundingClientRect()];
    const entries = [offer(rows, rows.count, "What is shown"), offer(undefined, store.count, "All that this page has")];
    showMenu(this.#root, at.left - box.left, at.bottom - box.top + 2, entries, () => button.focus());
  }
}

/** What is selected within a view. */
export function selection(root: HTMLElement): string {
  const tree = root.getRootNode() as ShadowRoot & { getSelection?(): Selection | null };
  const selected = tree.getSelection?.() ?? document.getSelection();
  if (selected === null || selected.isCollapsed || selected.anchorNode === null) return "";
  return root.contains(selected.anchorNode) ? selected.toString() : "";
}
