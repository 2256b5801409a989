/** What may follow where somebody types; see notebook_mux/filtering/completing.py, to which tests put the same questions. */

import { naturalKey } from "../common/order";
import { CLUSTER, type Column, countsTime, type Facts, NAME, NAMESPACE, NUMBERS, OWN, plain, textOf } from "./judging";
import { parse } from "./reading";
import { BLANK } from "./terms";

/** Candidates at most: nobody reads more, and the next letter leaves fewer. */
const MOST = 50;

type About = readonly (readonly [text: string, about: string])[];

const IS: About = [["=", "is"], ["!=", "is not"]];
const MORE: About = [[">", "more than"], ["<", "less than"]];
const TEXTS: About = [...IS, ["~", "matches"], ["!~", "does not match"], ...MORE];
const AMOUNTS: About = [...MORE, [">=", "at least"], ["<=", "at most"], ...IS];
const FLAGS: About = [
  ["-n ", "namespaces"], ["-l ", "labels, as kubectl"], ["--cluster ", "clusters"], ["--faults", "what shows a fault"],
];
const SPANS = ["5m", "1h", "1d", "7d"];

const SCOPE = new RegExp(`^(-n|--namespace|--cluster)(?:=|[${BLANK}]+)([^${BLANK}]*)$`);
const LABELS = new RegExp(`^(?:-l|--selector)(?:=|[${BLANK}]+)(['"]?)(.*)$`, "s");
const LISTED = /([-A-Za-z0-9_./]+)\s+(?:in|notin)\s*\((?:[^()]*,)?\s*([^(),]*)$/;
const EQUALLED = /([-A-Za-z0-9_./]+)\s*(?:==?|!=)\s*([-A-Za-z0-9_.]*)$/;
const KEYED = /(?:^|,)\s*!?([-A-Za-z0-9_./]*)$/;
const COMPARED = new RegExp(`^!?([^${BLANK}=!<>~"]+)(=~|==?|!=|!~|>=|<=|~|>|<)([^${BLANK}]*)$`);
const WORD = new RegExp(`^(!?)([^${BLANK}"]*)$`);
const NEEDS_QUOTES = new RegExp(`[${BLANK}",*]`);
const STARTS_BLANK = new RegExp(`^[${BLANK}]`);
const ENDS_BLANK = new RegExp(`[${BLANK}]$`);

export interface Candidate {
  readonly text: string;
  readonly kind: "column" | "label" | "value" | "operator" | "flag";
  /** A word or two for whoever chooses; of a value how many rows have it. */
  readonly about: string;
}

/** What may take the place of a part of the text. */
export interface Completion {
  readonly start: number;
  readonly end: number;
  readonly candidates: readonly Candidate[];
}

type Counts = Map<string, number>;
type Found = readonly [fragment: string | undefined, candidates: Candidate[]];

/** What is known of a table's rows; what is asked is worked out once. */
export class Known {
  #values = new Map<number, Counts>();
  #labels: Counts | undefined;
  #labelValues = new Map<string, Counts>();

  constructor(
    readonly columns: readonly Column[],
    readonly clusters: readonly string[],
    readonly rows: readonly Facts[],
  ) {}

  /** A column by what a filter calls it; as the filter itself finds it. */
  place(key: string): number | undefined {
    const index = this.columns.findIndex(({ title }) => plain(title) === plain(key));
    return index >= 0 ? index : OWN.find(([title]) => title === plain(key))?.[1];
  }

  /** All columns, as a filter writes them. */
  titles(): string[] {
    const [first] = this.rows;
    const own = [
      ...(this.rows.some((row) => row.namespace !== first?.namespace) ? ["namespace"] : []),
      ...(this.rows.some((row) => row.cluster !== first?.cluster) ? ["cluster"] : []),
    ];
    return [...new Set([...this.columns.map(({ title }) => written(title)), ...own])];
  }

  /** The cells of a column, and how many rows have each; none of one that counts time. */
  values(place: number): Counts {
    let counts = this.#values.get(place);
    if (counts === undefined) this.#values.set(place, (counts = this.#count(place)));
    return counts;
  }

  #count(place: number): Counts {
    const counts: Counts = new Map();
    for (const row of this.rows) {
      let cell: unknown;
      if (place === CLUSTER) cell = this.clusters[row.cluster];
      else if (place === NAMESPACE) cell = row.namespace;
      else if (place === NAME) cell = row.name;
      else {
        const alive = row.wire[5][place];
        if (alive?.[1] === "{}" || place >= row.wire[4].length) continue;
        cell = alive?.[1] ?? row.wire[4][place];
      }
      const text = textOf(cell);
      const blank = text.indexOf(" ");
      add(counts, blank > 0 && naturalKey(cell).rank === 0 ? text.slice(0, blank) : text); // 3 (5m ago)
    }
    return counts;
  }

  labels(): Counts {
    if (this.#labels === undefined) {
      this.#labels = new Map();
      for (const row of this.rows) for (const key of Object.keys(row.labels)) add(this.#labels, key);
    }
    return this.#labels;
  }

  labelValues(key: string): Counts {
    let counts = this.#labelValues.get(key);
    if (counts === undefined) {
      this.#labelValues.set(key, (counts = new Map()));
      for (const { labels } of this.rows) if (Object.hasOwn(labels, key)) add(counts, labels[key] as string);
    }
    return counts;
  }
}

function add(counts: Counts, text: string): void {
  counts.set(text, (counts.get(text) ?? 0) + 1);
}

/** A title as one word of a filter. */
function written(title: string): string {
  return title.toLowerCase().replaceAll(" ", "-");
}

/** What may follow at a place of a text. */
export function complete(text: string, cursor: number, known: Known): Completion {
  const head = text.slice(0, cursor);
  const after = text.slice(cursor, cursor + 1);
  const none = { start: cursor, end: cursor, candidates: [] };
  if (after !== "" && after !== "," && !STARTS_BLANK.test(after)) return none;
  const word = head.slice(parse(head).last);
  let [fragment, candidates] = follow(word, known);
  if (fragment === undefined && ENDS_BLANK.test(head) && !isOpen(word)) [fragment, candidates] = begin("", known);
  if (fragment === undefined) return none;
  return { start: cursor - fragment.length, end: cursor, candidates: candidates.slice(0, MOST) };
}

/** Whether a quote or an expression is not closed. */
function isOpen(word: string): boolean {
  return /^!?["/]/.test(word) || /[=~<>,]"/.test(word);
}

/** What may follow a word, and the part of it that is replaced. */
function follow(word: string, known: Known): Found {
  const scope = SCOPE.exec(word);
  if (scope !== null) return values(scope[2] as string, known.values(scope[1] === "--cluster" ? CLUSTER : NAMESPACE));
  const labels = LABELS.exec(word);
  if (labels !== null) return selector(labels[2] as string, known);
  const compared = COMPARED.exec(word);
  if (compared !== null) return behind(compared[1] as string, compared[2] as string, compared[3] as string, known);
  const plainWord = WORD.exec(word);
  if (plainWord !== null && !(plainWord[2] as string).startsWith("/")) return begin(plainWord[2] as string, known, plainWord[1] === "");
  return [undefined, []];
}

/** What a word may be the beginning of. */
function begin(word: string, known: Known, flags = true): Found {
  const flag = ([text, about]: readonly [string, string]): Candidate => ({ text, kind: "flag", about });
  if (word.startsWith("-")) {
    return flags ? [word, FLAGS.filter(([text]) => text.startsWith(word) && text !== word).map(flag)] : [undefined, []];
  }
  const candidates: Candidate[] = [];
  const place = word === "" ? undefined : known.place(word);
  if (place !== undefined) {
    const column = place >= 0 ? known.columns[place] : undefined;
    const typed = column !== undefined && (countsTime(column) || NUMBERS.has(column.type));
    for (const [op, about] of typed ? AMOUNTS : TEXTS) candidates.push({ text: word + op, kind: "operator", about });
  }
  const titles = known.titles().filter((title) => plain(title) !== plain(word));
  for (const text of beginning(plain(word), titles, plain)) candidates.push({ text, kind: "column", about: "column" });
  if (word !== "") {
    const keys = ranked(known.labels()).filter((key) => known.place(key) === undefined);
    for (const key of beginning(word.toLowerCase(), keys, lower)) candidates.push({ text: `${key}=`, kind: "label", about: "label" });
  } else if (flags) candidates.push(...FLAGS.map(flag));
  return [word, candidates];
}

const lower = (text: string): string => text.toLowerCase();

/** Those that begin with a word, then, from the second letter on, those that have it in them. */
function beginning(word: string, words: readonly string[], read: (text: string) => string): string[] {
  const first = words.filter((other) => read(other).startsWith(word));
  if (word.length < 2) return first;
  return [...first, ...words.filter((other) => !read(other).startsWith(word) && read(other).includes(word))];
}

function behind(key: string, op: string, value: string, known: Known): Found {
  const place = known.place(key);
  if (op === "=" || op === "==" || op === "!=") return values(value, place !== undefined ? known.values(place) : known.labelValues(key));
  const column = place !== undefined && place >= 0 ? known.columns[place] : undefined;
  if (/^[<>]/.test(op) && column !== undefined && countsTime(column)) {
    const spans = SPANS.filter((span) => span.startsWith(value) && span !== value);
    return [value, spans.map((text) => ({ text, kind: "value", about: "" }))];
  }
  return [undefined, []];
}

/** Values that are there, behind the last comma of what is typed. */
function values(value: string, counts: Counts): Found {
  const before = value.split(",");
  const fragment = before.pop() as string;
  const opened = fragment.startsWith('"');
  const taken = new Set(before.map(lower));
  const known = ranked(counts).filter((text) => text !== "" && !taken.has(lower(text)) && text !== fragment);
  const found = beginning(lower(fragment.replace(/^"/, "")), known, lower);
  return [fragment, found.map((text) => ({ text: quoted(text, opened), kind: "value", about: String(counts.get(text)) }))];
}

const rankings = new WeakMap<Counts, string[]>();

/** The texts, those of most rows first. */
function ranked(counts: Counts): string[] {
  let ranking = rankings.get(counts);
  if (ranking === undefined) {
    const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
    ranking = [...counts].sort(([a, many], [b, more]) => more - many || order(a, b)).map(([text]) => text);
    rankings.set(counts, ranking);
  }
  return ranking;
}

function quoted(text: string, always: boolean): string {
  return always || NEEDS_QUOTES.test(text) ? `"${text.replace(/[\\"]/g, "\\$&")}"` : text;
}

function selector(text: string, known: Known): Found {
  const compared = LISTED.exec(text) ?? EQUALLED.exec(text);
  if (compared !== null) {
    const fragment = compared[2] as string;
    const counts = known.labelValues(compared[1] as string);
    const found = beginning(lower(fragment), ranked(counts).filter((one) => one !== fragment), lower);
    return [fragment, found.map((one) => ({ text: one, kind: "value", about: String(counts.get(one)) }))];
  }
  const keyed = KEYED.exec(text);
  if (keyed === null) return [undefined, []];
  const fragment = keyed[1] as string;
  const keys = ranked(known.labels()).filter((key) => key !== fragment);
  return [fragment, beginning(lower(fragment), keys, lower).map((key) => ({ text: key, kind: "label", about: "label" }))];
}
