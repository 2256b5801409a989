/** Lines as text, for the clipboard and for a file: with full times, whose they are, and without escapes. */

import { fullName, markOf, type Source } from "./data";
import { plain } from "./escapes";
import type { Rows } from "./rows";
import { NOBODY, type Store } from "./store";
import { full } from "./times";

export function lineText(store: Store, sources: readonly Source[], slot: number): string {
  const source = sources[store.sources[slot] as number];
  const at = store.sources[slot] === NOBODY ? "" : full(store.time(slot));
  const who = source === undefined || sources.length < 2 ? "" : `${source.namespace}/${source.pod} ${source.container} `;
  if (!store.isMark(slot)) return `${at} ${who}${plain(store.text(slot))}`;
  const { text } = markOf(store.text(slot));
  return `${at} ${source === undefined ? "" : `[${fullName(source)}] `}--- ${plain(text)} ---`;
}

/** The rows shown, or all lines of the page, joined by line ends, in parts. */
export function texts(store: Store, sources: readonly Source[], rows: Rows | undefined): string[] {
  const size = rows === undefined ? store.count : rows.count;
  const parts: string[] = [];
  for (let place = 0; place < size; place++) {
    const slot = rows === undefined ? (store.order[place] as number) : rows.slot(place);
    parts.push(`${lineText(store, sources, slot)}\n`);
  }
  return parts;
}

/** Have the browser save a file, made in the page. */
export function save(parts: string[], name: string): void {
  const url = URL.createObjectURL(new Blob(parts, { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.style.display = "none";
  document.body.append(link);
  link.click();
  link.remove();
  // the browser has it by then, however slow it is
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export function fileName(title: string, now: Date): string {
  const words = title.replace(/[^\w.-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 80);
  return `${words || "logs"}-${now.toISOString().slice(0, 19).replace(/[-:]/g, "")}.log`;
}
