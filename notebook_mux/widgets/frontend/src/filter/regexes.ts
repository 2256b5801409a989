/** The regular expressions of the filter, which Python understands alike; see notebook_mux/filtering/regexes.py. */

const MOST = 1000;
const WAYS = 1e5;
const STEPS = 1e7;
const SHORTEST = 100;
const TOO_MANY = "there are too many ways to find this";
const FEWER = "leave some of the repeats out";
const SETS: Record<string, string> = { d: "0-9", w: "A-Za-z0-9_", s: "\\t\\r\\f\\v " };
const CONTROL: Record<string, string> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v" };
const COUNT = /\{(\d+)(,(\d*))?\}/y;
const SPECIAL = /[\\^$.*+?()[\]{}|/-]/g;

export class Wrong extends Error {
  constructor(
    readonly start: number,
    readonly end: number,
    readonly what: string,
    readonly todo: string,
  ) {
    super(what);
  }
}

interface Group {
  at: number;
  ahead: boolean;
  /** Whether something in it is repeated, or there are alternatives. */
  varies: boolean;
  endless: boolean;
  most: number;
  /** In how many ways its alternative that is being read may be divided; those before it. */
  ways: number;
  others: number;
}

const group = (at: number, ahead = false): Group => ({ at, ahead, varies: false, endless: false, most: 1, ways: 1, others: 0 });

const escaped = (text: string): string => text.replace(SPECIAL, "\\$&");

export function counted(source: string, at: number): RegExpExecArray | null {
  COUNT.lastIndex = at;
  return COUNT.exec(source);
}

/**
 * An expression that finds what this one finds, whatever the case of letters, in texts of one line. Throws `Wrong`. Never
 * global, and hardly ever anything in it finds a line's end, so that it can look through many lines as through each.
 */
export function translated(source: string): Pattern {
  const reader = new Reader(source);
  return new Pattern(reader.read(), reader.most, reader.ends);
}

/** An expression that ends in time: of a long text it looks at the beginning only. */
export class Pattern {
  readonly #one: RegExp;
  readonly #lines: RegExp;

  constructor(
    source: string,
    readonly most: number,
    readonly ends: boolean,
  ) {
    this.#one = new RegExp(source, "i");
    this.#lines = new RegExp(source, "im");
  }

  test(text: string): boolean {
    return this.#one.test(text.length > this.most ? text.slice(0, this.most) : text);
  }

  /** Whether it is in one of several lines. */
  inLines(text: string): boolean {
    return this.ends || text.length > this.most ? text.split("\n").some((line) => this.test(line)) : this.#lines.test(text);
  }
}

class Reader {
  #out: string[] = [];
  #groups: Group[] = [group(-1)];
  /** What a repeat would repeat. */
  #item: Group | undefined;
  /** Repeats without end so far. */
  #endless = 0;
  /** Whether it finds a line's end where somebody wrote that, and not by ^ and $ alone. */
  ends: boolean;

  constructor(readonly source: string) {
    this.ends = source.includes("\n");
  }

  /** Characters of a text that can be looked at within STEPS: each repeat without end may stop at any. */
  get most(): number {
    const power = this.#endless + 1; // and it may begin at any
    let orders = 1;
    for (let factor = 2; factor <= power; factor++) orders *= factor;
    const { ways, others } = this.#groups[0] as Group;
    return Math.floor(((STEPS * orders) / (ways + others)) ** (1 / power));
  }

  read(): string {
    let at = 0;
    while (at < this.source.length) at = this.#one(at);
    const open = this.#groups.length > 1 ? this.#group.at : -1;
    if (open >= 0) throw new Wrong(open, open + 1, "this ( is never closed", "close it with ), or write \\( for the character");
    if (this.most < SHORTEST) throw new Wrong(0, this.source.length, TOO_MANY, FEWER);
    return this.#out.join("");
  }

  get #group(): Group {
    return this.#groups.at(-1) as Group;
  }

  #put(text: string, item = true): void {
    this.#out.push(text);
    this.#item = item ? group(-1) : undefined;
  }

  #one(at: number): number {
    const char = this.source.charAt(at);
    if (char === "\\") return this.#escape(at);
    if (char === "[") return this.#class(at);
    if (char === "(") return this.#open(at);
    if (char === ")") return this.#close(at);
    if ("*+?".includes(char) || (char === "{" && counted(this.source, at) !== null)) return this.#repeat(at);
    if (char === "|") {
      const around = this.#group;
      around.varies = true;
      around.others += around.ways;
      around.ways = 1;
      this.#put("|", false);
    } else if (char === "^" || char === "$") this.#put(char, false);
    else if (char === ".") this.#put(".");
    else this.#put(escaped(char));
    return at + 1;
  }

  #escape(at: number): number {
    const after = this.source.charAt(at + 1);
    const set = SETS[after.toLowerCase()];
    if (after === "b" || after === "B") this.#put(`\\${after}`, false);
    else if (set !== undefined) this.#put(`[${after === after.toLowerCase() ? "" : "^\\n"}${set}]`);
    else this.#put(escaped(this.#character(at)));
    return at + 2;
  }

  /** The character that is meant by the `\` at a place. */
  #character(at: number): string {
    const after = this.source.charAt(at + 1);
    if (after === "") throw new Wrong(at, at + 1, "a \\ at the end", "write \\\\ for the character");
    if (after === "n") this.ends = true;
    const control = CONTROL[after];
    if (control !== undefined) return control;
    if (/[A-Za-z0-9]/.test(after)) {
      throw new Wrong(at, at + 2, `\\${after} is not known here`, "there are \\d \\w \\s \\b and their capitals");
    }
    return after;
  }

  #class(start: number): number {
    const { source } = this;
    let at = start + 1;
    let out = "[";
    if (source.charAt(at) === "^") {
      out += "^\\n";
      at++;
    }
    const first = at;
    for (;;) {
      const char = source.charAt(at);
      if (char === "") throw new Wrong(start, start + 1, "this [ is never closed", "close it with ], or write \\[ for it");
      if (char === "]") {
        if (at === first) throw new Wrong(start, at + 1, "nothing between [ and ]", "write \\] for the character");
        break;
      }
      let [low, one, end] = this.#member(at);
      const after = source.charAt(end + 1);
      if (source.charAt(end) === "-" && after !== "" && after !== "]") {
        const [high, other, ends] = this.#member(end + 1);
        if (low === undefined || high === undefined) throw new Wrong(at, ends, "a range of what is no character", "write \\- for the character");
        if (low > high) throw new Wrong(at, ends, "this range ends before it begins", "put the lower one first");
        if (low <= "\n" && "\n" <= high) this.ends = true;
        one = `${one}-${other}`;
        end = ends;
      }
      out += one;
      at = end;
    }
    this.#put(`${out}]`);
    return at + 1;
  }

  /** The character at a place of a class, none for a set of them; how it is written; where it ends. */
  #member(at: number): [char: string | undefined, written: string, end: number] {
    const char = this.source.charAt(at);
    if (char !== "\\") return [char, escaped(char), at + 1];
    const after = this.source.charAt(at + 1);
    if (after === "d" || after === "w" || after === "s") return [undefined, SETS[after] as string, at + 2];
    if (after !== "" && "bBDWS".includes(after)) {
      throw new Wrong(at, at + 2, `\\${after} cannot stand between [ and ]`, "write [^...] for all but these");
    }
    const meant = this.#character(at);
    return [meant, escaped(meant), at + 2];
  }

  #open(at: number): number {
    const { source } = this;
    this.#item = undefined;
    if (source.charAt(at + 1) !== "?") {
      this.#out.push("(?:");
      this.#groups.push(group(at));
      return at + 1;
    }
    const kind = source.charAt(at + 2);
    if (kind === "" || !":=!".includes(kind)) {
      const end = Math.min(at + 3, source.length);
      throw new Wrong(at, end, "this (? begins nothing that is known", "there are (?: (?= (?!");
    }
    this.#out.push(`(?${kind}`);
    this.#groups.push(group(at, kind !== ":"));
    return at + 3;
  }

  #close(at: number): number {
    if (this.#groups.length === 1) throw new Wrong(at, at + 1, "this ) closes nothing", "write \\) for the character");
    const closed = this.#groups.pop() as Group;
    this.#out.push(")");
    const around = this.#group;
    around.varies ||= closed.varies;
    around.endless ||= closed.endless;
    around.most = Math.max(around.most, closed.most);
    this.#multiply(closed.ways + closed.others, at);
    this.#item = closed.ahead ? undefined : closed;
    return at + 1;
  }

  #multiply(ways: number, at: number): void {
    const around = this.#group;
    around.ways = Math.min(around.ways * ways, WAYS * WAYS);
    if (around.ways + around.others > WAYS) {
      throw new Wrong(at, at + 1, TOO_MANY, FEWER);
    }
  }

  #repeat(at: number): number {
    const { source } = this;
    const item = this.#item;
    const char = source.charAt(at);
    if (item === undefined) throw new Wrong(at, at + 1, `nothing before this ${char} to repeat`, `write \\${char} for the character`);
    const count = char === "{" ? counted(source, at) : null;
    let end = at + (count?.[0].length ?? 1);
    let least = 0;
    let most: number | undefined;
    if (count !== null) {
      least = Number(count[1]);
      most = count[2] === undefined ? least : count[3] ? Number(count[3]) : undefined;
      if (Math.max(least, most ?? 0) > MOST || (most !== undefined && most < least)) {
        throw new Wrong(at, end, `${count[0]} is no count`, `the lower number first, ${MOST} at most`);
      }
    } else if (char === "?") most = 1;
    const together = item.most * (most || 1);
    if ((most === undefined && item.varies) || (item.endless && most !== 1) || together > MOST) {
      throw new Wrong(at, end, "a repeat of what repeats, or of alternatives, can take for ever", "take one of the repeats away");
    }
    const around = this.#group;
    if (most !== undefined) {
      this.#multiply((item.ways + item.others) ** Math.min(Math.max(most - 1, 0), 64) * (most - least + 1), at);
    }
    around.varies ||= most !== least;
    around.endless ||= most === undefined;
    if (most === undefined) this.#endless++;
    around.most = Math.max(around.most, together);
    this.#out.push(source.slice(at, end));
    if (source.charAt(end) === "?") {
      this.#out.push("?");
      end++;
    }
    this.#item = undefined;
    return end;
  }
}
