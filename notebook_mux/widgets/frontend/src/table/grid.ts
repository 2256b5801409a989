/** AG Grid with the modules a table needs, in JupyterLab's colours: a window onto the rows that a view arranges. */

import {
  CellStyleModule,
  ColumnApiModule,
  createGrid,
  type GridApi,
  type GridOptions,
  ModuleRegistry,
  RenderApiModule,
  RowApiModule,
  ScrollApiModule,
  themeQuartz,
  TooltipModule,
} from "ag-grid-community";

import { type Group, isGroup, type Shown } from "./arrangement";
import type { Sort } from "./cells";
import { ACT, ACT_PX, idOf, titleOf } from "./columns";
import { fillGroup, groupElement } from "./painting";
import { type Context, type Place, placeModule, PLACES } from "./rowmodel";
import { TONE_CSS } from "./tone_css";
import { CELL_PADDING_PX } from "./widths";

ModuleRegistry.registerModules([
  CellStyleModule,
  ColumnApiModule,
  placeModule(ColumnApiModule.version),
  RenderApiModule,
  RowApiModule,
  ScrollApiModule,
  TooltipModule,
]);

export const ROW_PX = 24;
export const HEADER_PX = 27;
/** Rows drawn above and below those on the screen. */
const BUFFER = 5;

const theme = themeQuartz.withParams({
  accentColor: "var(--accent)",
  backgroundColor: "var(--back)",
  foregroundColor: "var(--text)",
  borderColor: "var(--line)",
  chromeBackgroundColor: "var(--back)",
  headerBackgroundColor: "var(--back)",
  headerTextColor: "var(--dim)",
  headerFontWeight: 600,
  oddRowBackgroundColor: "transparent",
  rowHoverColor: "var(--hover)",
  selectedRowBackgroundColor: "var(--picked)",
  rangeSelectionBorderColor: "var(--accent)",
  rowBorder: { color: "color-mix(in srgb, var(--line) 55%, transparent)" },
  pinnedColumnBorder: false,
  wrapperBorder: false,
  wrapperBorderRadius: 0,
  fontFamily: "var(--font)",
  fontSize: 12.5,
  headerFontSize: 12,
  rowHeight: ROW_PX,
  headerHeight: HEADER_PX,
  cellHorizontalPadding: CELL_PADDING_PX,
  headerColumnResizeHandleColor: "var(--line)",
  spacing: 4,
});

export const GRID_CSS = `
.grid { position: relative; }
.grid > .host { height: 100%; isolation: isolate; }
.ag-cell { font-variant-numeric: tabular-nums; }
.ag-cell.right { text-align: right; }
.ag-header-cell.right .ag-header-cell-label { justify-content: flex-end; }
.ag-cell.name { font-weight: 500; }
.ag-cell.nothing { color: var(--dim); }
${TONE_CSS}.ag-row .ag-cell.act.ag-cell-normal-height { padding: 0 2px; }
.ag-cell.act .ag-cell-value { overflow: visible; }
.ag-header-cell.act .ag-header-cell-label { opacity: 0; }
.ag-cell.act button { width: 24px; height: 20px; padding: 0; border-color: transparent; background: transparent; color: var(--dim);
  line-height: 1; opacity: 0; }
.ag-row-hover .act button, .ag-row-selected .act button, .ag-row-focus .act button, .act button:focus-visible,
.act button[aria-expanded="true"] { opacity: 1; }
.ag-cell.act button:hover, .ag-cell.act button[aria-expanded="true"] { color: var(--accent-text); border-color: var(--line); background: var(--back); }
.overlay { position: absolute; inset: ${HEADER_PX}px 0 0; display: grid; place-items: center; text-align: center; color: var(--dim);
  pointer-events: none; padding: 0 24px; }
.overlay[hidden] { display: none; }
.frozen .host { filter: grayscale(1); }
`;

export interface GridHooks {
  /** What is shown at a place, from the top. */
  at(place: number): Shown | undefined;
  groupTitle(name: string): string;
  /** The user chose another order. */
  sorted(sorts: Sort[]): void;
  /** The user moved a column: the titles as they stand now. */
  moved(titles: string[]): void;
  resized(title: string, width: number): void;
  /** A row, or a group's own, was clicked. */
  clicked(place: number, event: MouseEvent): void;
  /** A key in a cell or a group's own row, after the grid has done what it does with it. */
  key(place: number, event: KeyboardEvent): void;
  /** The page's focus came to a place; the grid tells of it later than the next key may come. */
  focused(): void;
  /** Give the focus to the row that had it last; says whether there is any. */
  enter(): boolean;
  /** Rows were drawn that were not before, as by scrolling. */
  scrolled(): void;
  /** There is more room, or less. */
  sized(): void;
}

/** The grid of a view. */
export class Grid {
  readonly api: GridApi<Place>;
  /** Whether the user is dragging a column, or the edge of one. */
  dragging = false;
  #host: HTMLElement;
  #viewport: Element | null;
  #bar: Element | null;
  #sizes: ResizeObserver;
  #context: Context = { rowHeight: ROW_PX };
  #hooks: GridHooks;

  constructor(host: HTMLElement, styles: HTMLElement, label: string, hooks: GridHooks) {
    this.#host = host;
    this.#hooks = hooks;
    this.api = createGrid(host, this.#options(styles));
    this.label(label);
    this.api.setGridAriaProperty("multiselectable", "true");
    host.addEventListener("keydown", (event) => this.#tab(event), { capture: true });
    host.addEventListener("focusin", () => hooks.focused());
    this.#viewport = host.querySelector(".ag-grid-viewport");
    this.#bar = host.querySelector(".ag-body-vertical-scroll");
    this.#sizes = new ResizeObserver(() => hooks.sized());
    for (const one of [this.#viewport, this.#bar]) if (one !== null) this.#sizes.observe(one);
  }

  destroy(): void {
    this.#sizes.disconnect();
    this.api.destroy();
  }

  /** Draw what has become of the rows: so many of them now. */
  draw(count: number): void {
    this.#context.model?.resize(count);
    const other = new Set<number>();
    for (const drawn of this.#host.querySelectorAll(".ag-row")) {
      const place = Number(drawn.getAttribute("row-index"));
      if (drawn.classList.contains("ag-full-width-row") !== isGroup(this.#hooks.at(place))) other.add(place);
    }
    if (other.size > 0) {
      const nodes = this.api.getRenderedNodes().filter(({ rowIndex }) => rowIndex !== null && other.has(rowIndex));
      this.api.redrawRows({ rowNodes: nodes });
    }
    this.api.refreshCells();
  }

  /** The places on the screen, and some around them. */
  get drawn(): [first: number, last: number] {
    return [this.api.getFirstDisplayedRowIndex(), this.api.getLastDisplayedRowIndex()];
  }

  /** Pixels for the columns that can be scrolled to; 0 while the page does not show it. */
  get room(): number {
    // some systems' scrollbars lie on the rows and come only when they are used: no room is lost to them
    const bar = this.#bar?.classList.contains("ag-scrollbar-invisible") === false ? this.#bar.clientWidth : 0;
    return (this.#viewport?.clientWidth ?? 0) - bar - ACT_PX;
  }

  /** The place that has the focus of the grid; undefined where none has it. */
  get focus(): { place: number; column: string } | undefined {
    const cell = this.api.getFocusedCell();
    return cell === null ? undefined : { place: cell.rowIndex, column: cell.column.getColId() };
  }

  /** Whether one of the rows has the page's focus. */
  get active(): boolean {
    const root = this.#host.getRootNode() as ShadowRoot | Document;
    const focused = root.activeElement;
    return this.#host.contains(focused) && focused?.closest(".ag-row") != null;
  }

  /** Scroll as far as needed. */
  reveal(place: number): void {
    this.api.ensureIndexVisible(place);
  }

  /** Give the focus to another place, wherever that is; nothing is scrolled. */
  setFocus(place: number, column: string | undefined): void {
    const shown = this.api.getAllDisplayedColumns().map((one) => one.getColId());
    const id = column !== undefined && shown.includes(column) ? column : shown[0];
    if (id !== undefined) this.#context.model?.focus(place, id);
  }

  /** Show what the user is to see sorted, in the header. */
  showSorts(sorts: readonly Sort[]): void {
    const state = sorts.map(({ title, down }, sortIndex) => ({ colId: idOf(title), sort: down ? "desc" : "asc", sortIndex }) as const);
    this.api.applyColumnState({ state: [...state], defaultState: { sort: null } });
  }

  /** What the rows are of, for a screen reader. */
  label(text: string): void {
    this.api.setGridAriaProperty("label", text);
  }

  /** A table with groups is a tree to a screen reader. */
  grouped(on: boolean): void {
    const grid = this.#host.querySelector("[role=grid], [role=treegrid]");
    grid?.setAttribute("role", on ? "treegrid" : "grid");
  }

  /** Tab goes from the header to the rows and out, and back: cells are reached by arrows. */
  #tab(event: KeyboardEvent): void {
    if (event.key !== "Tab" || event.ctrlKey || event.altKey || event.metaKey) return;
    const from = event.composedPath()[0];
    if (!(from instanceof HTMLElement)) return;
    const row = from.closest(".ag-row") !== null;
    if (!row && from.closest(".ag-header-cell") === null) return;
    event.stopPropagation(); // not the grid's own way, from cell to cell
    const back = event.shiftKey;
    if (row && back) {
      const column = this.focus?.column ?? this.api.getAllDisplayedColumns()[0]?.getColId();
      if (column !== undefined) this.api.setFocusedHeader(column);
      event.preventDefault();
    } else if (!row && !back && this.#hooks.enter()) event.preventDefault();
    else this.#context.model?.leave(back);
  }

  #options(styles: HTMLElement): GridOptions<Place> {
    const hooks = this.#hooks;
    return {
      ...PLACES,
      context: this.#context,
      theme,
      themeStyleContainer: styles,
      columnDefs: [],
      rowHeight: ROW_PX,
      headerHeight: HEADER_PX,
      rowBuffer: BUFFER,
      animateRows: false,
      suppressAnimationFrame: true,
      suppressDragLeaveHidesColumns: true,
      suppressOverlays: ["loading", "noRows", "noMatchingRows"],
      suppressScrollOnNewData: true,
      enableCellTextSelection: true,
      ensureDomOrder: true,
      tooltipShowDelay: 600,
      defaultColDef: { sortable: true, resizable: true, sortingOrder: ["asc", "desc", null] },
      isFullWidthRow: ({ rowNode }) => isGroup(hooks.at(rowNode.rowIndex ?? -1)),
      fullWidthCellRenderer: ({ node }: { node: { rowIndex: number | null } }) => {
        const made = groupElement();
        const shown = hooks.at(node.rowIndex ?? -1);
        if (isGroup(shown)) fillGroup(made, shown as Group, hooks.groupTitle(shown.group));
        made.addEventListener("click", (event) => hooks.clicked(node.rowIndex ?? -1, event));
        return made;
      },
      onSortChanged: ({ source, api }) => {
        if (source !== "uiColumnSorted") return;
        const by = api.getColumnState().filter(({ sort }) => sort);
        by.sort((a, b) => (a.sortIndex ?? 0) - (b.sortIndex ?? 0));
        hooks.sorted(by.map(({ colId, sort }) => ({ title: titleOf(colId), down: sort === "desc" })));
      },
      onColumnMoved: ({ source, finished, api }) => {
        if (source !== "uiColumnMoved") return;
        this.dragging = !finished;
        if (finished) hooks.moved(api.getAllDisplayedColumns().map((column) => titleOf(column.getColId())).filter((id) => id !== ACT));
      },
      onColumnResized: ({ source, finished, column }) => {
        if (source !== "uiColumnResized" || column === null) return;
        this.dragging = !finished;
        if (finished) hooks.resized(titleOf(column.getColId()), column.getActualWidth());
      },
      onCellClicked: ({ rowIndex, event, column }) => {
        if (rowIndex !== null && event instanceof MouseEvent && column.getColId() !== ACT) hooks.clicked(rowIndex, event);
      },
      onCellKeyDown: ({ event, rowIndex }) => {
        if (!(event instanceof KeyboardEvent) || rowIndex === null) return;
        if (event.composedPath()[0] instanceof HTMLButtonElement && (event.key === "Enter" || event.key === " ")) return; // which is clicked by it
        hooks.key(rowIndex, event);
      },
      focusGridInnerElement: ({ fromBottom }) => fromBottom === true && hooks.enter(),
      onViewportChanged: () => hooks.scrolled(),
      onBodyScroll: () => hooks.scrolled(),
    };
  }
}
