/** What people type to find or to filter: words or a regular expression, and where one of these goes wrong. */

export interface Asked {
  text: string;
  regex: boolean;
  /** `smart`: capital letters count where there is one. */
  case: "match" | "ignore" | "smart";
}

export type Compiled =
  | { regex: RegExp | undefined; error?: undefined }
  | { regex?: undefined; error: string; at: number };

const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** The expression for what was typed; no expression for nothing. Never global: it is used by `test` alone. */
export function compiled({ text, regex, case: letters }: Asked): Compiled {
  if (text === "") return { regex: undefined };
  const flags = letters === "match" || (letters === "smart" && /\p{Lu}/u.test(text.replace(/\\./g, ""))) ? "" : "i";
  const source = regex ? text : escape(text);
  const place = regex ? misplaced(source) : undefined;
  if (place !== undefined) return { error: place.what, at: place.at };
  try {
    const made = new RegExp(source, flags);
    if (made.test("") && regex && /^[.*?^$|]*$/.test(source)) return { regex: undefined }; // finds each line
    return { regex: made };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return { error: said.replace(/^Invalid regular expression: (\/.*\/[a-z]*: )?/s, "").toLowerCase(), at: shortest(source) };
  }
}

/** The same expression for all places in a line. */
export function everywhere(regex: RegExp): RegExp {
  return new RegExp(regex.source, `${regex.flags.replace("g", "")}g`);
}

/** The usual slips, with their place: engines do not tell it. */
function misplaced(source: string): { what: string; at: number } | undefined {
  const open: number[] = [];
  let item = false; // something that can be repeated stands before
  for (let at = 0; at < source.length; at++) {
    const char = source[at] as string;
    if (char === "\\") {
      if (at === source.length - 1) return { what: "a backslash at the end: two for one that is meant", at };
      at++;
      item = true;
    } else if (char === "[") {
      const end = classEnd(source, at);
      if (end < 0) return { what: "this [ is never closed", at };
      at = end;
      item = true;
    } else if (char === "(") {
      open.push(at);
      const special = /^\(\?(?::|=|!|<=|<!|<[A-Za-z_$][\w$]*>)/.exec(source.slice(at));
      if (source[at + 1] === "?" && special === null) return { what: "this (? begins nothing that is known", at };
      at += special === null ? 0 : special[0].length - 1;
      item = false;
    } else if (char === ")") {
      if (open.pop() === undefined) return { what: "this ) closes nothing", at };
      item = true;
    } else if (char === "|") item = false;
    else if (char === "*" || char === "+" || char === "?" || repeats(source, at)) {
      if (!item) return { what: `nothing before this ${char} to repeat`, at };
      if (char === "{") at = source.indexOf("}", at);
      if (source[at + 1] === "?") at++; // as few as possible
      item = false;
    } else item = char !== "^";
  }
  const unclosed = open.pop();
  return unclosed === undefined ? undefined : { what: "this ( is never closed", at: unclosed };
}

function repeats(source: string, at: number): boolean {
  return /^\{\d+(,\d*)?\}/.test(source.slice(at, at + 16));
}

function classEnd(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === "]") return at;
  }
  return -1;
}

/** The end of the shortest beginning that is wrong however it goes on: near the place of any other slip. */
function shortest(source: string): number {
  for (let end = 1; end <= source.length; end++) {
    const tail = ["", ")", "]", "])", "a", "a)", "a]"];
    const good = tail.some((closing) => {
      try {
        new RegExp(source.slice(0, end) + closing);
        return true;
      } catch {
        return false;
      }
    });
    if (!good) return end - 1;
  }
  return Math.max(0, source.length - 1);
}
