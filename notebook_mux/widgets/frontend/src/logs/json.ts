/** JSON lines, as they were written: numbers keep all their digits, and of two members of one name both are shown. */

export type Kind = "key" | "string" | "number" | "word" | "punctuation";

export interface Token {
  text: string;
  kind: Kind;
}

export interface Member {
  key: string;
  /** As it stands in the line. */
  raw: string;
  kind: "string" | "number" | "word" | "nested";
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** A line's tokens, or undefined where it is no JSON object. */
function tokens(text: string): string[] | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{")) return undefined;
  try {
    JSON.parse(trimmed);
  } catch {
    return undefined;
  }
  return trimmed.match(TOKEN) ?? undefined;
}

function kindOf(token: string): Kind {
  if (token.startsWith('"')) return "string";
  if (/^[-\d]/.test(token)) return "number";
  return /^[tfn]/.test(token) ? "word" : "punctuation";
}

/** A JSON string's value. */
export function unquoted(raw: string): string {
  try {
    return String(JSON.parse(raw));
  } catch {
    return raw;
  }
}

/** The members of a line that is a JSON object, in order; undefined where it is none. */
export function members(text: string): Member[] | undefined {
  const found = tokens(text);
  if (found === undefined) return undefined;
  const made: Member[] = [];
  let at = 1;
  while (at < found.length - 1) {
    const key = unquoted(found[at] as string);
    at += 2; // the colon
    const begin = at;
    let depth = 0;
    do {
      const token = found[at++] as string;
      if (token === "{" || token === "[") depth++;
      else if (token === "}" || token === "]") depth--;
    } while (depth > 0 && at < found.length);
    const first = found[begin] as string;
    const kind = first === "{" || first === "[" ? "nested" : kindOf(first);
    made.push({ key, raw: found.slice(begin, at).join(""), kind: kind as Member["kind"] });
    at += 1; // the comma
  }
  return made;
}

/** Tokens of one unfolded line at most; a longer object is cut there. */
export const MOST_TOKENS = 4000;

/** The object over several lines, two blanks a level; undefined where the text is no JSON object. */
export function pretty(text: string): Token[] | undefined {
  const found = tokens(text);
  if (found === undefined) return undefined;
  const made: Token[] = [];
  let depth = 0;
  const put = (text: string, kind: Kind) => made.push({ text, kind });
  const line = () => put(`\n${"  ".repeat(depth)}`, "punctuation");
  for (let at = 0; at < found.length; at++) {
    if (made.length > MOST_TOKENS) {
      put(" …", "punctuation");
      break;
    }
    const token = found[at] as string;
    const next = found[at + 1];
    if (token === "{" || token === "[") {
      const empty = next === "}" || next === "]";
      put(token, "punctuation");
      depth++;
      if (!empty) line();
    } else if (token === "}" || token === "]") {
      depth--;
      const before = found[at - 1];
      if (before !== "{" && before !== "[") line();
      put(token, "punctuation");
    } else if (token === ",") {
      put(token, "punctuation");
      line();
    } else if (token === ":") put(": ", "punctuation");
    else put(token, next === ":" ? "key" : kindOf(token));
  }
  return made;
}

/** Members that say what happened, the first that is there; and those that a row says by itself. */
const MESSAGES = ["msg", "message", "event", "text", "log"];
const SAID = new Set(["level", "lvl", "severity", "loglevel", "ts", "time", "timestamp", "@timestamp", "t"]);

/** A folded line: what it says, and the rest of its members. */
export interface Folded {
  said: string;
  rest: Member[];
}

export function folded(text: string): Folded | undefined {
  const found = members(text);
  if (found === undefined) return undefined;
  const message = MESSAGES.map((name) => found.find(({ key, kind }) => key === name && kind === "string")).find(Boolean);
  const rest = found.filter((member) => member !== message && !SAID.has(member.key.toLowerCase()));
  return { said: message === undefined ? "" : unquoted(message.raw), rest };
}
