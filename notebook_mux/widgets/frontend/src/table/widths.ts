/** How wide columns are: what their cells need, and what they make do with where a page has less room than that. */

import type { Field } from "./cells";
import type { Row } from "./rows";
import { hasShape } from "./tones";

/** On either side of a cell's text. */
export const CELL_PADDING_PX = 7;
/** All that is beside the text: the line between two columns, too. */
export const PADDING = 2 * CELL_PADDING_PX + 1;
/** Besides, where there is room: cells are not all looked at, and digits are not all of one width. */
const EASE = 8;
const ARROW = 14;
const SHAPE = 18;
export const NARROW = 44;
const WIDE = 360;
/** Words may be cut to this where there is no room for them; numbers, ages and states are not. */
const CUT = 110;
/** A pod's name without the hashes behind it. */
const CUT_NAME = 140;
/** A state that any pod may come into, and that should not be cut when it does. */
const LONG_STATE = "CrashLoopBackOff";
/** The same of its restarts. */
const LONG_RESTARTS = "00 (00h00m ago)";
/** An age that ticks over to a longer text. */
const LONG_AGE = "00h00m";
/** What is in use comes after the rows. */
const LONG_USAGE: Record<string, string> = { CPU: "0000m", Mem: "0000Mi" };

/** What one column needs, in pixels. */
export interface Need {
  /** For what may come, too. */
  whole: number;
  /** So that nothing of what is there is cut. */
  least: number;
  /** So that it can still be told what it is. */
  cut: number;
  /** Whether the others are cut before it. */
  name: boolean;
}

const measure = document.createElement("canvas").getContext("2d");

const CELL_FONT = "12.5px";
const TITLE_FONT = "600 12px";

/** What a column of such rows needs; while there are none, its title does. */
export function needOf(field: Field, rows: readonly Row[], family: string, right: boolean): Need {
  const name = field.title === "Name";
  if (measure === null) return { whole: 120, least: 120, cut: 120, name };
  measure.font = `${TITLE_FONT} ${family}`;
  const title = measure.measureText(field.title).width;
  const shaped = hasShape(field.title);
  measure.font = `${shaped ? "600 " : ""}${CELL_FONT} ${family}`;
  const widest = (texts: readonly string[], least: number) => texts.reduce((most, text) => Math.max(most, measure.measureText(text).width), least);
  const live = rows.some((row) => field.live(row));
  const shape = shaped || field.toned ? SHAPE : 0;
  const usage = field.column?.source === "usage" ? LONG_USAGE[field.title] : undefined;
  const coming = [...(live ? [LONG_AGE] : []), ...(usage !== undefined ? [usage] : [])];
  const cells = widest([...rows.map((row) => field.text(row)), ...coming], 0) + shape;
  const longer = [...(shaped ? [LONG_STATE] : []), ...(field.title === "Restarts" ? [LONG_RESTARTS] : [])];
  const whole = bounded(Math.max(title + ARROW, cells, widest(longer, 0) + shape) + PADDING + EASE);
  const least = bounded(Math.max(title, cells) + PADDING);
  const words = !right && !shaped && !live;
  return { whole, least, cut: words ? Math.min(least, Math.max(name ? CUT_NAME : CUT, bounded(title + PADDING))) : least, name };
}

function bounded(width: number): number {
  return Math.round(Math.min(WIDE, Math.max(NARROW, width)));
}

/** What a user chose. */
export function chosen(width: number): Need {
  return { whole: width, least: width, cut: width, name: false };
}

/** First goes what nobody would miss, then the ends of long words, and those of names last. */
const STEPS: readonly ((need: Need) => number)[] = [
  ({ least }) => least,
  ({ least, cut, name }) => (name ? least : cut),
  ({ cut }) => cut,
];

/** The widths of columns in a room of so many pixels; more than fit in it, where they cannot do with less. */
export function fitted(needs: readonly Need[], room: number): number[] {
  let widths = needs.map(({ whole }) => whole);
  for (const floorOf of STEPS) {
    const over = sum(widths) - room;
    if (over <= 0) break;
    const spare = needs.map((need, at) => Math.max(0, (widths[at] ?? 0) - floorOf(need)));
    const share = Math.min(1, over / Math.max(1, sum(spare)));
    widths = widths.map((width, at) => Math.floor(width - (spare[at] ?? 0) * share));
  }
  return widths;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
