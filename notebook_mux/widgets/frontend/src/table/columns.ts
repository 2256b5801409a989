/** The grid's columns from the table's: which, how wide, how coloured. What stands in them the view is asked for. */

import type { CellClassParams, ColDef, ITooltipParams, ValueFormatterParams, ValueGetterParams } from "ag-grid-community";

import { element } from "../common/dom";
import { plain } from "../common/plain";
import { type Field, fieldOf, type TimeOf } from "./cells";
import type { Head } from "./head";
import type { Place } from "./rowmodel";
import type { Row } from "./rows";
import type { Said } from "./tone_rules";
import { hasShape, NAMES } from "./tones";
import { NARROW, type Need, needOf, PADDING } from "./widths";

const SAMPLE = 400;
/** Of a character, about: by it, a cell that is likely to be cut is shown in full where the pointer rests. */
const CHARACTER_PX = 7;
const NOTHING = new Set(["", "<none>", "<unset>"]);
const RIGHT = new Set(["integer", "number", "quantity"]);

/** What the grid takes for an attack on its prototypes, and for no column's id. */
const REFUSED = new Set(["__proto__", "constructor", "prototype"]);
const APART = "\u0000";

/** The grid's id of a column. */
export const idOf = (title: string): string => (REFUSED.has(title) ? title + APART : title);

/** The title of the column of an id. */
export const titleOf = (id: string): string => (id.endsWith(APART) ? id.slice(0, -1) : id);

/** The id of the column with each row's mark and button. */
export const ACT = "\u0000act";

export const ACT_PX = 28;

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
  return `Details of ${row.name}`;
}

/**
 * A mark and a button in each row; the grid's cells are reached by arrow keys, and Enter does in each of them what it
 * does. The button is of its place: whose it is just now is said by `painting.ts`.
 */
export function actColumn(looks: boolean, open: (place: number, byKey: boolean) => void): ColDef<Place> {
  return {
    colId: ACT,
    headerName: "Details",
    headerClass: "act",
    width: ACT_PX,
    minWidth: ACT_PX,
    pinned: "left",
    lockPinned: true,
    lockPosition: "left",
    sortable: false,
    resizable: false,
    suppressMovable: true,
    cellClass: "act",
    cellRenderer: ({ data }: { data: Place | undefined }) => {
      if (data === undefined || !looks) return "";
      const made = element("button", { type: "button", tabindex: "-1" }, "≡");
      made.addEventListener("click", (event) => {
        event.stopPropagation(); // the row is not selected by it
        open(data.place, event.detail === 0);
      });
      return made;
    },
  };
}

/** What a view says of the row at a place. */
export type RowAt = (place: number) => Row | undefined;

const BETWEEN = "\u0000";

/** What columns need, by the first of the rows. */
export function needsOf(head: Head, titles: readonly string[], rows: Iterable<Row>, family: string, timeOf: TimeOf): Need[] {
  const sample: Row[] = [];
  for (const row of rows) {
    sample.push(row);
    if (sample.length === SAMPLE) break;
  }
  return titles.map((title) => {
    const field = fieldOf(head, title, timeOf);
    return needOf(field, sample, family, isRight(field));
  });
}

/** The grid's columns: each as wide as it is given, and the last one, with a `rest`, at least that and all that is left. */
export function columnDefs(
  head: Head,
  titles: readonly string[],
  widths: readonly number[],
  rest: number | undefined,
  timeOf: TimeOf,
  rowAt: RowAt,
): ColDef<Place>[] {
  return titles.map((title, place): ColDef<Place> => {
    const def = columnDef(fieldOf(head, title, timeOf), rowAt);
    def.width = widths[place] ?? NARROW;
    if (place < titles.length - 1 || rest === undefined) return Object.assign(def, { flex: null }); // also of one that was the last before
    return Object.assign(def, { flex: 1, minWidth: rest });
  });
}

function isRight({ column }: Field): boolean {
  return column !== undefined && RIGHT.has(column.type);
}

function columnDef(field: Field, rowAt: RowAt): ColDef<Place> {
  const { title, column } = field;
  const right = isRight(field);
  const shaped = hasShape(title);
  const text = (value: unknown): string => (typeof value === "string" ? plain(value.slice(value.indexOf(BETWEEN) + 1)) : "");
  return {
    colId: idOf(title),
    headerName: plain(title),
    headerTooltip: plain(column?.about.split(". ")[0] ?? title),
    headerClass: right ? "right" : "",
    // All that is seen of a cell, so that the grid draws it again where that differs, and only there.
    valueGetter: ({ data }: ValueGetterParams<Place>) => {
      const row = data && rowAt(data.place);
      return row === undefined ? "" : `${field.said(row)[0]}${BETWEEN}${field.text(row)}`;
    },
    valueFormatter: ({ value }: ValueFormatterParams<Place>) => text(value),
    tooltipValueGetter: ({ data, column }: ITooltipParams<Place>) => {
      const row = data && rowAt(data.place);
      const room = column !== undefined && "getActualWidth" in column ? column.getActualWidth() - PADDING : Infinity;
      return row === undefined ? null : tooltip(plain(field.text(row)), field.said(row), room);
    },
    cellClass: ({ value }: CellClassParams<Place>) => {
      const shown = text(value);
      const tone = String(value).slice(0, String(value).indexOf(BETWEEN));
      return [
        right ? "right" : "",
        title === "Name" ? "name" : "",
        shaped ? "shaped" : "",
        tone !== "" ? `tone-${tone}` : NOTHING.has(shown) ? "nothing" : "",
      ];
    },
  };
}

/** What is said where the pointer rests: a cell that is cut, and what it means where that is more than the cell. */
function tooltip(shown: string, [tone, meaning]: Said, room: number): string | null {
  const more = meaning !== "" && meaning.toLowerCase() !== shown.toLowerCase();
  const means = more ? (tone === "" ? meaning : `${NAMES[tone]}: ${meaning}`) : "";
  if (shown.length * CHARACTER_PX > room) return means === "" ? shown : `${shown}\n${means}`;
  return means === "" ? null : means;
}
