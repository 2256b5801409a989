/** kubectl's label selectors, with the places of what is wrong; see notebook_mux/filtering/selectors.py. */

import { BLANK, type Mistake, type Requirement } from "./terms";

const LENGTH = 63;
const PREFIX_LENGTH = 253;
const VALUE = "[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?";
const GOOD_VALUE = new RegExp(`^(?:${VALUE})?$`);
const GOOD_KEY = new RegExp(`^(?:([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)/)?(${VALUE})$`);
const SIGNS = /[-A-Za-z0-9_./]*/y;
const VALUE_SIGNS = /[-A-Za-z0-9_.]*/y;
const BLANKS = new RegExp(`[${BLANK}]*`, "y");
const SET = new RegExp(`[${BLANK}]+(in|notin)[${BLANK}]*\\(`, "y");
const STARTS_BLANK = new RegExp(`^[${BLANK}]`);
const TIGHT = /(==?|!=)|([<>])(?=-?\d|$)/y;
const LOOSE = new RegExp(`[${BLANK}]*(?:(==?|!=)|([<>]))[${BLANK}]*`, "y");
const INTEGER = new RegExp(`^[-+]?\\d{1,${LENGTH}}$`);
const SUCH = "such as app=web, tier in (a, b) or !old";

class Wrong extends Error {
  readonly mistake: Mistake;
  constructor(start: number, end: number, what: string, todo = SUCH, open = false) {
    super(what);
    this.mistake = { start, end, what, todo, open };
  }
}

function at(pattern: RegExp, text: string, place: number): RegExpExecArray | null {
  pattern.lastIndex = place;
  return pattern.exec(text);
}

export interface Selector {
  requirements: Requirement[];
  end: number;
  mistake: Mistake | undefined;
}

/**
 * Read a selector from a place on; `blanks`: it is all up to `end`, with blanks around its signs, else it ends at a
 * blank where no set stands behind that.
 */
export function readSelector(text: string, from: number, end: number, blanks: boolean): Selector {
  const reader = new Reader(text.slice(0, end), blanks, from);
  try {
    return { requirements: reader.read(), end: reader.at, mistake: undefined };
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return { requirements: [], end: reader.at, mistake: error.mistake };
  }
}

class Reader {
  constructor(
    readonly text: string,
    readonly blanks: boolean,
    public at: number,
  ) {}

  read(): Requirement[] {
    const found: Requirement[] = [];
    for (;;) {
      if (this.blanks || found.length > 0) this.#skip();
      found.push(this.#requirement());
      if (this.blanks) this.#skip();
      const char = this.text.charAt(this.at);
      if (char === ",") {
        this.at++;
        continue;
      }
      if (char !== "" && (this.blanks || !STARTS_BLANK.test(char))) {
        throw new Wrong(this.at, this.at + 1, `${char} is not expected here`, "put a comma between requirements");
      }
      return found;
    }
  }

  #skip(): void {
    this.at += at(BLANKS, this.text, this.at)?.[0].length ?? 0;
  }

  #signs(pattern: RegExp): [start: number, end: number, signs: string] {
    const start = this.at;
    const found = at(pattern, this.text, start)?.[0] ?? "";
    this.at += found.length;
    return [start, this.at, found];
  }

  #requirement(): Requirement {
    const absent = this.text.charAt(this.at) === "!";
    if (absent) {
      this.at++;
      if (this.blanks) this.#skip();
    }
    const key = this.#key();
    if (absent) return { key, op: "absent", values: [] };
    const listed = at(SET, this.text, this.at);
    if (listed !== null) {
      this.at += listed[0].length;
      return { key, op: listed[1] as string, values: this.#list(this.at - 1) };
    }
    const sign = at(this.blanks ? LOOSE : TIGHT, this.text, this.at);
    if (sign === null) return { key, op: "exists", values: [] };
    this.at += sign[0].length;
    if (sign[2] !== undefined) {
      const [start, end, number] = this.#signs(VALUE_SIGNS);
      if (!INTEGER.test(number)) {
        throw new Wrong(start, end, `${sign[2]} takes a whole number`, `such as ${key}${sign[2]}3`, number === "");
      }
      return { key, op: sign[2], values: [number] };
    }
    return { key, op: sign[1] === "!=" ? "notin" : "in", values: [this.#value()] };
  }

  #key(): string {
    const [start, end, key] = this.#signs(SIGNS);
    if (key === "") {
      const char = this.text.charAt(start);
      if (char === "") throw new Wrong(start, end, "a label is missing here", SUCH, true);
      throw new Wrong(start, start + 1, `no label begins with ${char}`);
    }
    const good = GOOD_KEY.exec(key);
    if (good === null) {
      const todo = "a label's key is letters, digits, - _ . and at most one / behind a domain";
      throw new Wrong(start, end, `${key} can be no label's key`, todo, end === this.text.length);
    }
    if ((good[2] as string).length > LENGTH || (good[1] ?? "").length > PREFIX_LENGTH) {
      throw new Wrong(start, end, `a label's key has at most ${LENGTH} characters`, "shorten it");
    }
    return key;
  }

  #value(): string {
    const [start, end, value] = this.#signs(VALUE_SIGNS);
    if (!GOOD_VALUE.test(value)) {
      const todo = "a label's value is letters, digits and - _ . between them";
      throw new Wrong(start, end, `${value} can be no label's value`, todo, end === this.text.length);
    }
    if (value.length > LENGTH) throw new Wrong(start, end, `a label's value has at most ${LENGTH} characters`, "shorten it");
    return value;
  }

  #list(opened: number): string[] {
    const values: string[] = [];
    for (;;) {
      this.#skip();
      values.push(this.#value());
      this.#skip();
      const char = this.text.charAt(this.at);
      if (char === "") throw new Wrong(opened, this.at, "this ( is never closed", "close it with )", true);
      this.at++;
      if (char === ")") return values;
      if (char !== ",") throw new Wrong(this.at - 1, this.at, `${char} is not expected here`, "put a comma between the values");
    }
  }
}

/** Whether an object with these labels is meant. */
export function holds({ key, op, values }: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  if (op === "exists") return value !== undefined;
  if (op === "absent") return value === undefined;
  if (op === "in") return value !== undefined && values.includes(value);
  if (op === "notin") return value === undefined || !values.includes(value);
  if (value === undefined || !INTEGER.test(value)) return false;
  const [mine, wanted] = [value, values[0] as string].map((number) => BigInt(number.replace("+", ""))) as [bigint, bigint];
  return op === ">" ? mine > wanted : mine < wanted;
}
