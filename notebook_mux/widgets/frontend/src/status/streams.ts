/** The streams: how each stands, its minute, and what it costs. A click on a title sorts. */

import { count, element, setText } from "../common/dom";
import { stateTone } from "../common/trouble";
import { lastOf, type Stream } from "./data";
import { bytes, milliseconds, perSecond } from "./figures";
import { Spark } from "./spark";
import { troubleRow } from "./troubles";

type Tone = "" | "warn" | "bad";

/** Seconds of lag from which a person notices that it is late, and from which it is a fault. */
const LATE = 1;
const LOST = 10;
/** Milliseconds of the kernel's thread in a second: all streams share one such second, with the kernel's own cells. */
const BUSY = 200;
const JAMMED = 500;

/** A stream with what the page itself knows of it. */
export interface Shown {
  stream: Stream;
  /** Milliseconds of the kernel's thread in a second. */
  cpu: number;
}

interface Column {
  title: string;
  about: string;
  number?: boolean;
  text?(shown: Shown): string;
  /** What it is sorted by; none: it is not. */
  key?(shown: Shown): number | string;
  tone?(shown: Shown): Tone;
  tip?(shown: Shown): string;
  spark?: "changes" | "lag";
}

const from = (value: number, warn: number, bad: number): Tone => (value >= bad ? "bad" : value >= warn ? "warn" : "");
const states = ({ stream }: Shown): string => [...new Set(Object.values(stream.states))].join(", ");

const COLUMNS: Column[] = [
  { title: "Stream", about: "What is watched", text: ({ stream }) => stream.what, key: ({ stream }) => stream.what },
  { title: "State", about: "On each cluster", key: states },
  {
    title: "Objects", about: "In the kernel's store", number: true,
    text: ({ stream }) => count(stream.objects), key: ({ stream }) => stream.objects,
  },
  {
    title: "Changes/s", about: "Of the last three seconds; the picture is the last minute", number: true,
    text: ({ stream }) => perSecond(stream.change_rate), key: ({ stream }) => stream.change_rate,
    tip: ({ stream }) => `${count(stream.changes)} changes so far`, spark: "changes",
  },
  {
    title: "Lag", about: "From the gateway's print to the kernel's store; the picture is the last minute", number: true,
    text: ({ stream }) => milliseconds(stream.lag), key: ({ stream }) => stream.lag, spark: "lag",
    tone: ({ stream }) => from(stream.lag, LATE, LOST),
  },
  {
    title: "Bytes/s", about: "Received, of the last three seconds", number: true,
    text: ({ stream }) => `${bytes(stream.byte_rate)}`, key: ({ stream }) => stream.byte_rate,
    tip: ({ stream }) => `${bytes(stream.bytes)} so far`,
  },
  {
    title: "Memory", about: "What its objects take in the kernel", number: true,
    text: ({ stream }) => bytes(stream.memory), key: ({ stream }) => stream.memory,
  },
  {
    title: "CPU", about: "Of the kernel's thread, in a second", number: true,
    text: ({ cpu }) => `${cpu < 10 ? cpu.toFixed(1) : count(cpu)} ms/s`, key: ({ cpu }) => cpu,
    tone: ({ cpu }) => from(cpu, BUSY, JAMMED), tip: ({ stream }) => `${milliseconds(stream.cpu)} so far`,
  },
  {
    title: "Lists", about: "Whole lists that came for it, and new ones that the gateway had to ask for", number: true,
    text: ({ stream }) => count(stream.snapshots + stream.relists), key: ({ stream }) => stream.snapshots + stream.relists,
    tip: ({ stream }) => `asked for ${count(stream.requests)} times, ${count(stream.snapshots)} lists came, ${count(stream.relists)} were made anew`,
  },
  {
    title: "Skipped", about: "States in between that were left out, as the reader fell behind", number: true,
    text: ({ stream }) => count(stream.skipped), key: ({ stream }) => stream.skipped,
    tone: ({ stream }) => (stream.skipped > 0 ? "warn" : ""),
  },
  {
    title: "Used by", about: "Who holds it: it ends a little after the last has gone",
    text: ({ stream }) => stream.held.join(", ") || (stream.holders > 0 ? count(stream.holders) : "nobody: it ends soon"),
    key: ({ stream }) => stream.holders,
  },
];

/** Seconds of lag that fill a picture at least. */
export const LEAST_LAG = 0.05;

/** Streams from which the table scrolls by itself. */
const MANY = 12;

function classOf(column: Column, index: number): string {
  if (index === 0) return "fill";
  return column.title === "Skipped" ? "n skipped" : column.number ? "n" : "";
}

class Line {
  readonly row = element("tr");
  readonly cells: HTMLElement[];
  readonly texts: Text[];
  readonly sparks = new Map<string, Spark>();

  constructor() {
    this.texts = COLUMNS.map(() => document.createTextNode(""));
    this.cells = COLUMNS.map((column, index) => {
      const cell = element("td", { class: classOf(column, index) });
      if (column.spark !== undefined) {
        const spark = new Spark(64, 16, `${column.spark} in the last minute`, column.spark === "lag" ? LEAST_LAG : 1);
        this.sparks.set(column.spark, spark);
        cell.append(spark.element, " ");
      }
      cell.append(this.texts[index] as Text);
      return cell;
    });
    this.row.append(...this.cells);
  }

  draw(shown: Shown): void {
    COLUMNS.forEach((column, index) => {
      const cell = this.cells[index] as HTMLElement;
      if (column.title === "State") drawStates(cell, shown);
      else setText(this.texts[index] as Text, column.text?.(shown) ?? "");
      const tone = column.tone?.(shown) ?? "";
      if (tone === "") delete cell.dataset["tone"];
      else cell.dataset["tone"] = tone;
      const tip = column.tip?.(shown) ?? "";
      if (tip !== "" && cell.title !== tip) cell.title = tip;
    });
    this.sparks.get("changes")?.draw(shown.stream.minute.changes);
    this.sparks.get("lag")?.draw(shown.stream.minute.lag);
  }
}

/** A dot for each cluster, and the states in words. */
function drawStates(cell: HTMLElement, shown: Shown): void {
  const { states: each } = shown.stream;
  const now = JSON.stringify(each);
  if (cell.dataset["states"] === now) return;
  cell.dataset["states"] = now;
  const dots = Object.entries(each).map(([cluster, state]) => {
    const dot = element("span", { class: "dot", "aria-hidden": "true" });
    dot.dataset["tone"] = stateTone(state);
    return element("span", { class: "chip", title: `${cluster}: ${state}` }, dot);
  });
  cell.replaceChildren(...dots, ` ${states(shown)}`);
}

export class StreamTable {
  readonly element: HTMLElement;
  #table = element("table", { class: "streams" });
  #body = element("tbody");
  #heads: HTMLElement[];
  #lines = new Map<string, Line>();
  #sorted: [column: number, sign: 1 | -1] | undefined;
  #last: Shown[] = [];
  #now = 0;

  constructor(signal: AbortSignal) {
    this.#heads = COLUMNS.map((column, index) => {
      const button = element("button", { type: "button", class: "sort", title: column.about }, column.title);
      button.addEventListener("click", () => this.#sort(index), { signal });
      return element("th", { scope: "col", class: classOf(column, index) }, button);
    });
    const head = element("thead", {}, element("tr", {}, ...this.#heads));
    this.#table.append(head, this.#body);
    this.element = element("div", { class: "scrolled", role: "group", "aria-label": "Streams", tabindex: "0" }, this.#table);
  }

  draw(streams: Shown[], now: number): void {
    this.#last = streams;
    this.#now = now;
    this.element.classList.toggle("many", streams.length > MANY);
    this.#table.classList.toggle("none-skipped", streams.every(({ stream }) => stream.skipped === 0));
    for (const id of this.#lines.keys()) if (!streams.some(({ stream }) => stream.id === id)) this.#lines.delete(id);
    const rows = this.#ordered(streams).flatMap((shown) => {
      const { stream } = shown;
      let line = this.#lines.get(stream.id);
      if (line === undefined) this.#lines.set(stream.id, (line = new Line()));
      line.draw(shown);
      return [line.row, ...stream.troubles.map((at) => troubleRow(at, now, COLUMNS.length, at.name))];
    });
    if (rows.length === 0) {
      const words = "no stream is open: nm.watch(…), nm.table(…)";
      rows.push(element("tr", {}, element("td", { class: "dim", colspan: String(COLUMNS.length) }, words)));
    }
    const there = [...this.#body.children];
    if (rows.length !== there.length || rows.some((row, at) => row !== there[at])) this.#body.replaceChildren(...rows);
  }

  #sort(column: number): void {
    const [before, sign] = this.#sorted ?? [-1, 1];
    const first = COLUMNS[column]?.number ? -1 : 1; // the dearest first
    this.#sorted = before !== column ? [column, first] : sign === first ? [column, first === 1 ? -1 : 1] : undefined;
    this.#heads.forEach((head, index) => {
      if (this.#sorted?.[0] === index) head.setAttribute("aria-sort", this.#sorted[1] === 1 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    this.draw(this.#last, this.#now);
  }

  #ordered(streams: Shown[]): Shown[] {
    if (this.#sorted === undefined) return streams;
    const [column, sign] = this.#sorted;
    const key = COLUMNS[column]?.key;
    if (key === undefined) return streams;
    return [...streams].sort((a, b) => {
      const [one, other] = [key(a), key(b)];
      const order = typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
      return sign * order;
    });
  }
}

/** What a screen reader is told of a minute. */
export function minuteLabel(name: string, seconds: readonly number[], text: (value: number) => string): string {
  return `${name} in the last minute: now ${text(lastOf(seconds))}, at most ${text(Math.max(0, ...seconds))}`;
}

export const STREAMS_CSS = `
.scrolled.many { max-height: 420px; overflow: auto; }
.scrolled.many thead th { position: sticky; top: 0; background: var(--back); z-index: 1; }
table.streams td, table.streams th { padding: 2px 7px; }
table.streams td:last-child { white-space: normal; min-width: 96px; }
table.streams.none-skipped .skipped { display: none; }
table.streams td .spark { width: 64px; height: 16px; display: inline-block; vertical-align: middle; margin-right: 4px; }
button.sort { border: none; background: none; padding: 0; height: auto; font-weight: 600; color: var(--dim); font-size: 100%; }
button.sort:hover { color: var(--text); background: none; text-decoration: underline; }
th[aria-sort] button.sort { color: var(--accent-text); }
th[aria-sort="ascending"] button.sort::after { content: " ↑"; content: " ↑" / ""; }
th[aria-sort="descending"] button.sort::after { content: " ↓"; content: " ↓" / ""; }
td[data-tone="warn"] { color: var(--warn); font-weight: 500; }
td[data-tone="bad"] { color: var(--bad); font-weight: 600; }
td[data-tone="warn"]::after { content: "\\2002▲"; content: "\\2002▲" / ", needs attention"; font-size: 75%; }
td[data-tone="bad"]::after { content: "\\2002■"; content: "\\2002■" / ", failing"; font-size: 75%; }
`;
