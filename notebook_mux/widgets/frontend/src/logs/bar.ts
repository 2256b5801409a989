/** The toolbar: what this is, how its containers stand, which levels are shown, and what can be done. */

import { count, element, setText } from "../common/dom";
import { iconButton, press, pressed } from "./buttons";
import { type Source, sourceTone, type Times } from "./data";
import { ALL_LEVELS } from "./rows";

export interface Actions {
  sources(): void;
  levels(mask: number): void;
  search(): void;
  filters(): void;
  jump(): void;
  times(mode: Times): void;
  wrap(on: boolean): void;
  fold(on: boolean): void;
  copy(): void;
  download(button: HTMLButtonElement): void;
  freeze(): void;
  pause(): void;
}

/** Levels that are shown or not together, by their numbers. */
const GROUPS: [letter: string, name: string, levels: number[]][] = [
  ["E", "Errors", [5, 6]],
  ["W", "Warnings", [4]],
  ["I", "Information", [3]],
  ["D", "Debug and trace", [1, 2]],
  ["·", "Lines without a level", [0]],
];

const MODES: [Times, string][] = [["local", "local time"], ["utc", "UTC"], ["age", "ages"], ["off", "no times"]];

/** The worst first, as people should see them. */
const ORDER = ["failed", "unreachable", "waiting", "asking", "live", "ended", "gone"];

const SHORT: Record<string, string> = { asking: "opening" };

export class Bar {
  readonly top = element("div", { class: "bar", role: "group", "aria-label": "logs" });
  #title = element("span", { class: "title" });
  #states = element("button", { type: "button", class: "states", title: "Pods and containers", "aria-expanded": "false" });
  #chips: HTMLButtonElement[] = [];
  #counts: HTMLElement[] = [];
  #times = element("select", { "aria-label": "Times", title: "How times are shown; all nine digits are in a time's tooltip" });
  #wrap: HTMLButtonElement;
  #fold: HTMLButtonElement;
  #filter: HTMLButtonElement;
  #pause: HTMLButtonElement;
  #shape = "";

  constructor(actions: Actions, signal: AbortSignal) {
    this.#states.addEventListener("click", () => actions.sources(), { signal });
    const levels = element("span", { class: "levels", role: "group", "aria-label": "Levels shown" });
    GROUPS.forEach(([letter, name, numbers]) => {
      const many = element("span", { class: "many" });
      const chip = element("button", { type: "button", class: "level", "aria-pressed": "true", title: `${name}: click to hide or show` });
      chip.dataset["level"] = String(numbers[0]);
      chip.append(element("b", { "aria-hidden": "true" }, letter), element("span", { class: "hidden" }, `${name}: `), many);
      chip.addEventListener("click", (event) => {
        if (event.altKey || event.detail > 1) this.#chips.forEach((other) => press(other, other === chip));
        else press(chip, !pressed(chip));
        actions.levels(this.#mask());
      }, { signal });
      this.#chips.push(chip);
      this.#counts.push(many);
      levels.append(chip);
    });
    for (const [mode, words] of MODES) this.#times.append(element("option", { value: mode }, words));
    this.#times.addEventListener("change", () => actions.times(this.#times.value as Times), { signal });
    const button = (name: string, title: string, act: (button: HTMLButtonElement) => void) => iconButton(name, title, act, signal);
    this.#filter = button("filter", "Filter and highlight", () => actions.filters());
    this.#wrap = button("wrap", "Wrap long lines", () => actions.wrap(!pressed(this.#wrap)));
    this.#fold = button("fold", "Fold all traces to their first lines", () => {
      press(this.#fold, !pressed(this.#fold));
      actions.fold(pressed(this.#fold));
    });
    this.#pause = button("pause", "Pause: hold new lines back", () => actions.pause());
    const freeze = button("freeze", "Write the last lines into the notebook, for readers without a kernel", () => actions.freeze());
    freeze.classList.add("freeze");
    for (const toggle of [this.#wrap, this.#fold, this.#pause, this.#filter]) press(toggle, false);
    // together, so that where they have no room they go to the next line together
    const tools = element("span", { class: "tools-of" });
    tools.append(
      levels, button("search", "Search (Ctrl+F or /)", () => actions.search()), this.#filter,
      button("clock", "Go to a time", () => actions.jump()), this.#times, this.#wrap, this.#fold,
      button("copy", "Copy what is selected, or else all lines shown", () => actions.copy()),
      button("download", "Download", (made) => actions.download(made)),
      freeze, this.#pause,
    );
    this.top.append(this.#title, this.#states, tools);
  }

  title(title: string): void {
    setText(this.#title, title);
  }

  look(wrap: boolean, times: Times): void {
    press(this.#wrap, wrap);
    this.#times.value = times;
  }

  paused(on: boolean): void {
    press(this.#pause, on);
    this.#pause.title = on ? "Go on" : "Pause: hold new lines back";
    this.#pause.setAttribute("aria-label", this.#pause.title);
  }

  filtering(on: boolean): void {
    press(this.#filter, on);
  }

  levels(lines: ArrayLike<number>): void {
    GROUPS.forEach(([, name, numbers], at) => {
      const sum = numbers.reduce((total, level) => total + (lines[level] ?? 0), 0);
      setText(this.#counts[at] as Node, shortCount(sum));
      (this.#chips[at] as HTMLElement).title = `${name}: ${count(sum)}. Click to hide or show them, double-click to see them alone.`;
    });
  }

  sources(sources: readonly Source[], open: boolean): void {
    const states = new Map<string, number>();
    for (const { state } of sources) states.set(state, (states.get(state) ?? 0) + 1);
    const shape = JSON.stringify([...states, open]);
    if (shape === this.#shape) return;
    this.#shape = shape;
    this.#states.setAttribute("aria-expanded", String(open));
    const made = ORDER.filter((state) => states.has(state)).map((state) => {
      const dot = element("span", { class: "dot", "aria-hidden": "true" });
      dot.dataset["tone"] = sourceTone(state);
      return element("span", { class: "chip" }, dot, `${count(states.get(state) ?? 0)} ${SHORT[state] ?? state}`);
    });
    this.#states.replaceChildren(...(made.length > 0 ? made : ["no containers yet"]));
  }

  #mask(): number {
    const off = GROUPS.filter((_, at) => !pressed(this.#chips[at] as HTMLButtonElement)).flatMap(([, , levels]) => levels);
    return off.reduce((mask, level) => mask & ~(1 << level), ALL_LEVELS);
  }
}

/** In four letters at most, so that a count that grows moves nothing. */
export function shortCount(value: number): string {
  if (value < 1000) return String(value);
  if (value < 10_000) return `${(Math.floor(value / 100) / 10).toFixed(1)}k`;
  return value < 1_000_000 ? `${Math.floor(value / 1000)}k` : `${Math.floor(value / 1_000_000)}M`;
}
