/** From the text of a filter to its words; what cannot be read is told with its place; see notebook_mux/filtering/reading.py. */

import { type Pattern, translated, Wrong } from "./regexes";
import { readSelector } from "./selectors";
import { type Alternative, BLANK, type Mistake, type Parsed, type Span, type Term } from "./terms";

export const FLAGS: Record<string, "namespace" | "cluster" | "labels" | "faults"> = {
  "-n": "namespace",
  "--namespace": "namespace",
  "--cluster": "cluster",
  "-l": "labels",
  "--selector": "labels",
  "--faults": "faults",
};

const BLANKS = new RegExp(`[${BLANK}]*`, "y");
const WORD = new RegExp(`[^${BLANK}]+`, "y");
const OPERATORS = "=~|==?|!=|!~|>=|<=|~|>|<";
const KEY = new RegExp(`([^${BLANK}=!<>~"]+)(${OPERATORS})`, "y");
const OPERATOR = new RegExp(OPERATORS, "y");
const LONE = new RegExp(`(?:${OPERATORS})(?=[${BLANK}]|$)`, "y");
const FLAG = new RegExp(`(-n|-l|--[A-Za-z][A-Za-z-]*)(?=[${BLANK}=]|$)`, "y");
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy;
const OPS: Record<string, string> = { "==": "=", "=~": "~" };

const WHICH = { namespace: "such as -n prod, or -n prod,dev", cluster: "such as --cluster kind-a" };
const LABELS_TODO = "such as -l app=web, or -l 'tier in (a, b),!old'";

/** Read a filter, whatever it says; nothing is ever thrown. */
export function parse(text: string): Parsed {
  const reader = new Reader(text);
  reader.read();
  return reader;
}

const unescaped = (text: string): string => text.replace(/\\(["\\])/g, "$1");

class Reader implements Parsed {
  readonly terms: Term[] = [];
  readonly mistakes: Mistake[] = [];
  last = 0;
  readonly #end: number;

  constructor(readonly text: string) {
    this.#end = text.length;
  }

  read(): void {
    let at = this.#skip(0);
    while (at < this.#end) at = this.#skip(this.#word(at));
  }

  // --- parts ----------------------------------------------------------------------------------------------------------

  #at(pattern: RegExp, place: number): RegExpExecArray | null {
    pattern.lastIndex = place;
    return pattern.exec(this.text);
  }

  #skip(at: number): number {
    return at + (this.#at(BLANKS, at)?.[0].length ?? 0);
  }

  #wordEnd(at: number): number {
    return at + (this.#at(WORD, at)?.[0].length ?? 0);
  }

  #wrong(start: number, end: number, what: string, todo: string, open = false): number {
    this.mistakes.push({ start, end, what, todo, open });
    return end;
  }

  #ends(at: number): boolean {
    return at >= this.#end;
  }

  // --- words ----------------------------------------------------------------------------------------------------------

  #word(at: number): number {
    const { text } = this;
    this.last = at;
    const flag = this.#at(FLAG, at);
    if (flag !== null) return this.#flag(at, flag[1] as string, at + flag[0].length);
    const lone = this.#at(LONE, at);
    if (lone !== null) {
      const end = at + lone[0].length;
      return this.#wrong(at, end, `${lone[0]} has no blanks around it`, "write key=value as one word, or the text in quotes", this.#ends(end));
    }
    const negated = text[at] === "!" && this.#wordEnd(at) > at + 1;
    const start = negated ? at + 1 : at;
    if (text[start] === '"') return this.#quoted(at, start, negated);
    if (text[start] === "/") return this.#regex(at, start, negated);
    const key = this.#at(KEY, start);
    if (key !== null) {
      const word = key[1] as string;
      return this.#compared(at, [start, start + word.length], word, key[2] as string, start + key[0].length, negated);
    }
    const end = this.#wordEnd(start);
    this.terms.push({ t: "text", span: [at, end], text: text.slice(start, end), negated });
    return end;
  }

  #quoted(at: number, start: number, negated: boolean): number {
    const found = this.#at(QUOTED, start);
    if (found === null) return this.#wrong(start, this.#end, 'this " is never closed', 'close it with "', true);
    const end = start + found[0].length;
    const inside = unescaped(found[1] as string);
    const op = this.#at(OPERATOR, end);
    if (op !== null && inside !== "") return this.#compared(at, [start, end], inside, op[0], end + op[0].length, negated);
    if (inside === "") return this.#wrong(start, end, "nothing between the quotes", "write text there", this.#ends(end));
    if (this.#wordEnd(end) > end) return this.#glued(end, "quotes");
    this.terms.push({ t: "text", span: [at, end], text: inside, negated });
    return end;
  }

  #glued(at: number, what: string): number {
    return this.#wrong(at, this.#wordEnd(at), `this stands right behind the ${what}`, "put a blank between");
  }

  /** The expression that begins with the / at a place, and where it ends. */
  #slashed(start: number): [end: number, source: string] | undefined {
    const { text } = this;
    let inside = false;
    for (let at = start + 1; at < this.#end; at++) {
      const char = text[at];
      if (char === "\\") at++;
      else if (char === "[") inside = true;
      else if (char === "]") inside = false;
      else if (char === "/" && !inside && this.#wordEnd(at + 1) === at + 1) return [at + 1, text.slice(start + 1, at)];
    }
    return undefined;
  }

  #regex(at: number, start: number, negated: boolean): number {
    const found = this.#slashed(start);
    if (found === undefined) {
      const todo = 'close it with /; a text that begins with / stands in quotes, as in "/var"';
      return this.#wrong(start, this.#end, "this / is never closed", todo, true);
    }
    const [end, source] = found;
    const pattern = this.#translated(source, start + 1, end);
    if (pattern !== undefined) this.terms.push({ t: "regex", span: [at, end], source, pattern, negated });
    return end;
  }

  #translated(source: string, start: number, end: number): Pattern | undefined {
    const open = this.#ends(end);
    if (source === "") {
      this.#wrong(start, end, "an expression is missing", "such as web-[0-9]+", open);
      return undefined;
    }
    try {
      return translated(source);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      this.#wrong(start + error.start, start + error.end, error.what, error.todo, open);
      return undefined;
    }
  }

  // --- key, operator, value -------------------------------------------------------------------------------------------

  #compared(at: number, keySpan: Span, key: string, written: string, start: number, not: boolean): number {
    let op = OPS[written] ?? written;
    let negated = not;
    if (op.startsWith("!")) {
      op = op.slice(1);
      negated = !negated;
    }
    const common = { t: "compared", key, keySpan, op, negated } as const;
    if (op === "=") {
      const found = this.#alternatives(start);
      if (found === undefined) return this.#end;
      const [end, alternatives, value] = found;
      if (alternatives.length > 0) {
        this.terms.push({ ...common, span: [at, end], value, valueSpan: [start, end], alternatives, pattern: undefined });
      }
      return end;
    }
    const slashed = op === "~" && this.text[start] === "/" ? this.#slashed(start) : undefined;
    const found = slashed ?? this.#value(start);
    if (found === undefined) return this.#end;
    const [end, value] = found;
    const rest = { ...common, span: [at, end] as Span, value, valueSpan: [start, end] as Span, alternatives: [] };
    if (op === "~") {
      const first = slashed !== undefined || this.text[start] === '"' ? start + 1 : start;
      const pattern = this.#translated(value, first, end);
      if (pattern !== undefined) this.terms.push({ ...rest, pattern });
      return end;
    }
    if (value === "") {
      const todo = `such as ${key}${op}200m, ${key}${op}5m or ${key}${op}3`;
      return this.#wrong(start, end, `${key}${op} what?`, todo, this.#ends(end));
    }
    this.terms.push({ ...rest, pattern: undefined });
    return end;
  }

  /** A value, quoted or up to a blank, and where it ends. */
  #value(start: number): [end: number, value: string] | undefined {
    if (this.text[start] !== '"') {
      const end = this.#wordEnd(start);
      return [end, this.text.slice(start, end)];
    }
    const found = this.#at(QUOTED, start);
    if (found === null) {
      this.#wrong(start, this.#end, 'this " is never closed', 'close it with "', true);
      return undefined;
    }
    const end = start + found[0].length;
    if (this.#wordEnd(end) > end) return [this.#glued(end, "quotes"), ""];
    return [end, unescaped(found[1] as string)];
  }

  /** `a,b*,"c d"`: where they end, the alternatives (none after a mistake), and all of it as one text. */
  #alternatives(start: number): [end: number, alternatives: Alternative[], value: string] | undefined {
    const { text } = this;
    let at = start;
    let end = this.#wordEnd(start);
    let current = [""];
    const all = [current];
    let value = "";
    let empty = at;
    let quoted = false;
    const nothing = () => current.length === 1 && current[0] === "" && !quoted;
    const add = (more: string) => {
      current[current.length - 1] += more;
    };
    while (at < end) {
      const char = text.charAt(at);
      if (char === '"') {
        const found = this.#at(QUOTED, at);
        if (found === null) {
          this.#wrong(at, this.#end, 'this " is never closed', 'close it with "', true);
          return undefined;
        }
        const inside = unescaped(found[1] as string);
        add(inside);
        value += inside;
        at += found[0].length;
        quoted = true;
        end = Math.max(end, this.#wordEnd(at));
        continue;
      }
      if (char === ",") {
        if (nothing()) {
          this.#wrong(empty, at + 1, "nothing before this comma", "write a,b without blanks");
          return [end, [], value];
        }
        all.push((current = [""]));
        empty = at + 1;
        quoted = false;
      } else if (char === "*") current.push("");
      else add(char);
      value += char;
      at++;
    }
    if (all.length > 1 && nothing()) {
      this.#wrong(empty - 1, at, "nothing behind this comma", "write a,b without blanks", this.#ends(at));
      return [end, [], value];
    }
    return [end, all, value];
  }

  // --- flags ----------------------------------------------------------------------------------------------------------

  #flag(at: number, word: string, end: number): number {
    const what = FLAGS[word];
    if (what === undefined) {
      const open = this.#ends(end) && Object.keys(FLAGS).some((flag) => flag.startsWith(word));
      this.#wrong(at, end, `there is no flag ${word}`, "there are -n, -l, --cluster and --faults; a text stands in quotes", open);
      return this.#wordEnd(end);
    }
    const glued = this.text[end] === "=";
    if (what === "faults") {
      if (glued) return this.#wrong(end, this.#wordEnd(end), "--faults takes no value", "leave it out");
      this.terms.push({ t: "faults", span: [at, end] });
      return end;
    }
    const start = glued ? end + 1 : this.#skip(end);
    if (what === "labels") return this.#labels(at, end, start);
    return this.#scope(at, word, what, end, start, glued);
  }

  #scope(at: number, word: string, what: "namespace" | "cluster", flagEnd: number, start: number, glued: boolean): number {
    if (this.#ends(start) || (!glued && this.text[start] === "-") || this.#wordEnd(start) === start) {
      return this.#wrong(at, flagEnd, `which ${what}?`, WHICH[what], this.#ends(start));
    }
    const found = this.#alternatives(start);
    if (found === undefined) return this.#end;
    const [end, alternatives] = found;
    if (this.terms.some((one) => one.t === "scope" && one.what === what)) {
      this.#wrong(at, end, `${word} stands here twice`, `for one of both write ${word} a,b`, this.#ends(end));
    } else if (alternatives.length > 0) this.terms.push({ t: "scope", span: [at, end], what, alternatives });
    return end;
  }

  #labels(at: number, flagEnd: number, start: number): number {
    if (this.#ends(start) || this.#wordEnd(start) === start) {
      return this.#wrong(at, flagEnd, "which labels?", LABELS_TODO, this.#ends(start));
    }
    const quote = this.text.charAt(start);
    let end: number;
    let found;
    if (quote === '"' || quote === "'") {
      const close = this.text.indexOf(quote, start + 1);
      if (close < 0) return this.#wrong(start, this.#end, `this ${quote} is never closed`, `close it with ${quote}`, true);
      found = readSelector(this.text, start + 1, close, true);
      end = close + 1;
      if (found.mistake === undefined && this.#wordEnd(end) > end) return this.#glued(end, "quotes");
    } else {
      found = readSelector(this.text, start, this.#end, false);
      end = found.end;
    }
    const { mistake, requirements } = found;
    if (mistake !== undefined) {
      this.mistakes.push({ ...mistake, open: mistake.open && this.#ends(Math.max(mistake.end, end)) });
      return Math.max(end, this.#wordEnd(end));
    }
    this.terms.push({ t: "labels", span: [at, end], requirements });
    return end;
  }
}
