/** One view of a table: its own sort, scroll and selection over the rows of the page's copy. */

import type { GridApi } from "ag-grid-community";

import type { Model } from "../common/afm";
import { element, hideCopy, setText } from "../common/dom";
import { randomId } from "../common/ids";
import type { Link } from "../common/link";
import { passes, type Words, words } from "../common/order";
import { shadow } from "../common/style";
import { Bar } from "./bar";
import { ACT, actColumn, columnDefs, liveTitles, ORDER, shownTitles } from "./columns";
import { GRID_CSS, HEADER_PX, makeGrid, ROW_PX } from "./grid";
import type { Head } from "./head";
import { Panel, PANEL_CSS } from "./panel";
import type { Changes, Row, Rows } from "./rows";

const LEAST_ROWS = 3;
const FILTER_SAY_MS = 250;
const TICK_MS = 1000;
const SCROLLBAR_PX = 14;
const SELECT_LIMIT = 1000;

/** What a view needs of the page's copy. */
export interface Shared {
  readonly link: Link;
  readonly rows: Rows;
  readonly head: Head | undefined;
  readonly changes: { total: number; rate: number; last: number };
  now(): number;
  /** Let the rate sink when no message comes. */
  settle(): void;
}

export class View {
  readonly id = randomId();
  #shared: Shared;
  #abort = new AbortController();
  #root = element("div", { class: "root", role: "region", tabindex: "-1" });
  #frame = element("div", { class: "grid" });
  #overlay = element("div", { class: "overlay", role: "status" });
  #bar: Bar;
  #api: GridApi<Row>;
  #panel: Panel;
  #words: Words = words("");
  #clusters: string[] = [];
  #shape = "";
  #sort = "";
  #filter = "";
  #kernelFilter = "";
  #sayFilter: ReturnType<typeof setTimeout> | undefined;
  #rowsHigh = LEAST_ROWS;
  #measured = false;

  constructor(model: Model, el: HTMLElement, shared: Shared) {
    this.#shared = shared;
    const { signal } = this.#abort;
    const root = shadow(el, GRID_CSS + PANEL_CSS);
    this.#root.setAttribute("data-lm-suppress-shortcuts", "true");
    this.#bar = new Bar(
      {
        filter: (text) => this.#typed(text),
        wide: (on) => void this.#ask({ t: "set", name: "wide", value: on }),
        freeze: async () => {
          const answer = await this.#ask({ t: "do", what: "freeze" });
          return String(answer.ok ? answer["said"] : answer.error);
        },
        retry: async () => {
          const answer = await this.#ask({ t: "do", what: "retry" });
          return String(answer.ok ? answer["said"] : answer.error);
        },
        resume: () => shared.link.touch(),
      },
      signal,
    );
    const host = element("div", { class: "host" });
    this.#frame.append(host, this.#overlay);
    this.#panel = new Panel(
      model,
      {
        ask: (what, row) => this.#ask({ t: "look", what, row: [row.cluster, row.uid] }),
        left: (row) => this.#left(row),
      },
      signal,
    );
    this.#root.append(this.#bar.top, this.#bar.troubles, this.#frame, this.#bar.foot, this.#panel.element);
    const styles = element("div");
    root.append(styles, this.#root);
    this.#api = makeGrid(host, styles, shared.head?.title ?? "table", {
      passes: (row) => passes(this.#words, row.text(this.#clusters)),
      filtering: () => this.#words.has.length + this.#words.not.length > 0,
      selected: (rows) => this.#selected(rows),
      drawn: () => this.#drawn(),
      entered: (row) => this.#look(row, true),
    });
    const timer = setInterval(() => this.tick(), TICK_MS);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      clearTimeout(this.#sayFilter);
      this.#api.destroy();
    });
    hideCopy(el, String(model.get("_copy")), signal);
    if (shared.head !== undefined) {
      this.head(shared.head);
      this.change({ add: [...shared.rows.byKey.values()], update: [], remove: [] });
    }
    this.tick();
  }

  dispose(): void {
    this.#abort.abort();
  }

  // --- from the kernel ----------------------------------------------------------------------------------------------

  head(head: Head): void {
    const { settings } = head;
    this.#root.setAttribute("aria-label", `table of ${head.title}`);
    this.#clusters = head.clusters.map((cluster) => cluster.name);
    this.#columns(head);
    if (settings.sort !== this.#sort) {
      this.#sort = settings.sort;
      this.#applySort(settings.sort);
    }
    // only where it was set elsewhere: what is being typed here is not in the kernel yet
    if (settings.filter !== this.#kernelFilter) {
      this.#kernelFilter = settings.filter;
      if (settings.by !== this.id && settings.filter !== this.#filter) {
        this.#bar.filter(settings.filter);
        this.#apply(settings.filter);
      }
    }
    this.#drawn();
    this.tick();
  }

  change(changes: Changes): void {
    if (changes.add.length + changes.update.length + changes.remove.length === 0) return;
    this.#api.applyTransaction(changes);
    const { head } = this.#shared;
    // the first rows say how wide the columns should be
    if (!this.#measured && head !== undefined && changes.add.length > 0) {
      this.#measured = true;
      this.#shape = "";
      this.#columns(head);
    }
  }

  tick(): void {
    const { head, link, changes } = this.#shared;
    const now = this.#shared.now();
    this.#root.classList.toggle("frozen", link.condition.kernel !== "live" || head?.closed === true);
    if (head === undefined || document.visibilityState === "hidden") return;
    this.#shared.settle();
    this.#bar.tick(head, link, now);
    this.#bar.rate(changes.rate, changes.last, now);
    if (link.condition.kernel === "live") {
      // by force: what these cells are made of has not changed, only the time
      this.#api.refreshCells({ columns: liveTitles(head, this.#shared.rows.byKey.values()), force: true });
    }
    this.#sayEmpty();
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  #columns(head: Head): void {
    const shape = JSON.stringify([head.columns, shownTitles(head), head.looks, this.#measured]);
    if (shape === this.#shape) return;
    this.#shape = shape;
    // the body's, for the view may not be in the page yet
    const font = getComputedStyle(document.body).getPropertyValue("--jp-ui-font-family").trim() || "sans-serif";
    const now = this.#shared.now;
    const sorted = this.#api.getColumnState().filter((state) => state.sort);
    const defs = columnDefs(head, this.#shared.rows.byKey.values(), `12.5px ${font}`, now);
    if (head.looks) defs.unshift(actColumn((row, byKey) => this.#look(row, byKey), () => this.#panel.key));
    this.#api.setGridOption("columnDefs", defs);
    if (sorted.length === 0) this.#applySort(this.#sort);
  }

  #applySort(sort: string): void {
    const colId = sort.replace(/^-/, "") || ORDER;
    this.#api.applyColumnState({
      state: [{ colId, sort: sort.startsWith("-") ? "desc" : "asc" }],
      defaultState: { sort: null },
    });
  }

  #typed(text: string): void {
    this.#apply(text);
    clearTimeout(this.#sayFilter);
    this.#sayFilter = setTimeout(() => void this.#ask({ t: "set", name: "filter", value: text }), FILTER_SAY_MS);
  }

  #apply(text: string): void {
    this.#filter = text;
    this.#words = words(text);
    this.#api.onFilterChanged();
  }

  #selected(rows: Row[]): void {
    const chosen = rows.slice(0, SELECT_LIMIT).map((row) => [row.cluster, row.uid]);
    void this.#ask({ t: "select", rows: chosen });
    this.#drawn();
  }

  /** Show what a row has below the rows, or no more. */
  #look(row: Row, byKey: boolean): void {
    const { head } = this.#shared;
    if (head === undefined || !head.looks) return;
    if (this.#panel.key === row.key) {
      this.#panel.close();
      return;
    }
    const where = [...(head.several[0] ? [this.#clusters[row.cluster] ?? ""] : []), row.namespace];
    this.#panel.open(row, where.filter((one) => one !== "").join(" · "));
    this.#mark();
    // when the grid is through with the key
    if (byKey) setTimeout(() => this.#panel.element.focus());
  }

  #left(row: Row): void {
    void this.#ask({ t: "do", what: "leave" });
    if (this.#abort.signal.aborted) return;
    this.#mark();
    const index = this.#api.getRowNode(row.key)?.rowIndex;
    if (index != null) this.#api.setFocusedCell(index, ACT);
  }

  /** The rows' buttons say whose is shown. */
  #mark(): void {
    for (const button of this.#frame.querySelectorAll<HTMLElement>(".act button")) {
      button.setAttribute("aria-expanded", String(button.dataset["key"] === this.#panel.key));
    }
  }

  #ask(message: Record<string, unknown>) {
    return this.#shared.link.ask({ ...message, view: this.id });
  }

  #drawn(): void {
    const { head, rows } = this.#shared;
    if (head === undefined || this.#api === undefined) return;
    const shown = this.#api.getDisplayedRowCount();
    this.#bar.counts(shown, rows.byKey.size, this.#api.getSelectedRows().length);
    this.#bar.head(head, rows.counts);
    // it grows with its rows and does not shrink: what is below in the notebook must not jump
    this.#rowsHigh = Math.max(this.#rowsHigh, shown);
    const wanted = HEADER_PX + this.#rowsHigh * ROW_PX + SCROLLBAR_PX;
    const height = `${Math.min(head.settings.height, wanted)}px`;
    if (this.#frame.style.height !== height) this.#frame.style.height = height;
    this.#sayEmpty();
  }

  #sayEmpty(): void {
    const { head, rows } = this.#shared;
    if (head === undefined) return;
    const empty = this.#api.getDisplayedRowCount() === 0;
    this.#overlay.hidden = !empty;
    if (!empty) {
      setText(this.#overlay, "");
      return;
    }
    const unread = head.clusters.filter((cluster) => !cluster.synced);
    if (rows.byKey.size > 0) setText(this.#overlay, `None of ${rows.byKey.size} rows passes the filter.`);
    else if (unread.length > 0) {
      setText(this.#overlay, `Not read yet: ${unread.map(({ name, state }) => `${name} (${state})`).join(", ")}`);
    } else setText(this.#overlay, `There are no ${head.title} now.`);
  }
}
