/** What stands around the grid: what is shown and where, filter, tools, troubles, and the foot line. */

import { COMBOBOX_CSS } from "../common/combobox";
import { cutWords, idleWords, WAITS } from "../common/condition";
import { DIALOG_CSS } from "../common/dialog";
import { clock, count, element, setText } from "../common/dom";
import { icon, iconButton } from "../common/icons";
import type { Condition, Link } from "../common/link";
import { type Entry, Menu, MENU_CSS } from "../common/menu";
import { stateTone, trouble } from "../common/trouble";
import { Actions as Changing } from "./actions";
import { type CopyActions, Copying } from "./copy";
import { FILTER_CSS, type FilterField } from "./filter_field";
import type { Head } from "./head";
import { HELP_CSS } from "./help";
import { type PickActions, Pickers, PICKERS_CSS } from "./pickers";

export interface Actions extends PickActions, Omit<CopyActions, "say"> {
  wide(on: boolean): void;
  usage(on: boolean): void;
  group(by: string): void;
  pause(): void;
  help(): void;
  /** The menu of what can be changed. */
  changes(): Entry[];
  freeze(): Promise<string>;
  retry(): Promise<string>;
  resume(): void;
}

/** What rows can be put together by, beside labels. */
const GROUPS: readonly [by: string, words: string][] = [
  ["", "nothing"], ["namespace", "namespace"], ["node", "node"], ["owner", "owner"], ["cluster", "cluster"],
];

/** Kinds with figures of CPU and memory. */
const MEASURED = new Set(["pods", "nodes"]);

export class Bar {
  readonly top = element("div", { class: "bar", role: "group", "aria-label": "Table controls" });
  readonly troubles = element("div", { role: "status", "aria-live": "polite" });
  readonly foot = element("div", { class: "foot" });
  readonly pickers: Pickers;
  readonly copying: Copying;
  /** More for the menu of the view, such as columns to show: set by whoever has them. */
  more: () => Entry[] = () => [];
  /** Keys of labels that rows can be put together by. */
  labels: () => string[] = () => [];
  #actions: Actions;
  #head: Head | undefined;
  #filter: FilterField;
  #view: Menu;
  #copy: Menu;
  #pause: HTMLButtonElement;
  #changes: HTMLButtonElement;
  #help: HTMLButtonElement;
  #rows = element("span", { role: "status" });
  #rate = element("span");
  #picked = element("span");
  #said = element("span", { class: "said", role: "status" });
  #kernel = element("div", { class: "line bad", hidden: "" });
  #refused = element("div", { class: "line warn", hidden: "" });
  #lines = element("div");
  #retry = element("button", { type: "button", title: "Try again now instead of after the wait" }, "Retry now");
  #resume = element("button", { type: "button" }, "Go on");
  #drawn = "";

  constructor(filter: FilterField, actions: Actions, signal: AbortSignal) {
    this.#filter = filter;
    this.#actions = actions;
    this.pickers = new Pickers(actions, signal);
    this.copying = new Copying({ ...actions, say: (text) => this.say(text) });
    const button = (name: string, title: string, act = () => {}) => iconButton(name, title, act, signal);
    this.#pause = button("pause", "Pause (p)", () => actions.pause());
    this.#pause.setAttribute("aria-pressed", "false");
    const view = button("view", "View");
    const copy = button("copy", "Copy");
    this.#help = button("help", "Keys (?)", () => actions.help());
    for (const made of [this.#pause, copy, this.#help]) made.classList.add("folds");
    this.#view = new Menu(view, () => this.#entries(), signal, () => {
      if (isFolded(copy)) void this.copying.ask(() => this.#view.draw());
    });
    this.#copy = new Menu(copy, () => this.copying.entries(), signal, () => void this.copying.ask(() => this.#copy.draw()));
    this.#changes = element("button", { type: "button", title: "Change what is selected", hidden: "" }, "Actions");
    new Menu(this.#changes, () => actions.changes(), signal);
    const tools = element("div", { class: "tools", role: "group", "aria-label": "Tools" }, this.#pause, view, copy, this.#help);
    const finding = element("div", { class: "filter-of" }, filter.element);
    this.top.append(this.pickers.element, element("div", { class: "finding" }, finding, this.#changes, tools));
    this.foot.append(this.#rows, this.#picked, element("span", { class: "push" }), this.#said, this.#rate);
    this.troubles.append(this.#kernel, this.#refused, filter.note, this.#lines);
    const dismiss = iconButton("close", "Hide this", () => this.refused(""), signal);
    this.#refused.append(element("span", { class: "words" }), dismiss);
    this.#retry.addEventListener("click", () => void this.#asked("…", actions.retry()), { signal });
    this.#resume.addEventListener("click", () => actions.resume(), { signal });
  }

  head(head: Head, counts: readonly number[]): void {
    this.#head = head;
    this.pickers.head(head, counts);
    this.#changes.hidden = !Changing.offered(head);
    const shape = JSON.stringify([head.settings, head.columns, head.kind]);
    if (shape === this.#drawn) return;
    this.#drawn = shape;
    if (this.#view.popup.open) this.#view.draw();
  }

  /** Words in the foot line, for a while or until there are others. */
  say(text: string): void {
    setText(this.#said, text);
  }

  /** Why what was chosen is not shown; "" for nothing. */
  refused(text: string, tone = "warn"): void {
    this.#refused.hidden = text === "";
    this.#refused.className = `line trouble ${tone}`;
    setText(this.#refused.firstElementChild as Node, text);
  }

  paused(on: boolean): void {
    this.#pause.setAttribute("aria-pressed", String(on));
    this.#pause.title = on ? "Go on (p)" : "Pause (p)";
    this.#pause.setAttribute("aria-label", this.#pause.title);
    this.#pause.replaceChildren(icon(on ? "play" : "pause"));
  }

  focusFilter(): void {
    this.#filter.focus();
  }

  openView(): void {
    this.#view.button.click();
  }

  async #asked(meanwhile: string, answer: Promise<string>): Promise<void> {
    this.say(meanwhile);
    this.say(await answer);
  }

  #entries(): Entry[] {
    const { settings, columns, kind, several, question } = this.#head as Head;
    const actions = this.#actions;
    const made: Entry[] = [];
    const wide = settings.columns === null && columns.some((column) => column.wide);
    if (wide) made.push({ kind: "check", words: "Wide columns", key: "w", on: settings.wide, act: () => actions.wide(!settings.wide) });
    if (kind !== null && MEASURED.has(kind.resource) && kind.group === "") {
      made.push({ kind: "check", words: "CPU and memory", key: "u", on: settings.usage, act: () => actions.usage(!settings.usage) });
    }
    made.push(...this.more());
    made.push({ kind: "heading", words: "Group by" });
    const groups = GROUPS.filter(([by]) => {
      if (by === "namespace") return several[1];
      if (by === "cluster") return several[0];
      return by !== "node" || kind === null || kind.resource === "pods";
    });
    for (const key of this.labels()) groups.push([`label:${key}`, `label ${key}`]);
    if (!groups.some(([by]) => by === settings.group)) groups.push([settings.group, settings.group.replace(/^label:/, "label ")]);
    for (const [by, words] of groups) made.push({ kind: "radio", words, on: settings.group === by, act: () => actions.group(by) });
    made.push({ kind: "heading", words: "This table" });
    if (isFolded(this.#pause)) made.push({ kind: "act", words: this.#pause.title.replace(/ \(p\)$/, ""), key: "p", act: () => actions.pause() });
    if (isFolded(this.#copy.button) && question.kind !== "") made.push(...this.copying.entries());
    made.push({
      kind: "act",
      words: "Freeze",
      more: "write these rows into the notebook, for readers without a kernel",
      act: () => void this.#asked("asked for a copy …", actions.freeze()),
    });
    if (isFolded(this.#help)) made.push({ kind: "act", words: "Keys", key: "?", act: () => actions.help() });
    return made;
  }

  tick(head: Head, { condition, waits }: Link, now: number): void {
    const lines = head.clusters.filter(({ state, reason }) => state !== "live" || reason !== "");
    const wanted: (readonly [name: string, note: string, tone: string])[] = lines.map((cluster) => {
      const note = cluster.state === "live" ? cluster.reason : trouble(cluster, now);
      return [cluster.name, note, cluster.state === "live" ? "" : stateTone(cluster.state) || "warn"] as const;
    });
    for (const note of head.notes) wanted.push(["", note, ""]); // such as: no metrics in prod
    while (this.#lines.children.length > wanted.length) this.#lines.lastChild?.remove();
    wanted.forEach(([name, note, tone], index) => {
      let line = this.#lines.children[index] as HTMLElement | undefined;
      if (line === undefined) {
        line = element("div", {}, element("strong"), element("span"));
        this.#lines.append(line);
      }
      line.className = `line trouble ${tone}`;
      setText(line.children[0] as Node, name);
      setText(line.children[1] as Node, note);
    });
    // one button for all of them: the manager tries whatever waits
    const waiting = lines.findIndex(({ state, retryAt }) => state !== "live" && retryAt !== null);
    const line = condition.kernel === "live" ? this.#lines.children[waiting] : undefined;
    if (line === undefined) this.#retry.remove();
    else if (this.#retry.parentElement !== line) line.append(this.#retry);
    this.#kernelLine(head, condition, waits);
  }

  #kernelLine(head: Head, condition: Condition, waits: boolean): void {
    const { kernel, attention } = condition;
    let text = "";
    let tone = "bad";
    if (kernel !== "gone" && head.closed) text = "Closed: this table does not change any more. Run the cell again.";
    else text = cutWords(condition) || idleWords(condition, "");
    if (text === "" && waits) {
      text = WAITS;
      tone = "";
    }
    if (attention === "idle" && kernel === "live") tone = "";
    this.#kernel.hidden = text === "";
    this.#kernel.className = `line ${tone}`;
    if (this.#kernel.firstChild === null) this.#kernel.append(element("span"));
    setText(this.#kernel.firstChild as Node, text);
    if (attention === "idle" && kernel === "live") this.#kernel.append(this.#resume);
    else this.#resume.remove();
  }

  counts(shown: number, total: number, picked: number): void {
    const rows = total === 1 ? "row" : "rows";
    setText(this.#rows, shown === total ? `${count(total)} ${rows}` : `${count(shown)} of ${count(total)} ${rows}`);
    setText(this.#picked, picked > 0 ? `${count(picked)} selected` : "");
  }

  rate(changesASecond: number, lastChange: number, now: number): void {
    const speed = changesASecond >= 1 ? `${count(changesASecond)} changes/s · ` : "";
    const age = lastChange > 0 ? `last change ${clock(lastChange)}` : "";
    setText(this.#rate, now > 0 ? `${speed}${age}` : "");
  }
}

/** Whether a button is not shown for want of room: what it does is in the menu of the view then. */
function isFolded(button: HTMLElement): boolean {
  return button.offsetWidth === 0;
}

/** The rules of all that stands around the grid. */
export const AROUND_CSS = `${MENU_CSS}${FILTER_CSS}${COMBOBOX_CSS}${DIALOG_CSS}${HELP_CSS}${PICKERS_CSS}
.bar { padding: 3px 4px 3px 6px; gap: 2px 10px; }
.finding { display: flex; flex: 1 1 240px; align-items: center; justify-content: flex-end; gap: 6px; min-width: 0; }
.filter-of { flex: 0 1 460px; min-width: 0; position: relative; }
.tools { display: inline-flex; flex: none; gap: 1px; }
.foot .said { overflow: hidden; text-overflow: ellipsis; }
@media (forced-colors: active) {
  .item:focus, .option.active { outline: 2px solid Highlight; outline-offset: -2px; }
  .ag-row.ag-row-selected, .ag-row.ag-row-selected .ag-cell { forced-color-adjust: none; color: HighlightText; background: Highlight; }
  .ag-row .ag-cell:not(.ag-cell-focus), .ag-row { border-left-color: Canvas; border-right-color: Canvas; border-top-color: Canvas; }
  .ag-row .ag-cell:not(.ag-cell-focus) { border-bottom-color: Canvas; }
  .ag-row.ag-row-selected .ag-cell:not(.ag-cell-focus) { border-color: Highlight; }
  .ag-cell[data-changed]::after { background: none; border-bottom: 2px solid Highlight; }
}
@container (max-width: 560px) {
  .finding { flex-basis: 100%; }
  .filter-of { flex: 1 1 auto; }
}
@container (max-width: 400px) {
  .folds { display: none; }
}
`;
