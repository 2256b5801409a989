/** The grid's columns from the server's: which, how wide, how sorted, how coloured. */

import type { CellClassParams, ColDef, ICellRendererParams, IRowNode, ITooltipParams, ValueFormatterParams, ValueGetterParams } from "ag-grid-community";

import { element } from "../common/dom";
import { compareKeys, naturalKey } from "../common/order";
import type { Column, Head } from "./head";
import { asText, type Row } from "./rows";
import { hasShape, tone } from "./tones";

const PADDING = 26;
const NARROW = 44;
const WIDE = 360;
const SAMPLE = 400;
/** Characters from which a cell is likely to be cut, and shown in full where the pointer rests. */
const LONG = 40;
const NOTHING = new Set(["", "<none>", "<unset>"]);
const SHAPE = 18;
/** A state that any pod may come into, and that should not be cut when it does. */
const LONG_STATE = "CrashLoopBackOff";

/** Seconds since the epoch by the kernel's clock. */
export type Now = () => number;

const RIGHT = new Set(["integer", "number"]);

/** The id of the column with each row's button. */
export const ACT = "\u0000act";

const ACT_PX = 28;

/** The id of the hidden column that keeps the order of kubectl: cluster, namespace, name. */
export const ORDER = "\u0000order";

const measure = document.createElement("canvas").getContext("2d");

function width(texts: Iterable<string>, title: string, font: string, bold: boolean): number {
  if (measure === null) return 120;
  measure.font = `600 ${font}`;
  let widest = measure.measureText(title).width + 14; // the sort arrow
  if (!bold) measure.font = font;
  for (const text of texts) widest = Math.max(widest, measure.measureText(text).width);
  return Math.round(Math.min(WIDE, Math.max(NARROW, widest + PADDING)));
}

/** Titles shown, in order. */
export function shownTitles(head: Head): string[] {
  const lead = [...(head.several[0] ? ["Cluster"] : []), ...(head.several[1] ? ["Namespace"] : [])];
  const { columns, wide } = head.settings;
  if (columns !== null) return [...lead.filter((title) => !columns.includes(title)), ...columns];
  return [...lead, ...head.columns.filter((column) => wide || !column.wide).map((column) => column.title)];
}

/** The columns with cells that go on by themselves. */
export function liveTitles(head: Head, rows: Iterable<Row>): string[] {
  const live = new Set<string>();
  let looked = 0;
  for (const row of rows) {
    head.columns.forEach((column, index) => row.isLive(index) && live.add(column.title));
    if (++looked === SAMPLE) break;
  }
  return [...live];
}

/** The words of a row's button. */
export function actLabel(row: Row): string {
  return `Events and logs of ${row.name}`;
}

/** A button in each row; the grid's cells are reached by arrow keys, and Enter does in each of them what it does. */
export function actColumn(open: (row: Row, byKey: boolean) => void, opened: () => string): ColDef<Row> {
  return {
    colId: ACT,
    headerName: "",
    width: ACT_PX,
    minWidth: ACT_PX,
    pinned: "left",
    lockPinned: true,
    sortable: false,
    resizable: false,
    suppressMovable: true,
    cellClass: "act",
    cellRenderer: ({ data }: ICellRendererParams<Row>) => {
      if (data === undefined) return "";
      const label = actLabel(data);
      const expanded = String(opened() === data.key);
      const shown = { type: "button", tabindex: "-1", title: `${label} (Enter)`, "aria-label": label, "aria-expanded": expanded };
      const made = element("button", shown, "≡");
      made.dataset["key"] = data.key;
      made.addEventListener("click", (event) => {
        event.stopPropagation(); // the row is not selected by it
        open(data, event.detail === 0);
      });
      return made;
    },
  };
}

export function columnDefs(head: Head, rows: Iterable<Row>, font: string, now: Now): ColDef<Row>[] {
  const sample: Row[] = [];
  for (const row of rows) {
    sample.push(row);
    if (sample.length === SAMPLE) break;
  }
  const clusters = head.clusters.map((cluster) => cluster.name);
  const order: ColDef<Row> = {
    colId: ORDER,
    hide: true,
    lockVisible: true,
    comparator: (_a, _b, a: IRowNode<Row>, b: IRowNode<Row>) => byPlace(a.data, b.data),
  };
  const titles = shownTitles(head);
  const stateAt = head.columns.findIndex((column) => column.title === "Status");
  const defs = titles.map((title, place): ColDef<Row> => {
    const index = head.columns.findIndex((column) => column.title === title);
    const column = head.columns[index];
    const value =
      column !== undefined
        ? (row: Row): unknown => row.cell(index, now())
        : title === "Cluster"
          ? (row: Row): unknown => clusters[row.cluster]
          : (row: Row): unknown => row.namespace;
    const source = column !== undefined ? (row: Row): unknown => row.source(index) : value;
    const texts = sample.map((row) => asText(value(row)));
    const shaped = hasShape(title);
    if (shaped) texts.push(LONG_STATE);
    // an age that ticks over to a longer text must not be cut
    if (sample.some((row) => column !== undefined && row.isLive(index))) texts.push("00h00m");
    const def = common(title, column, value, source, (row) => (stateAt < 0 ? "" : row.cell(stateAt, 0)));
    def.comparator = (_a, _b, a: IRowNode<Row>, b: IRowNode<Row>) =>
      a.data && b.data ? compare(a.data, b.data, index, title, value) : 0;
    def.width = width(texts, title, font, shaped) + (shaped ? SHAPE : 0);
    if (place === titles.length - 1) Object.assign(def, { flex: 1, minWidth: def.width });
    return def;
  });
  return [order, ...defs];
}

function common(
  title: string,
  column: Column | undefined,
  value: (row: Row) => unknown,
  source: (row: Row) => unknown,
  state: (row: Row) => unknown,
): ColDef<Row> {
  const right = column !== undefined && RIGHT.has(column.type);
  const shaped = hasShape(title);
  const text = (row: Row | null | undefined): string => (row ? asText(value(row)) : "");
  return {
    colId: title,
    headerName: title,
    headerTooltip: column?.about.split(". ")[0] ?? title,
    headerClass: right ? "right" : "",
    // The grid asks for values at every comparison; the text is made only for what is drawn.
    valueGetter: ({ data }: ValueGetterParams<Row>) => (data ? source(data) : undefined),
    equals: same,
    valueFormatter: ({ data }: ValueFormatterParams<Row>) => text(data),
    tooltipValueGetter: ({ data }: ITooltipParams<Row>) => (text(data).length > LONG ? text(data) : null),
    cellClass: ({ data }: CellClassParams<Row>) => {
      const shown = text(data);
      return [
        right ? "right" : "",
        title === "Name" ? "name" : "",
        shaped ? "shaped" : "",
        NOTHING.has(shown) ? "nothing" : `tone-${tone(title, shown, data ? state(data) : "")}`,
      ];
    },
  };
}

/** Whether two sources of a cell give the same text. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return Array.isArray(a) && Array.isArray(b) && a[0] === b[0] && a[1] === b[1];
}

function compare(a: Row, b: Row, index: number, title: string, value: (row: Row) => unknown): number {
  const ordered =
    index >= 0
      ? compareKeys(a.sortKey(index, title), b.sortKey(index, title))
      : compareKeys(naturalKey(value(a)), naturalKey(value(b)));
  return ordered || byPlace(a, b);
}

function byPlace(a: Row | undefined, b: Row | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return a.place < b.place ? -1 : a.place > b.place ? 1 : 0;
}
