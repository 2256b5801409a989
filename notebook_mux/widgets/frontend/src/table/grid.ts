/** AG Grid with the modules a table needs, in JupyterLab's colours. */

import {
  CellStyleModule,
  ClientSideRowModelApiModule,
  ClientSideRowModelModule,
  ColumnApiModule,
  createGrid,
  ExternalFilterModule,
  type GridApi,
  type GridOptions,
  ModuleRegistry,
  RenderApiModule,
  RowApiModule,
  RowSelectionModule,
  ScrollApiModule,
  themeQuartz,
  TooltipModule,
} from "ag-grid-community";

import type { Row } from "./rows";

ModuleRegistry.registerModules([
  CellStyleModule,
  ClientSideRowModelApiModule,
  ClientSideRowModelModule,
  ColumnApiModule,
  ExternalFilterModule,
  RenderApiModule,
  RowApiModule,
  RowSelectionModule,
  ScrollApiModule,
  TooltipModule,
]);

export const ROW_PX = 24;
export const HEADER_PX = 27;

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
  cellHorizontalPadding: 9,
  headerColumnResizeHandleColor: "var(--line)",
  spacing: 4,
});

export const GRID_CSS = `
.grid { position: relative; }
.grid > .host { height: 100%; }
.ag-cell { font-variant-numeric: tabular-nums; }
.ag-cell.right { text-align: right; }
.ag-header-cell.right .ag-header-cell-label { justify-content: flex-end; }
.ag-cell.name { font-weight: 500; }
.ag-cell.nothing { color: color-mix(in srgb, var(--dim) 60%, transparent); }
.ag-cell.tone-good { color: var(--good); }
.ag-cell.tone-warn { color: var(--warn); font-weight: 500; }
.ag-cell.tone-bad { color: var(--bad); font-weight: 600; }
.ag-cell.tone-done { color: var(--done); }
.ag-cell.shaped { --shape: "○"; }
.ag-cell.shaped.tone-good { --shape: "●"; }
.ag-cell.shaped.tone-warn { --shape: "▲"; }
.ag-cell.shaped.tone-bad { --shape: "■"; }
.ag-cell.shaped.tone-done { --shape: "✓"; }
.ag-cell.shaped.nothing { --shape: ""; }
.ag-cell.shaped .ag-cell-value::before { content: var(--shape); display: inline-block; width: 14px; font-size: 75%; vertical-align: 1px; }
.ag-row .ag-cell.act.ag-cell-normal-height { padding: 0 2px; }
.ag-cell.act .ag-cell-value { overflow: visible; }
.ag-cell.act button { width: 24px; height: 20px; padding: 0; border-color: transparent; background: transparent; color: var(--dim);
  line-height: 1; opacity: 0; }
.ag-row-hover .act button, .ag-row-selected .act button, .ag-row-focus .act button, .act button:focus-visible,
.act button[aria-expanded="true"] { opacity: 1; }
.ag-cell.act button:hover, .ag-cell.act button[aria-expanded="true"] { color: var(--accent); border-color: var(--line); background: var(--back); }
.overlay { position: absolute; inset: ${HEADER_PX}px 0 0; display: grid; place-items: center; text-align: center; color: var(--dim);
  pointer-events: none; padding: 0 24px; }
.overlay[hidden] { display: none; }
.frozen .host { opacity: .55; }
`;

export interface GridHooks {
  passes(row: Row): boolean;
  filtering(): boolean;
  selected(rows: Row[]): void;
  drawn(): void;
  /** Enter in a cell. */
  entered(row: Row): void;
}

/** Sources of a selection that is the user's and not our own doing. */
const USERS = new Set(["rowClicked", "spaceKey", "keyboardSelectAll", "checkboxSelected"]);

export function makeGrid(host: HTMLElement, styles: HTMLElement, label: string, hooks: GridHooks): GridApi<Row> {
  const options: GridOptions<Row> = {
    theme,
    themeStyleContainer: styles,
    rowData: [],
    columnDefs: [],
    getRowId: ({ data }) => data.key,
    rowHeight: ROW_PX,
    headerHeight: HEADER_PX,
    deltaSort: true,
    animateRows: false,
    suppressOverlays: ["loading", "noRows", "noMatchingRows"],
    suppressScrollOnNewData: true,
    suppressCellFocus: false,
    enableCellTextSelection: true,
    ensureDomOrder: true,
    tooltipShowDelay: 600,
    rowSelection: { mode: "multiRow", checkboxes: false, headerCheckbox: false, enableClickSelection: true },
    defaultColDef: { sortable: true, resizable: true, sortingOrder: ["asc", "desc", null] },
    isExternalFilterPresent: () => hooks.filtering(),
    doesExternalFilterPass: ({ data }) => data !== undefined && hooks.passes(data),
    onSelectionChanged: ({ source, api }) => {
      if (USERS.has(source)) hooks.selected(api.getSelectedRows());
    },
    onModelUpdated: () => hooks.drawn(),
    onCellKeyDown: ({ event, data }) => {
      if (!(event instanceof KeyboardEvent) || event.key !== "Enter" || data === undefined) return;
      if (event.composedPath()[0] instanceof HTMLButtonElement) return; // which is clicked by it
      if (!event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey) hooks.entered(data);
    },
  };
  const api = createGrid(host, options);
  api.setGridAriaProperty("label", label);
  return api;
}
