/** One row: a line of a log, or a mark across. Elements are used again; only text ever goes into them. */

import { count, element, setText } from "../common/dom";
import { dress, type Paper, sourceColor } from "./colors";
import { CONTINUES, CUT, fullName, JSON_OBJECT, label, LETTERS, LEVELS, markLabel, markOf, markTone, type Names, type Source, type Times } from "./data";
import { type Look, type Piece, pieces, plain } from "./escapes";
import { everywhere } from "./expression";
import { type Folded, folded, pretty, type Token, unquoted } from "./json";
import type { Rows } from "./rows";
import type { Store } from "./store";
import { type Dated, short } from "./times";

/** Bytes of a line that are shown until it is opened. */
export const SHOWN = 1200;
/** Bytes of a JSON line that is folded to its words. */
const FOLDABLE = 16 * 1024;
const NESTED = 80;
/** Places that are marked in one row at most. */
const MARKED = 200;

/** What all rows of a view are drawn with. */
export interface Drawing {
  store: Store;
  rows: Rows;
  sources: readonly Source[];
  names: Names;
  /** Whether rows say whose they are. */
  labelled: boolean;
  times: Times;
  dated: Dated;
  now: number;
  paper: Paper;
  find: RegExp | undefined;
  highlight: RegExp | undefined;
  current: number | undefined;
  /** Goes up when rows must be drawn anew. */
  version: number;
}

interface Part extends Piece {
  /** A class for what is ours in the line. */
  kind: string;
}

export class Line {
  readonly element = element("div", { class: "row" });
  slot = -1;
  #drawn = "";
  #level = element("span", { class: "lv" });
  #at = element("span", { class: "at" });
  #who = element("span", { class: "who" });
  #fold = element("button", { type: "button", class: "fold", tabindex: "-1" });
  #text = element("span", { class: "text" });
  #more = element("button", { type: "button", class: "more", tabindex: "-1" });

  constructor() {
    this.element.append(this.#level, this.#at, this.#who, this.#fold, this.#text, this.#more);
  }

  /** Draw a slot, if it is not drawn so already; returns whether it was drawn. */
  draw(slot: number, cut: boolean, drawing: Drawing): boolean {
    const { rows, store } = drawing;
    const below = rows.below(slot);
    const open = rows.isOpen(slot);
    const isFolded = below > 0 && rows.isFolded(slot);
    const current = drawing.current === slot;
    const shape = `${drawing.version} ${slot} ${below} ${open} ${isFolded} ${current} ${cut} ${rows.isFound(slot)}`;
    if (this.#drawn === shape) return false;
    this.#drawn = shape;
    this.slot = slot;
    const row = this.element;
    row.id = `r${slot}`;
    row.classList.toggle("break", cut);
    row.classList.toggle("open", open);
    row.classList.toggle("current", current);
    row.classList.toggle("found", rows.isFound(slot));
    if (store.isMark(slot)) this.#mark(slot, drawing);
    else this.#line(slot, below, open, isFolded, drawing);
    return true;
  }

  /** Only the time, for ages. */
  tick(drawing: Drawing): void {
    if (this.slot >= 0) setText(this.#at, short(drawing.store.time(this.slot), drawing.times, drawing.dated, drawing.now));
  }

  #mark(slot: number, { store, sources, names, times, dated, now }: Drawing): void {
    const mark = markOf(store.text(slot));
    const source = sources[store.sources[slot] as number];
    const row = this.element;
    row.classList.remove("cont");
    row.classList.add("mark");
    row.dataset["tone"] = markTone(mark.mark);
    delete row.dataset["level"];
    setText(this.#level, "");
    setText(this.#at, short(store.time(slot), times, dated, now));
    setText(this.#who, "");
    this.#fold.hidden = this.#more.hidden = true;
    const name = element("b", {}, source === undefined ? "" : markLabel(source, names, mark.text));
    if (source !== undefined) name.style.color = sourceColor(source.color);
    const words = this.#parts([...pieces(mark.text), ...pieces(mark.todo === "" ? "" : ` · ${mark.todo}`)].map(ours), undefined);
    this.#text.replaceChildren(element("span", { class: "words" }, name, ...(name.textContent === "" ? [] : [" "]), ...words));
    row.title = `${mark.text}${mark.todo === "" ? "" : `\n${mark.todo}`}`;
  }

  #line(slot: number, below: number, open: boolean, isFolded: boolean, drawing: Drawing): void {
    const { store, sources, names, times, dated, now } = drawing;
    const row = this.element;
    const flags = store.flags[slot] as number;
    const level = store.level(store.heads[slot] as number);
    const continues = (flags & CONTINUES) !== 0 && store.heads[slot] !== slot;
    row.classList.remove("mark");
    row.classList.toggle("cont", continues);
    row.title = "";
    delete row.dataset["tone"];
    row.dataset["level"] = String(level);
    setText(this.#level, continues ? "" : (LETTERS[level] ?? ""));
    this.#level.title = LEVELS[level] ?? "";
    setText(this.#at, short(store.time(slot), times, dated, now));
    const source = sources[store.sources[slot] as number];
    setText(this.#who, continues || !drawing.labelled || source === undefined ? "" : label(source, names));
    this.#who.title = source === undefined ? "" : fullName(source);
    this.#who.style.color = source === undefined ? "" : sourceColor(source.color);
    const size = store.size(slot);
    const isJson = (flags & JSON_OBJECT) !== 0 && size <= FOLDABLE;
    const short_ = open || isJson ? Infinity : SHOWN;
    const text = store.text(slot, short_);
    const summary = isJson && !open ? folded(text) : undefined;
    this.#foldButton(below, isFolded, isJson && below === 0 ? open : undefined);
    this.#text.replaceChildren(...this.#content(text, isJson && open, summary, drawing));
    this.#moreButton(size > SHOWN && !isJson ? size - SHOWN : 0, open, (flags & CUT) !== 0);
  }

  #foldButton(below: number, isFolded: boolean, jsonOpen: boolean | undefined): void {
    this.#fold.hidden = below === 0 && jsonOpen === undefined;
    if (below > 0) {
      setText(this.#fold, isFolded ? `▸ +${count(below)}` : "▾");
      this.#fold.title = isFolded ? `Show ${below} more lines of it` : `Fold the ${below} lines below`;
      this.#fold.dataset["act"] = "fold";
    } else if (jsonOpen !== undefined) {
      setText(this.#fold, jsonOpen ? "▾" : "▸");
      this.#fold.title = jsonOpen ? "Fold to a line" : "Unfold the JSON object";
      this.#fold.dataset["act"] = "open";
    }
    this.#fold.setAttribute("aria-expanded", String(below > 0 ? !isFolded : jsonOpen === true));
  }

  #moreButton(left: number, open: boolean, cut: boolean): void {
    this.#more.hidden = left === 0 && !cut;
    this.#more.dataset["act"] = "open";
    const words = cut ? " The line was longer still: its rest is not kept." : "";
    setText(this.#more, this.#more.hidden ? "" : left === 0 ? "cut" : open ? "less" : `… ${count(left)} bytes more`);
    this.#more.title = (left === 0 ? "" : open ? "Show its beginning alone." : "Show the whole line.") + words;
  }

  #content(text: string, unfolded: boolean, summary: Folded | undefined, drawing: Drawing): (Node | string)[] {
    if (unfolded) {
      const tokens = pretty(text);
      if (tokens !== undefined) {
        // what is between the tokens is ours, with the ends of lines in it
        const cut = ({ text, kind }: Token): Part[] =>
          kind === "punctuation" ? [{ text, look: undefined, mark: "", kind }] : pieces(text).map((piece) => ({ ...piece, kind }));
        return this.#parts(tokens.flatMap(cut), drawing);
      }
    }
    if (summary === undefined) return this.#parts(pieces(text).map(ours), drawing);
    const parts = this.#folded(summary);
    // what is found in a part that is not shown would be nowhere
    const { find } = drawing;
    const hidden = find !== undefined && find.test(plain(text)) && !find.test(parts.map((part) => part.text).join(""));
    return this.#parts(hidden ? pieces(text).map(ours) : parts, drawing);
  }

  /** A JSON line's words, then its other members. */
  #folded(summary: Folded): Part[] {
    const parts: Part[] = pieces(summary.said.replace(/\n+$/, "").replace(/\n/g, " ⏎ ")).map(ours);
    for (const { key, raw, kind } of summary.rest) {
      const gap = parts.length > 0 ? "  " : "";
      const value = kind === "string" ? bare(unquoted(raw), raw) : raw;
      const cut = value.length > NESTED && kind === "nested" ? `${value.slice(0, NESTED)}…` : value;
      parts.push(...pieces(`${gap}${key}=`).map((piece) => ({ ...piece, kind: "key" })));
      parts.push(...pieces(cut).map((piece) => ({ ...piece, kind: "value" })));
    }
    return parts;
  }

  /** Nodes of a line's parts, with what is looked for marked in them. */
  #parts(parts: readonly Part[], drawing: Drawing | undefined): (Node | string)[] {
    const ranges = drawing === undefined ? [] : marked(parts.map((part) => part.text).join(""), drawing);
    const made: (Node | string)[] = [];
    let [at, next] = [0, 0];
    for (const part of parts) {
      const end = at + part.text.length;
      let from = at;
      while (from < end) {
        while (next < ranges.length && (ranges[next] as Range).end <= from) next++;
        const range = ranges[next];
        const inside = range !== undefined && range.begin <= from;
        const to = range === undefined ? end : Math.min(end, inside ? range.end : Math.max(range.begin, from));
        made.push(node(part, part.text.slice(from - at, to - at), inside ? range.kind : "", drawing?.paper));
        from = to;
      }
      at = end;
    }
    return made;
  }
}

const ours = (piece: Piece): Part => ({ ...piece, kind: "" });

/** A string without its quotes, where it is one word. */
function bare(value: string, raw: string): string {
  return /^[^\s="']+$/.test(value) ? value : raw;
}

interface Range {
  begin: number;
  end: number;
  kind: string;
}

/** Where in a text something is looked for or highlighted; what is looked for goes first. */
function marked(text: string, { find, highlight }: Drawing): Range[] {
  const found: Range[] = [];
  for (const [regex, kind] of [[find, "hit"], [highlight, "hl"]] as const) {
    if (regex === undefined) continue;
    for (const match of text.matchAll(everywhere(regex))) {
      if (match[0] === "") continue;
      const range = { begin: match.index, end: match.index + match[0].length, kind };
      if (!found.some((other) => other.begin < range.end && range.begin < other.end)) found.push(range);
      if (found.length >= MARKED) break;
    }
  }
  return found.sort((a, b) => a.begin - b.begin);
}

function node(part: Part, text: string, mark: string, paper: Paper | undefined): Node | string {
  if (part.look === undefined && part.mark === "" && part.kind === "" && mark === "") return text;
  const made = element(mark === "" ? "span" : "mark", {}, text);
  made.className = [mark, part.mark === "" ? "" : "esc", part.kind === "" ? "" : `j-${part.kind}`].filter(Boolean).join(" ");
  if (part.mark !== "") made.title = part.mark;
  if (part.look !== undefined && paper !== undefined) wear(made, part.look, mark === "", paper);
  return made;
}

function wear(made: HTMLElement, look: Look, colored: boolean, paper: Paper): void {
  const { color, back } = dress(look, paper);
  if (colored && color !== "") made.style.color = color;
  if (colored && back !== "") made.style.backgroundColor = back;
  if (look.bold) made.style.fontWeight = "bold";
  if (look.dim && color === "") made.style.color = "var(--dim)";
  if (look.italic) made.style.fontStyle = "italic";
  const lines = [look.underline ? "underline" : "", look.strike ? "line-through" : ""].filter(Boolean).join(" ");
  if (lines !== "") made.style.textDecoration = lines;
}
