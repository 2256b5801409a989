/**
 * Whether a row passes a filter. A filter is read once and becomes one function, which is asked for each row at each
 * key; see notebook_mux/filtering/judging.py, to which tests put the same questions.
 */

import { humanDuration } from "../common/age";
import { AGE_TITLES, EMPTY, naturalKey, type SortKey } from "../common/order";
import { amount, difference, isRatio } from "./amounts";
import { near } from "./near";
import { parse } from "./reading";
import type { Pattern } from "./regexes";
import { holds } from "./selectors";
import type { Alternative, Compared, Mistake, Term, Text } from "./terms";

/** What is asked of a row; see `Row` in ../table/rows.ts. */
export interface Facts {
  /** Its cluster's index. */
  readonly cluster: number;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As it came: its cells are the fifth; the sixth says of those that go on by themselves since when, and their template. */
  readonly wire: Wire;
  /** What a cell is sorted by. Asked only of those that are no age alone. */
  sortKey(index: number, title: string): SortKey;
  /** See `wordsOf`; it is asked often. */
  words(): string;
}

type Alive = readonly [since: number, template: string];
type Wire = readonly [unknown, unknown, unknown, unknown, cells: readonly unknown[], alive: Readonly<Record<string, Alive>>, ...unknown[]];

/** The cells in lower case, each a line; of those that go on by themselves what stands before the time. */
export function wordsOf(cells: readonly unknown[], alive: Readonly<Record<string, Alive>>): string {
  const words: string[] = [];
  cells.forEach((cell, index) => {
    const live = alive[index];
    if (live === undefined) words.push(textOf(cell));
    else if (live[1] !== "{}") words.push(live[1].split("{}", 1)[0] as string);
  });
  return words.join("\n").toLowerCase();
}

export interface Column {
  readonly title: string;
  readonly type: string;
}

/** What a filter has to know of the table. */
export interface Scheme {
  readonly columns: readonly Column[];
  /** Whether the rows show their cluster and their namespace, so that words are looked for there too. */
  readonly several: readonly [clusters: boolean, namespaces: boolean];
  /** The clusters' names, by index. */
  readonly clusters: readonly string[];
  /** The time in a cluster, Unix seconds: ages count to it. */
  timeOf(cluster: number): number;
  fault(row: Facts): boolean;
}

export interface Compiled {
  readonly text: string;
  /** What of it cannot be, by place; what is right holds all the same. */
  readonly mistakes: readonly Mistake[];
  /** Whether there is anything to judge by. */
  readonly any: boolean;
  /** Whether a row may come to pass, or no more, by nothing but time. */
  readonly timed: boolean;
  passes(row: Facts): boolean;
}

type Judge = (row: Facts) => boolean;

export const CLUSTER = -1;
export const NAMESPACE = -2;
export const NAME = -3;

/** Columns that every row has, shown or not. */
export const OWN: readonly (readonly [title: string, place: number])[] = [["cluster", CLUSTER], ["namespace", NAMESPACE], ["name", NAME]];

/** Types of columns whose cells are numbers, with or without a unit. */
export const NUMBERS: ReadonlySet<string> = new Set(["integer", "number", "quantity"]);

const LESS: Record<string, readonly number[]> = { "<": [-1], "<=": [-1, 0], ">": [1], ">=": [1, 0] };
const USAGE = /^%?(?:cpu|mem)(?:\/[rl])?$/;
const SHOWN = 12;

/** Words that may be in an age: only for these the ages of all rows are printed at each key. */
const OF_AGES = /^[0-9ydhms() ago<>invl]+$|\(\d/;

/** A title as a filter names it: without case, blanks, `-` and `_`. */
export function plain(title: string): string {
  return title.toLowerCase().replace(/[ \-_]/g, "");
}

/** A cell as one line of text. */
export function textOf(cell: unknown): string {
  if (cell === null || cell === undefined) return "";
  const text = typeof cell === "string" ? cell : typeof cell === "object" ? JSON.stringify(cell) : String(cell);
  return text.includes("\n") ? text.replaceAll("\n", " ") : text;
}

/** Whether a column's texts are spans of time. */
export function countsTime({ title, type }: Column): boolean {
  return AGE_TITLES.has(title) || type === "date";
}

/** A cell as it is printed now. */
function cellOf(row: Facts, place: number, scheme: Scheme): unknown {
  if (place === NAME) return row.name;
  if (place === NAMESPACE) return row.namespace;
  if (place === CLUSTER) return scheme.clusters[row.cluster] ?? "";
  const alive = row.wire[5][place];
  return alive === undefined ? row.wire[4][place] : printed(alive, row, scheme);
}

function printed([since, template]: Alive, row: Facts, scheme: Scheme): string {
  const age = humanDuration(scheme.timeOf(row.cluster) - since);
  if (template === "{}") return age;
  const at = template.indexOf("{}");
  return template.slice(0, at) + age + template.slice(at + 2);
}

/** Compile a filter; `faults`: only rows with a fault pass, whatever is written. */
export function compiled(text: string, scheme: Scheme, faults = false): Compiled {
  const compiler = new Compiler(text, scheme);
  if (faults) compiler.judges.push((row) => scheme.fault(row));
  compiler.mistakes.sort((a, b) => a.start - b.start || a.end - b.end);
  const { judges, mistakes, timed } = compiler;
  const [first, second] = judges;
  let passes: Judge = () => true;
  if (judges.length === 1 && first !== undefined) passes = first;
  else if (judges.length === 2 && first !== undefined && second !== undefined) passes = (row) => first(row) && second(row);
  else if (judges.length > 2) passes = (row) => judges.every((judge) => judge(row));
  return { text, mistakes, any: judges.length > 0, timed, passes };
}

class Compiler {
  readonly judges: Judge[] = [];
  readonly mistakes: Mistake[];
  timed = false;
  #places = new Map<string, number>(OWN);
  #lowerClusters: string[];

  constructor(
    readonly text: string,
    readonly scheme: Scheme,
  ) {
    scheme.columns.forEach((_, index, columns) => {
      const back = columns.length - 1 - index; // the first of two of one title
      this.#places.set(plain((columns[back] as Column).title), back);
    });
    this.#lowerClusters = scheme.clusters.map((name) => name.toLowerCase());
    const read = parse(text);
    this.mistakes = read.mistakes;
    for (const term of read.terms) {
      const judge = this.#judge(term);
      if (judge !== undefined) this.judges.push(judge);
    }
  }

  #judge(term: Term): Judge | undefined {
    const { scheme } = this;
    switch (term.t) {
      case "text":
        return this.#words(term);
      case "regex":
        return this.#finds(term.pattern, term.negated);
      case "scope": {
        const equal = glob(term.alternatives);
        if (term.what === "namespace") return (row) => equal(row.namespace.toLowerCase());
        const meant = this.#lowerClusters.map(equal);
        return (row) => meant[row.cluster] === true;
      }
      case "labels": {
        const asked = term.requirements;
        return (row) => asked.every((one) => holds(one, row.labels));
      }
      case "faults":
        return (row) => scheme.fault(row);
      case "compared":
        return this.#compared(term);
    }
  }

  #words({ text, negated }: Text): Judge {
    const word = text.toLowerCase();
    const { scheme } = this;
    const ofAges = OF_AGES.test(word);
    const width = scheme.columns.length;
    const inClusters = this.#lowerClusters.map((name) => scheme.several[0] && name.includes(word));
    const namespaces = scheme.several[1];
    const inAges = (row: Facts) => {
      for (let index = 0; index < width; index++) {
        const alive = row.wire[5][index];
        if (alive !== undefined && printed(alive, row, scheme).toLowerCase().includes(word)) return true;
      }
      return false;
    };
    const has = (row: Facts) =>
      row.words().includes(word) ||
      inClusters[row.cluster] === true ||
      (namespaces && row.namespace.includes(word)) ||
      (ofAges && inAges(row));
    return negated ? (row) => !has(row) : has;
  }

  #finds(pattern: Pattern, negated: boolean): Judge {
    const { scheme } = this;
    const width = scheme.columns.length;
    const inClusters = scheme.clusters.map((name) => scheme.several[0] && pattern.test(name));
    const namespaces = scheme.several[1];
    const has = (row: Facts) => {
      if (pattern.inLines(row.words()) || inClusters[row.cluster] === true || (namespaces && pattern.test(row.namespace))) return true;
      for (let index = 0; index < width; index++) {
        const alive = row.wire[5][index];
        if (alive !== undefined && pattern.test(printed(alive, row, scheme))) return true;
      }
      return false;
    };
    return negated ? (row) => !has(row) : has;
  }

  #compared(term: Compared): Judge | undefined {
    const { scheme } = this;
    const place = this.#places.get(plain(term.key));
    const { negated, pattern } = term;
    if (place === undefined) {
      if (term.op in LESS) {
        this.mistakes.push(this.#noColumn(term));
        return undefined;
      }
      return label(term);
    }
    const column = place >= 0 ? (scheme.columns[place] as Column) : { title: term.key, type: "string" };
    if (countsTime(column)) this.timed = true;
    if (term.op in LESS) return this.#ordered(term, place, column);
    if (pattern !== undefined) return (row) => pattern.test(textOf(cellOf(row, place, scheme))) !== negated;
    const equal = equals(term.alternatives, column, place);
    return (row) => equal(cellOf(row, place, scheme), row) !== negated;
  }

  #ordered(term: Compared, place: number, column: Column): Judge | undefined {
    const { scheme } = this;
    const wanted = amount(term.value);
    const ages = countsTime(column);
    if (ages && wanted.seconds === undefined) return this.#untyped(term, `${term.value} is no span of time`, "90s, 5m, 1h30m or 2d");
    if (NUMBERS.has(column.type) && wanted.number === undefined) return this.#untyped(term, `${term.value} is no number`, "3, 200m or 1.5Gi");
    const signs = LESS[term.op] as readonly number[];
    const span = wanted.seconds;
    return (row) => {
      const alive = place >= 0 ? row.wire[5][place] : undefined;
      let found: number | undefined;
      if (alive !== undefined && alive[1] === "{}" && span !== undefined) {
        found = scheme.timeOf(row.cluster) - alive[0] - span;
      } else {
        const cell = cellOf(row, place, scheme);
        const key = place >= 0 && alive?.[1] !== "{}" ? row.sortKey(place, column.title) : naturalKey(cell);
        found = difference(cell, key, wanted, ages);
      }
      const holding = found !== undefined && !Number.isNaN(found) && signs.includes(Math.sign(found));
      return holding !== term.negated;
    };
  }

  #untyped(term: Compared, what: string, such: string): undefined {
    const [start, end] = term.valueSpan;
    const todo = `${term.key} is compared with one, such as ${such}`;
    this.mistakes.push({ start, end, what, todo, open: end === this.text.length });
  }

  #noColumn({ key, keySpan: [start, end], op }: Compared): Mistake {
    const byWord = new Map<string, string>();
    for (const { title } of this.scheme.columns) if (!byWord.has(plain(title))) byWord.set(plain(title), title);
    const offered = near(plain(key), [...byWord.keys()]).map((word) => byWord.get(word) as string);
    const titles = this.scheme.columns.map((column) => column.title);
    const all = `${titles.slice(0, SHOWN).join(", ")}${titles.length > SHOWN ? " …" : ""}`;
    let todo = offered.length > 0 ? `did you mean ${offered.join(" or ")}?` : `${op} compares columns: ${all}`;
    if (USAGE.test(plain(key))) todo = "CPU and memory are columns of pods and nodes with usage=True (the key u)";
    return { start, end, what: `there is no column ${key} to compare`, todo, open: false };
  }
}

/** Whether a text in lower case is one of these. */
function glob(alternatives: readonly Alternative[]): (text: string) => boolean {
  const exact = new Set(alternatives.filter((one) => one.length === 1).map(([text]) => (text as string).toLowerCase()));
  const wild = alternatives.filter((one) => one.length > 1).map((one) => one.map((part) => part.toLowerCase()));
  if (wild.length === 0) return (text) => exact.has(text);
  return (text) => exact.has(text) || wild.some((one) => fits(one, text));
}

function fits(parts: readonly string[], text: string): boolean {
  const first = parts[0] as string;
  const last = parts.at(-1) as string;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** Whether a cell is one of these: its text, or its number, so that `restarts=3` is `3 (5m ago)` too. */
function equals(alternatives: readonly Alternative[], column: Column, place: number): (cell: unknown, row: Facts) => boolean {
  const is = glob(alternatives);
  const nothing = alternatives.some((one) => one.length === 1 && one[0] === "");
  const numbers = new Set<number>();
  if (!countsTime(column)) {
    for (const one of alternatives) {
      const key = naturalKey(one[0]);
      if (one.length === 1 && key.rank === 0 && !isRatio(one[0])) numbers.add(key.first);
    }
  }
  return (cell, row) => {
    const text = textOf(cell);
    if (is(text.toLowerCase()) || (nothing && EMPTY.has(text))) return true;
    if (numbers.size === 0) return false;
    const key = place >= 0 ? row.sortKey(place, column.title) : naturalKey(cell);
    return key.rank === 0 && !isRatio(cell) && numbers.has(key.first);
  };
}

function label({ key, negated, pattern, alternatives }: Compared): Judge {
  const is = pattern === undefined ? glob(alternatives) : undefined;
  return ({ labels }) => {
    const value = Object.hasOwn(labels, key) ? (labels[key] as string) : undefined;
    const found = value !== undefined && (pattern?.test(value) ?? is?.(value.toLowerCase()) ?? false);
    return found !== negated;
  };
}
