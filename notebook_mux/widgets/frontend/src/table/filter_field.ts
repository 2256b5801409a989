/**
 * The field for the filter: what may follow is offered, what is wrong is shown at its place, and beside it stands the
 * switch that shows faults only.
 *
 * It is a combobox of ARIA 1.2: the focus stays in the field. While somebody types, what is not through yet counts
 * nothing; Enter, a blank, or leaving the field says that it is meant so.
 */

import { count, element, setText } from "../common/dom";
import { randomId } from "../common/ids";
import { Popup } from "../common/popup";
import { type Candidate, complete, type Completion, Known } from "../filter/completing";
import { type Compiled, compiled, type Facts, type Scheme } from "../filter/judging";
import type { Mistake } from "../filter/terms";
import { History, typed } from "../filter/typing";

export interface FilterHooks {
  /** What a filter has to know of the table; undefined while the kernel has not said it. */
  scheme(): Scheme | undefined;
  rows(): readonly Facts[];
  /** Another filter counts; the text is for others to know, undefined while it is not through. */
  changed(text: string | undefined, faults: boolean, filter: Compiled): void;
  /** The filter is as it should be: its user goes on in the rows. */
  through(): void;
}

/** How long nobody types before what is wrong is read aloud. */
const SAY_MS = 700;

/** How long nobody types before what empties the table is meant so, where nothing is offered that may follow. */
const MEANT_MS = 1500;

/** How long what is known of the rows is good enough to offer something of it. */
const KNOWN_MS = 2000;

/** What was filtered by in this page. */
const history = new History();

const NOTHING: Completion = { start: 0, end: 0, candidates: [] };

export class FilterField {
  readonly element = element("div", { class: "filter-field" });
  /** What is wrong with a filter that nobody is typing at; a line below the field's bar. */
  readonly note = element("div", { class: "line warn", hidden: "" });
  #hooks: FilterHooks;
  #input: HTMLInputElement;
  #marks = element("div", { class: "marks", "aria-hidden": "true" });
  #clear = element("button", { type: "button", class: "icon clear", title: "Clear the filter (Escape)", "aria-label": "Clear the filter" }, "×");
  #faults = element("button", { type: "button", class: "faults", "aria-pressed": "false" });
  #said = element("div", { class: "hidden", role: "status" });
  #box = element("div", { class: "following" });
  #message = element("div", { class: "message" });
  #list: HTMLElement;
  #popup: Popup;
  #on = false;
  #number = 0;
  #completion = NOTHING;
  #active = -1;
  /** Whether Tab takes the first candidate: something was typed for it. */
  #taking = false;
  /** Whether somebody is typing at what stands here. */
  #typing = false;
  #waiting = "";
  #effect = "";
  #mistakes: readonly Mistake[] = [];
  #known: [until: number, scheme: Scheme, known: Known] | undefined;
  #say: ReturnType<typeof setTimeout> | undefined;
  #meant: ReturnType<typeof setTimeout> | undefined;

  constructor(hooks: FilterHooks, signal: AbortSignal) {
    this.#hooks = hooks;
    const id = `following-${randomId()}`;
    this.#input = element("input", {
      type: "text", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id,
      "aria-label": "Filter rows", placeholder: "Filter: web !test status=…", spellcheck: "false", autocomplete: "off",
      autocapitalize: "off", "aria-describedby": `${id}-said`,
    });
    this.#said.id = `${id}-said`;
    this.#list = element("div", { role: "listbox", id, "aria-label": "What may follow" });
    this.#box.append(this.#message, this.#list);
    this.#popup = new Popup(this.#input, this.#box, () => {
      this.#input.setAttribute("aria-expanded", "false");
      this.#input.removeAttribute("aria-activedescendant");
    });
    const inner = element("span", { class: "inner" }, this.#marks, this.#input, this.#clear);
    this.element.append(inner, this.#faults, this.#said);
    this.#clear.hidden = true;
    this.#drawFaults();
    this.#listen(signal);
  }

  get text(): string {
    return this.#input.value;
  }

  get faults(): boolean {
    return this.#on;
  }

  /** Set from elsewhere: it counts as it is. */
  set(text: string, faults: boolean): void {
    if (this.#input.value === text && this.#on === faults) return;
    this.#input.value = text;
    this.#on = faults;
    this.#typing = false;
    this.#drawFaults();
    this.#close();
    this.#count(false);
  }

  /** The table's columns or clusters are others: what stands here may mean something else. */
  again(): void {
    this.#effect = "";
    this.#count(false);
  }

  /** How many rows show a fault. */
  counted(faults: number): void {
    if (faults === this.#number) return;
    this.#number = faults;
    this.#drawFaults();
  }

  /** Show faults only, or all again. */
  turnFaults(): void {
    this.#on = !this.#on;
    this.#drawFaults();
    this.#count();
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  // --- what counts ----------------------------------------------------------------------------------------------------

  /** Work out what counts, and tell it where that is something else. */
  #count(tell = true): void {
    const scheme = this.#hooks.scheme();
    const text = this.#input.value;
    this.#clear.hidden = text === "";
    if (scheme === undefined) return;
    const rows = this.#hooks.rows();
    const made = this.#typing
      ? typed(text, scheme, this.#on, () => this.#knowing(rows, scheme), rows)
      : { compiled: compiled(text, scheme, this.#on), waiting: "", whole: true };
    this.#waiting = made.waiting;
    clearTimeout(this.#meant);
    if (made.waiting !== "") this.#meant = setTimeout(() => this.#completion.candidates.length === 0 && this.#settle(), MEANT_MS);
    this.#mistakes = made.compiled.mistakes;
    const whole = made.whole && this.#mistakes.length === 0;
    const effect = JSON.stringify([made.compiled.text, this.#on, whole]);
    this.#mark();
    if (effect === this.#effect) return;
    this.#effect = effect;
    this.#hooks.changed(tell && whole ? text : undefined, this.#on, made.compiled);
  }

  #knowing(rows: readonly Facts[], scheme: Scheme): Known {
    if (this.#known === undefined || this.#known[0] < performance.now() || this.#known[1] !== scheme) {
      this.#known = [performance.now() + KNOWN_MS, scheme, new Known(scheme.columns, scheme.clusters, rows)];
    }
    return this.#known[2];
  }

  /** What stands here is meant so. */
  #settle(): void {
    this.#typing = false;
    this.#count();
    if (this.#mistakes.length === 0) history.add(this.#input.value);
  }

  #replace(text: string): void {
    this.#input.value = text;
    this.#input.setSelectionRange(text.length, text.length);
  }

  // --- what is wrong ----------------------------------------------------------------------------------------------------

  /** Show the places of what is wrong or waits, and say what it is. */
  #mark(): void {
    const text = this.#input.value;
    const [first] = this.#mistakes;
    const wrong = this.#mistakes.some(({ open }) => !open || !this.#typing);
    if (wrong) this.#input.setAttribute("aria-invalid", "true");
    else this.#input.removeAttribute("aria-invalid");
    const places = this.#mistakes.map(({ start, end, open }) => ({ start, end, soft: open && this.#typing }));
    if (this.#waiting !== "") places.push({ start: text.length - this.#waiting.length, end: text.length, soft: true });
    const parts: (string | HTMLElement)[] = [];
    let at = 0;
    for (const { start, end, soft } of places) {
      if (start < at) continue;
      parts.push(text.slice(at, start));
      // where something is missing, the place is the one behind
      parts.push(element("span", { class: soft ? "soft" : "wrong" }, text.slice(start, end) || "\u2002"));
      at = end;
    }
    parts.push(text.slice(at));
    this.#marks.replaceChildren(...parts);
    this.#follow();
    let [what, todo] = ["", ""];
    if (first !== undefined) [what, todo] = [first.what, first.todo];
    else if (this.#waiting !== "") [what, todo] = [`no row passes with ${this.#waiting} yet`, "go on, or press Enter"];
    const said = what === "" ? "" : `${what}: ${todo}`;
    this.#message.replaceChildren(element("div", {}, what), element("div", { class: "todo" }, todo));
    this.#message.className = wrong ? "message wrong" : "message";
    this.#message.hidden = said === "";
    this.note.hidden = first === undefined || this.#typing;
    const shown = first === undefined ? "" : text.slice(first.start, first.end);
    this.note.replaceChildren(...(this.note.hidden ? [] : [element("strong", {}, "Filter"), element("code", {}, shown), element("span", {}, said)]));
    clearTimeout(this.#say);
    this.#say = setTimeout(() => setText(this.#said, this.#typing ? said : ""), SAY_MS);
  }

  /** The marks are below the text, wherever that is scrolled to. */
  #follow(): void {
    this.#marks.scrollLeft = this.#input.scrollLeft;
  }

  // --- what may follow ----------------------------------------------------------------------------------------------------

  #offer(): void {
    const scheme = this.#hooks.scheme();
    const { value, selectionStart, selectionEnd } = this.#input;
    const cursor = selectionStart ?? value.length;
    this.#completion =
      scheme === undefined || cursor !== selectionEnd ? NOTHING : complete(value, cursor, this.#knowing(this.#hooks.rows(), scheme));
    this.#draw();
  }

  #draw(): void {
    const { candidates } = this.#completion;
    this.#active = -1;
    this.#list.replaceChildren(...candidates.map((candidate, at) => this.#option(candidate, at)));
    this.#list.hidden = candidates.length === 0;
    if (candidates.length === 0 && this.#message.hidden) this.#close();
    else {
      this.#popup.show();
      this.#popup.place();
      this.#input.setAttribute("aria-expanded", String(candidates.length > 0));
    }
    this.#input.removeAttribute("aria-activedescendant");
  }

  #option({ text, about, kind }: Candidate, at: number): HTMLElement {
    const made = element("div", { role: "option", id: `${this.#list.id}-${at}`, class: `option ${kind}`, "aria-selected": "false" });
    made.append(element("span", { class: "words" }, text), element("span", { class: "more" }, kind === "value" && about !== "" ? count(Number(about)) : about));
    made.addEventListener("click", () => this.#take(at));
    return made;
  }

  #move(by: number): void {
    const { length } = this.#completion.candidates;
    if (length === 0) return;
    this.#list.children[this.#active]?.setAttribute("aria-selected", "false");
    // beyond the last stands the text itself
    this.#active = ((this.#active + 1 + by + length + 1) % (length + 1)) - 1;
    const option = this.#list.children[this.#active];
    if (option === undefined) {
      this.#input.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.#input.setAttribute("aria-activedescendant", option.id);
  }

  #take(at: number): void {
    const { start, end, candidates } = this.#completion;
    const candidate = candidates[at];
    if (candidate === undefined) return;
    const { value } = this.#input;
    this.#input.value = value.slice(0, start) + candidate.text + value.slice(end);
    const cursor = start + candidate.text.length;
    this.#input.setSelectionRange(cursor, cursor);
    this.#typing = true;
    this.#count();
    this.#offer();
    this.#taking = false;
    this.#input.scrollLeft = this.#input.scrollWidth;
    this.#follow();
  }

  #close(): void {
    this.#completion = NOTHING;
    this.#active = -1;
    this.#list.replaceChildren();
    this.#popup.close("elsewhere");
  }

  // --- hands ------------------------------------------------------------------------------------------------------------

  #listen(signal: AbortSignal): void {
    const input = this.#input;
    input.addEventListener("input", () => {
      history.leave();
      this.#typing = true;
      this.#taking = true;
      this.#count();
      this.#offer();
    }, { signal });
    for (const name of ["scroll", "keyup", "pointerup"]) input.addEventListener(name, () => this.#follow(), { signal });
    input.addEventListener("keydown", (event) => this.#key(event), { signal });
    input.addEventListener("click", () => this.#popup.open && this.#offer(), { signal });
    input.addEventListener("blur", () => {
      this.#close();
      this.#settle();
    }, { signal });
    // the focus stays in the field
    for (const made of [this.#box, this.#clear]) made.addEventListener("mousedown", (event) => event.preventDefault(), { signal });
    this.#clear.addEventListener("click", () => {
      this.#empty();
      input.focus();
    }, { signal });
    this.#faults.addEventListener("click", () => this.turnFaults(), { signal });
    signal.addEventListener("abort", () => {
      clearTimeout(this.#say);
      clearTimeout(this.#meant);
      this.#popup.close("elsewhere");
    });
  }

  #key(event: KeyboardEvent): void {
    if (event.isComposing || event.ctrlKey && event.key !== " " || event.altKey || event.metaKey) return;
    const { key } = event;
    const offered = this.#popup.open && this.#completion.candidates.length > 0;
    if (key === "ArrowDown" || key === "ArrowUp") {
      const back = key === "ArrowUp";
      if (offered) this.#move(back ? -1 : 1);
      else if (history.walking || (back && this.#input.value === "")) this.#recall(back);
      else if (!back) {
        this.#offer();
        if (this.#completion.candidates.length > 0) this.#move(1);
        else this.#hooks.through();
      } else return;
    } else if (key === " " && event.ctrlKey) this.#offer();
    else if (key === "Enter") {
      if (offered && this.#active >= 0) this.#take(this.#active);
      else {
        this.#close();
        this.#settle();
        if (this.#mistakes.length === 0) this.#hooks.through();
      }
    } else if (key === "Tab") {
      // what was offered and not asked for does not keep the focus
      if (event.shiftKey || !offered || (this.#active < 0 && !this.#taking)) return;
      this.#take(Math.max(0, this.#active));
    } else if (key === "Escape") {
      if (this.#popup.open) this.#close();
      else if (this.#input.value !== "") this.#empty();
      else this.#hooks.through();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #recall(back: boolean): void {
    const text = history.step(back);
    if (text === undefined) return;
    this.#replace(text);
    this.#typing = false;
    this.#count();
  }

  #empty(): void {
    if (this.#mistakes.length === 0 && this.#waiting === "") history.add(this.#input.value);
    this.#replace("");
    this.#typing = false;
    this.#close();
    this.#count();
  }

  #drawFaults(): void {
    const words = this.#number === 1 ? "1 fault" : `${count(this.#number)} faults`;
    this.#faults.setAttribute("aria-pressed", String(this.#on));
    this.#faults.setAttribute("aria-label", `Faults only: ${words}`);
    this.#faults.title = "Show only what is not as it should be (f)";
    this.#faults.classList.toggle("none", this.#number === 0);
    this.#faults.replaceChildren(element("span", { class: "shape", "aria-hidden": "true" }), element("span", { "aria-hidden": "true" }, words));
  }
}

export const FILTER_CSS = `
.filter-field { display: flex; align-items: center; gap: 4px; min-width: 0; width: 100%; }
.filter-field .inner { position: relative; display: flex; flex: 1 1 auto; min-width: 0; }
.filter-field input { width: 100%; min-width: 0; padding: 0 22px 0 7px; background: transparent; position: relative; font-family: var(--mono); font-size: 92%; }
.filter-field input::placeholder { font-family: var(--font); color: var(--dim); opacity: 1; }
.filter-field .marks { position: absolute; inset: 1px; padding: 0 21px 0 6px; overflow: hidden; white-space: pre; color: transparent; background: var(--back);
  font-family: var(--mono); font-size: 92%; line-height: 20px; pointer-events: none; border-radius: 2px; }
.marks .wrong { text-decoration: underline wavy var(--bad) 1.5px; text-underline-offset: 1px; text-decoration-skip-ink: none; background: color-mix(in srgb, var(--bad) 14%, transparent); }
.marks .soft { text-decoration: underline dotted var(--dim) 2px; text-underline-offset: 3px; text-decoration-skip-ink: none; }
.filter-field .clear { position: absolute; right: 1px; top: 1px; height: 20px; width: 20px; padding: 0; font-size: 15px; line-height: 1; }
.filter-field .clear[hidden] { display: none; }
.filter-field .faults { flex: none; display: inline-flex; align-items: center; gap: 4px; padding: 0 7px; white-space: nowrap; font-variant-numeric: tabular-nums; }
.faults .shape::before { content: "▲"; font-size: 75%; color: var(--warn); }
.faults.none .shape::before { content: "●"; color: var(--good); }
.following { padding: 0; min-width: 220px; display: flex; flex-direction: column; }
.following[hidden] { display: none; }
.following > div[role="listbox"] { overflow-y: auto; max-height: 264px; padding: 3px 0; scrollbar-width: thin; overscroll-behavior: contain; }
.following > div[hidden] { display: none; }
.following .option { padding: 2px 10px; }
.following .option .words { font-family: var(--mono); font-size: 92%; }
.following .option[aria-selected="true"] { background: var(--picked); box-shadow: inset 2px 0 0 var(--accent); }
.following .option[aria-selected="true"] .words { font-weight: inherit; }
.following .option:hover { background: var(--hover); }
.following .option[aria-selected="true"]:hover { background: var(--picked); }
.following .message { padding: 5px 10px; max-width: 60ch; color: var(--dim); overflow-wrap: anywhere; }
.following .message.wrong div:first-child { color: var(--bad); }
.following .message .todo { color: var(--dim); }
.following .message[hidden] { display: none; }
.following .message + div:not([hidden]) { border-top: 1px solid var(--line); }
.line[hidden] { display: none; }
.line code { font-family: var(--mono); text-decoration: underline wavy var(--bad) 1.5px; text-underline-offset: 3px; }
`;
