/**
 * A button that shows what is chosen, and opens a field to search in and the list of what there is (a combobox of
 * ARIA 1.2: the focus stays in the field, the list's active option is told by `aria-activedescendant`).
 *
 * Where several may be chosen, a click or Enter takes one alone, which is what is wanted most of the time; a click on
 * its box or Shift+Enter adds it to the others, and these are taken by the button below the list.
 */

import { count, element, setText } from "./dom";
import { icon } from "./icons";
import { randomId } from "./ids";
import { Popup } from "./popup";
import { waitLine } from "./waits";

export interface Option {
  value: string;
  words: string;
  /** Such as a kind's group, dim at the right. */
  more?: string;
  /** Other words it is found by; an exact one comes first. */
  also?: readonly string[];
  /** A tone of a dot before it. */
  tone?: string;
  /** It excludes all others, as "all namespaces". */
  alone?: boolean;
}

export interface Choosing {
  /** What is chosen by it, such as "Namespace". */
  name: string;
  several: boolean;
  /** What there is; throws what there is to say instead. */
  options(): Promise<Option[]>;
  chosen(): readonly string[];
  choose(values: string[]): void;
  /** A value that is not in the list may be typed: what may not be listed may be looked at. */
  free?(text: string): Option | undefined;
}

/** So many are drawn: more is found by typing. */
const MOST = 200;

/** Options that a text finds, the best first. */
export function found(options: readonly Option[], text: string): Option[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [...options];
  const ranked: [rank: number, at: number, option: Option][] = [];
  options.forEach((option, at) => {
    const words = option.words.toLowerCase();
    const also = option.also?.map((one) => one.toLowerCase()) ?? [];
    let rank = -1;
    if (words === wanted || also.includes(wanted)) rank = 0;
    else if (words.startsWith(wanted)) rank = 1;
    else if (words.includes(wanted)) rank = 2;
    else if (also.some((one) => one.startsWith(wanted))) rank = 3;
    else if (also.some((one) => one.includes(wanted)) || option.more?.toLowerCase().includes(wanted) === true) rank = 4;
    if (rank >= 0) ranked.push([rank, at, option]);
  });
  return ranked.sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , option]) => option);
}

export class Combobox {
  readonly button = element("button", { type: "button", class: "picker", "aria-haspopup": "dialog", "aria-expanded": "false" });
  readonly shown = element("span", { class: "shown" });
  #choosing: Choosing;
  #popup: Popup;
  #box = element("div", { class: "choosing", role: "dialog" });
  #input: HTMLInputElement;
  #list: HTMLElement;
  #note = element("div", { class: "note", role: "status" });
  #take = element("button", { type: "button", class: "take" });
  #foot = element("div", { class: "taking" });
  #options: Option[] = [];
  #drawn: Option[] = [];
  #active = -1;
  #marked: Set<string> | undefined;
  #opening = 0;
  /** The list is not there yet, and no word that there is none. */
  #reading = false;
  /** Enter was pressed before the list was there: what is best then is meant. */
  #entered = false;

  constructor(choosing: Choosing, signal: AbortSignal) {
    this.#choosing = choosing;
    const { name, several } = choosing;
    const id = `list-${randomId()}`;
    this.button.append(this.shown, icon("down"));
    this.#box.setAttribute("aria-label", name);
    this.#input = element("input", {
      type: "text", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "true", "aria-controls": id,
      "aria-label": `Find: ${name.toLowerCase()}`, placeholder: "Find", spellcheck: "false", autocomplete: "off",
    });
    this.#list = element("div", { role: "listbox", id, "aria-label": name, class: "options" });
    if (several) this.#list.setAttribute("aria-multiselectable", "true");
    this.#foot.append(element("span", { class: "dim" }, "Shift+Enter: several"), this.#take);
    this.#foot.hidden = !several;
    this.#box.append(this.#input, this.#list, this.#note, waitLine(), this.#foot);
    this.#popup = new Popup(this.button, this.#box, (how) => {
      this.#opening += 1; // a list that comes now comes too late
      this.button.setAttribute("aria-expanded", "false");
      if (how === "elsewhere") this.#takeMarked();
    });
    this.button.addEventListener("click", () => (this.#popup.open ? this.#popup.close() : this.open()), { signal });
    this.button.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown" || this.#popup.open) return;
      event.preventDefault();
      this.open();
    }, { signal });
    this.#input.addEventListener("input", () => this.#draw(), { signal });
    this.#box.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.#take.addEventListener("click", () => {
      this.#takeMarked();
      this.#popup.close();
    }, { signal });
    this.#box.addEventListener("focusout", (event) => {
      const to = event.relatedTarget;
      if (to instanceof Node && !this.#box.contains(to)) this.#popup.close("elsewhere");
    }, { signal });
    signal.addEventListener("abort", () => {
      this.#marked = undefined;
      this.#popup.close("elsewhere");
    });
  }

  /** Open it; its list comes when it is there. */
  open(): void {
    const opening = ++this.#opening;
    this.#marked = undefined;
    this.#input.value = "";
    this.#options = [];
    this.#entered = false;
    this.#reading = true;
    this.#say("reading …");
    this.#draw();
    this.#popup.show();
    this.button.setAttribute("aria-expanded", "true");
    this.#input.focus({ preventScroll: true });
    this.#choosing.options().then(
      (options) => {
        if (opening !== this.#opening) return;
        this.#options = options;
        this.#say("");
        this.#draw();
        this.#read();
      },
      (error: unknown) => {
        if (opening !== this.#opening) return;
        this.#say(error instanceof Error ? error.message : String(error));
        this.#read();
      },
    );
  }

  /** What there is, is known. */
  #read(): void {
    this.#reading = false;
    if (this.#entered && this.#input.value.trim() !== "") this.#alone(this.#active);
    this.#entered = false;
  }

  #say(text: string): void {
    setText(this.#note, text);
    this.#note.hidden = text === "";
  }

  #chosen(): ReadonlySet<string> {
    return this.#marked ?? new Set(this.#choosing.chosen());
  }

  #draw(): void {
    const text = this.#input.value;
    const options = found(this.#options, text);
    const free = this.#choosing.free?.(text.trim());
    if (free !== undefined && !options.some(({ value }) => value === free.value)) options.push(free);
    this.#drawn = options.slice(0, MOST);
    const chosen = this.#chosen();
    this.#list.replaceChildren(...this.#drawn.map((option, at) => this.#option(option, at, chosen)));
    if (options.length > MOST) this.#say(`${count(options.length - MOST)} more: type a part of the name`);
    else if (this.#options.length > 0) this.#say(options.length === 0 ? `nothing has "${text.trim()}" in its name` : "");
    const first = text.trim() === "" ? this.#drawn.findIndex(({ value }) => chosen.has(value)) : 0;
    this.#move(Math.max(0, first), false);
    this.#tellMarked();
    if (this.#popup.open) this.#popup.place();
  }

  #option(option: Option, at: number, chosen: ReadonlySet<string>): HTMLElement {
    const { several } = this.#choosing;
    const made = element("div", { role: "option", id: `${this.#list.id}-${at}`, class: "option", "aria-selected": String(chosen.has(option.value)) });
    const mark = element("span", { class: several && option.alone !== true ? "mark box" : "mark", "aria-hidden": "true" });
    made.append(mark);
    if (option.tone !== undefined) {
      const dot = element("span", { class: "dot", "aria-hidden": "true" });
      dot.dataset["tone"] = option.tone;
      made.append(dot);
    }
    made.append(element("span", { class: "words" }, option.words));
    if (option.more !== undefined && option.more !== "") made.append(element("span", { class: "more" }, option.more));
    made.addEventListener("pointermove", () => this.#move(at, false, false));
    made.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the field
    made.addEventListener("click", (event) => {
      if (several && option.alone !== true && (event.target === mark || event.shiftKey || event.ctrlKey || event.metaKey)) this.#toggle(at);
      else this.#alone(at);
    });
    return made;
  }

  #move(to: number, wrap = true, scroll = true): void {
    const last = this.#drawn.length - 1;
    if (last < 0) {
      this.#active = -1;
      this.#input.removeAttribute("aria-activedescendant");
      return;
    }
    const at = wrap ? (to + last + 1) % (last + 1) : Math.min(last, Math.max(0, to));
    this.#list.children[this.#active]?.classList.remove("active");
    this.#active = at;
    const option = this.#list.children[at] as HTMLElement;
    option.classList.add("active");
    this.#input.setAttribute("aria-activedescendant", option.id);
    if (scroll) option.scrollIntoView?.({ block: "nearest" });
  }

  #toggle(at: number): void {
    const option = this.#drawn[at];
    if (option === undefined) return;
    const alone = new Set(this.#options.filter((one) => one.alone === true).map(({ value }) => value));
    this.#marked ??= new Set([...this.#choosing.chosen()].filter((value) => !alone.has(value)));
    if (!this.#marked.delete(option.value)) this.#marked.add(option.value);
    for (const [index, one] of this.#drawn.entries()) {
      this.#list.children[index]?.setAttribute("aria-selected", String(this.#marked.has(one.value)));
    }
    this.#move(at, false, false);
    this.#tellMarked();
  }

  #tellMarked(): void {
    this.#take.hidden = this.#marked === undefined || this.#marked.size === 0;
    setText(this.#take, `Show ${count(this.#marked?.size ?? 0)}`);
  }

  #alone(at: number): void {
    const option = this.#drawn[at];
    if (option === undefined) return;
    this.#marked = undefined;
    this.#popup.close();
    this.#choosing.choose([option.value]);
  }

  #takeMarked(): void {
    const marked = this.#marked;
    this.#marked = undefined;
    if (marked === undefined || marked.size === 0) return;
    const before = this.#choosing.chosen();
    if (before.length === marked.size && before.every((value) => marked.has(value))) return;
    this.#choosing.choose([...marked]);
  }

  #key(event: KeyboardEvent): void {
    const inside = event.target === this.#input;
    const page = 8;
    if (event.key === "ArrowDown") this.#move(this.#active + 1);
    else if (event.key === "ArrowUp") this.#move(this.#active - 1);
    else if (event.key === "PageDown") this.#move(this.#active + page, false);
    else if (event.key === "PageUp") this.#move(this.#active - page, false);
    else if (event.key === "Enter" && inside) {
      const marked = this.#marked !== undefined && this.#marked.size > 0;
      if (this.#reading && !marked && (this.#active < 0 || !event.shiftKey)) this.#entered = true;
      else if (event.shiftKey && this.#choosing.several && this.#drawn[this.#active]?.alone !== true) this.#toggle(this.#active);
      else if (marked) {
        this.#takeMarked();
        this.#popup.close();
      } else this.#alone(this.#active);
    } else if (event.key === "Tab" && (this.#take.hidden || !inside || event.shiftKey)) {
      this.#takeMarked();
      this.#popup.close(); // and the focus goes on from the button
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

export const COMBOBOX_CSS = `
.picker { display: inline-flex; align-items: center; gap: 3px; max-width: 100%; min-width: 0; padding: 0 3px 0 6px; border-color: transparent;
  background: transparent; }
.picker svg { flex: none; color: var(--dim); fill: none; stroke: currentColor; stroke-width: 1.4; }
.picker .shown { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.picker:hover, .picker[aria-expanded="true"] { background: var(--hover); border-color: var(--line); }
.choosing { display: flex; flex-direction: column; padding: 0; width: 300px; overflow: hidden; }
.choosing[hidden] { display: none; }
.choosing > input { margin: 6px; height: 26px; width: auto; flex: none; }
.choosing .options { overflow-y: auto; max-height: 320px; min-height: 0; padding-bottom: 4px; scrollbar-width: thin; overscroll-behavior: contain; }
.option { display: flex; align-items: baseline; gap: 6px; padding: 3px 10px 3px 6px; cursor: pointer; }
.option.active { background: var(--picked); box-shadow: inset 2px 0 0 var(--accent); }
.option .mark { flex: none; width: 14px; text-align: center; color: var(--accent-text); font-weight: 700; line-height: 1; }
.option[aria-selected="true"] .mark::before { content: "✓"; }
.option .mark.box { align-self: center; height: 12px; width: 12px; margin: 0 1px; border: 1px solid var(--dim); border-radius: 2px; font-size: 11px; }
.option[aria-selected="true"] .words { font-weight: 600; }
.option .words { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.option .more { flex: none; max-width: 55%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--dim); font-size: 88%; }
.choosing .note, .choosing .waits { padding: 2px 10px 8px; color: var(--dim); overflow-wrap: anywhere; }
.choosing .note[hidden] { display: none; }
.taking { display: flex; align-items: center; justify-content: space-between; gap: 8px; min-height: 24px; padding: 4px 8px 4px 10px;
  border-top: 1px solid var(--line); font-size: 88%; }
.taking[hidden] { display: none; }
.take, .take:hover { background: var(--fill); border-color: var(--fill); color: var(--on-fill); }
`;
