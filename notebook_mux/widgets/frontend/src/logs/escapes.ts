/**
 * A line's text as it is safe to show: colours and the like are kept, every other escape is a mark, and what cannot be
 * seen is made visible. Nothing here moves a cursor, sets a title or turns the direction of what stands beside it.
 */

/** A colour of a program's: one of the 256, or `TRUE` and 24 bits of red, green and blue. */
export type Color = number;
export const TRUE = 0x100_0000;

export interface Look {
  fg: Color | undefined;
  bg: Color | undefined;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  strike: boolean;
  inverse: boolean;
}

export interface Piece {
  text: string;
  /** Undefined for text without any of it. */
  look: Look | undefined;
  /** What a mark stands for; "" for the line's own text. */
  mark: string;
}

/** ECMA-48: CSI; OSC, DCS, SOS, PM and APC with their ends; other escapes; a lone ESC. */
const ESCAPE = "\\u001b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)|[PX^_][^\\u001b]*\\u001b\\\\|[ -/]*[0-~])?";
/** Controls but the tab, marks of direction, invisible spaces, separators of lines, annotations and tags. */
const UNSEEN =
  "[\\u0000-\\u0008\\u000a-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}]";
const SPECIAL = new RegExp(`${ESCAPE}|${UNSEEN}`, "gu");
// eslint-disable-next-line no-control-regex -- that is what is looked for
const ANY = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
const SGR = /^\u001b\[([\d;:]*)m$/;

const NAMES: Record<number, string> = {
  0x200e: "left-to-right mark", 0x200f: "right-to-left mark", 0x061c: "Arabic letter mark",
  0x202a: "left-to-right embedding", 0x202b: "right-to-left embedding", 0x202c: "end of direction",
  0x202d: "left-to-right override", 0x202e: "right-to-left override", 0x2066: "left-to-right isolate",
  0x2067: "right-to-left isolate", 0x2068: "first strong isolate", 0x2069: "end of isolate",
  0x200b: "space without width", 0xfeff: "byte order mark", 0xad: "soft hyphen", 0x2028: "line separator",
  0x2029: "paragraph separator",
};

const PLAIN: Look = {
  fg: undefined, bg: undefined, bold: false, dim: false, italic: false, underline: false, strike: false, inverse: false,
};

/** Cut a line's text into pieces of one look each. */
export function pieces(text: string): Piece[] {
  if (!ANY.test(text)) return text === "" ? [] : [{ text, look: undefined, mark: "" }];
  const made: Piece[] = [];
  let look: Look | undefined;
  let at = 0;
  const until = (end: number) => {
    if (end > at) made.push({ text: text.slice(at, end), look, mark: "" });
  };
  for (const match of text.matchAll(SPECIAL)) {
    const special = match[0];
    const end = match.index + special.length;
    if (special === "\r" && end === text.length) {
      until(match.index);
      at = end;
      continue; // the end of a line as Windows writes it
    }
    until(match.index);
    at = end;
    const colors = SGR.exec(special);
    if (colors !== null) look = dressed(look, colors[1] as string);
    else made.push(shown(special));
  }
  until(text.length);
  return made;
}

/** A line's text without its escapes: what people search, and what is copied. */
export function plain(text: string): string {
  if (!ANY.test(text)) return text;
  return text.replace(SPECIAL, (special) => (special.startsWith("\u001b") ? "" : seen(special)));
}

/** What is seen in the place of something unseen, in plain text. */
function seen(special: string): string {
  if (special === "\r") return "";
  return shown(special).text;
}

function shown(special: string): Piece {
  const code = special.codePointAt(0) as number;
  // as `cat -v` writes them: pictures of controls are in few fonts
  if (code === 0x1b) return { text: "^[", look: undefined, mark: `escape sequence: ${visible(special)}` };
  const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  if (code < 0x20) return { text: `^${String.fromCodePoint(0x40 + code)}`, look: undefined, mark: `control character ${name}` };
  if (code === 0x7f) return { text: "^?", look: undefined, mark: `control character ${name}` };
  return { text: `‹${name}›`, look: undefined, mark: NAMES[code] ?? (code < 0xa0 ? "control character" : "invisible character") };
}

const MOST_SAID = 60;

function visible(special: string): string {
  const said = special.slice(1, MOST_SAID + 1).replace(/[^ -~]/gu, "·");
  return `ESC ${said}${special.length > MOST_SAID + 1 ? "…" : ""}`;
}

/** The look after `ESC [ parameters m`; undefined where nothing of it is left. */
function dressed(before: Look | undefined, parameters: string): Look | undefined {
  const look = { ...(before ?? PLAIN) };
  // 38:2::r:g:b and 38;2;r;g;b
  const groups = parameters.split(";").map((group) => group.split(":"));
  for (let at = 0; at < groups.length; at++) {
    const group = groups[at] as string[];
    const code = Number(group[0] || 0);
    if (code === 38 || code === 48) {
      let color: Color | undefined;
      if (group.length > 1) {
        color = mixed(group.slice(1).filter((part, index) => !(index === 1 && part === "" && group.length > 5)).map(Number));
      } else {
        const rest = groups.slice(at + 1, at + 5).map(([part]) => Number(part || 0));
        color = mixed(rest);
        at += rest[0] === 2 ? 4 : rest[0] === 5 ? 2 : 0;
      }
      if (code === 38) look.fg = color;
      else look.bg = color;
    } else apply(look, code);
  }
  return Object.values(look).some((value) => value !== undefined && value !== false) ? look : undefined;
}

function mixed([way, first, second, third]: number[]): Color | undefined {
  const byte = (value: number | undefined) => (value !== undefined && value >= 0 && value <= 255 ? value : undefined);
  if (way === 5) return byte(first);
  const [red, green, blue] = [byte(first), byte(second), byte(third)];
  if (way !== 2 || red === undefined || green === undefined || blue === undefined) return undefined;
  return TRUE | (red << 16) | (green << 8) | blue;
}

function apply(look: Look, code: number): void {
  if (code === 0) Object.assign(look, PLAIN);
  else if (code === 1) look.bold = true;
  else if (code === 2) look.dim = true;
  else if (code === 3) look.italic = true;
  else if (code === 4 || code === 21) look.underline = true;
  else if (code === 7) look.inverse = true;
  else if (code === 9) look.strike = true;
  else if (code === 22) look.bold = look.dim = false;
  else if (code === 23) look.italic = false;
  else if (code === 24) look.underline = false;
  else if (code === 27) look.inverse = false;
  else if (code === 29) look.strike = false;
  else if (code >= 30 && code <= 37) look.fg = code - 30;
  else if (code === 39) look.fg = undefined;
  else if (code >= 40 && code <= 47) look.bg = code - 40;
  else if (code === 49) look.bg = undefined;
  else if (code >= 90 && code <= 97) look.fg = code - 90 + 8;
  else if (code >= 100 && code <= 107) look.bg = code - 100 + 8;
  // blinking, and text that a program would hide, are shown like any other
}
