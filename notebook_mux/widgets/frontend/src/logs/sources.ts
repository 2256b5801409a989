/** The pods and containers: their colours, how they stand and why, and which of them are shown. */

import { count, element, setText } from "../common/dom";
import { trouble } from "../common/trouble";
import { sourceColor } from "./colors";
import { fullName, label, type Names, type Source, sourceTone, standing, stateWords } from "./data";

export interface Actions {
  /** Show only these sources, by their index; undefined for all. */
  hide(hidden: ReadonlySet<number>): void;
  left(): void;
}

interface Entry {
  element: HTMLElement;
  box: HTMLInputElement;
  dot: HTMLElement;
  name: HTMLElement;
  lines: HTMLElement;
  why: HTMLElement;
}

/** A narrowing field is of use from so many on. */
const MANY = 10;

export class Sources {
  readonly panel = element("div", { class: "sources", role: "group", "aria-label": "Pods and containers", hidden: "" });
  #list = element("div", { class: "all" });
  #entries: Entry[] = [];
  #hidden = new Set<number>();
  #actions: Actions;
  #signal: AbortSignal;
  #narrow = element("input", { type: "search", placeholder: "Find a pod", "aria-label": "Find a pod" });
  #texts: string[] = [];

  constructor(actions: Actions, signal: AbortSignal) {
    this.#actions = actions;
    this.#signal = signal;
    const all = element("button", { type: "button" }, "All");
    const none = element("button", { type: "button" }, "None");
    all.addEventListener("click", () => this.#choose((at) => this.#matches(at), true), { signal });
    none.addEventListener("click", () => this.#choose((at) => this.#matches(at), false), { signal });
    this.#narrow.addEventListener("input", () => this.#narrowed(), { signal });
    this.panel.append(element("div", { class: "tools" }, this.#narrow, all, none), this.#list);
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.panel.hidden = true;
      actions.left();
      event.stopPropagation();
    }, { signal });
  }

  get open(): boolean {
    return !this.panel.hidden;
  }

  draw(sources: readonly Source[], names: Names, lines: ReadonlyMap<number, number>, now: number): void {
    this.#forget(sources);
    if (this.panel.hidden) return;
    this.#narrow.hidden = sources.length < MANY;
    while (this.#entries.length < sources.length) this.#entries.push(this.#entry(this.#entries.length));
    sources.forEach((source, at) => {
      const { element: row, box, dot, name, lines: many, why } = this.#entries[at] as Entry;
      this.#texts[at] = fullName(source).toLowerCase();
      box.checked = !this.#hidden.has(at);
      box.style.accentColor = sourceColor(source.color);
      dot.dataset["tone"] = sourceTone(source.state);
      name.style.color = sourceColor(source.color);
      setText(name, label(source, { ...names, containers: true }));
      row.title = `${fullName(source)}\nClick the name to see it alone.`;
      setText(many, count(lines.get(at) ?? 0));
      const words = source.state === "live" ? "" : trouble(standing(source), now);
      setText(why, words + (source.restart > 0 ? `${words === "" ? "" : " · "}restarted ${count(source.restart)} ×` : ""));
      why.hidden = why.textContent === "";
      row.classList.toggle("over", source.state === "ended" || source.state === "gone");
      row.setAttribute("aria-label", `${fullName(source)}: ${stateWords(source.state)}`);
    });
    this.#narrowed();
  }

  /** One that was hidden has gone for good, and its place is another's: that is shown. */
  #forget(sources: readonly Source[]): void {
    const others = [...this.#hidden].filter((at) => sources[at] !== undefined && fullName(sources[at]).toLowerCase() !== this.#texts[at]);
    if (others.length === 0) return;
    for (const at of others) this.#hidden.delete(at);
    this.#tell();
  }

  #entry(at: number): Entry {
    const signal = this.#signal;
    const box = element("input", { type: "checkbox" });
    const dot = element("span", { class: "dot", "aria-hidden": "true" });
    const name = element("button", { type: "button", class: "name" });
    const lines = element("span", { class: "dim many" });
    const why = element("div", { class: "why" });
    const row = element("div", { class: "entry" }, element("div", { class: "one" }, box, dot, name, lines), why);
    box.addEventListener("change", () => this.#choose((other) => other === at, box.checked), { signal });
    name.addEventListener("click", () => this.#alone(at), { signal });
    this.#list.append(row);
    return { element: row, box, dot, name, lines, why };
  }

  #choose(which: (at: number) => boolean, shown: boolean): void {
    this.#entries.forEach((_, at) => {
      if (!which(at)) return;
      if (shown) this.#hidden.delete(at);
      else this.#hidden.add(at);
    });
    this.#tell();
  }

  /** One alone, or all again where it is alone already. */
  #alone(at: number): void {
    const alone = !this.#hidden.has(at) && this.#hidden.size === this.#entries.length - 1;
    this.#hidden.clear();
    if (!alone) this.#entries.forEach((_, other) => other !== at && this.#hidden.add(other));
    this.#tell();
  }

  #tell(): void {
    this.#entries.forEach(({ box }, at) => (box.checked = !this.#hidden.has(at)));
    this.#actions.hide(this.#hidden);
  }

  #matches(at: number): boolean {
    const words = this.#narrow.hidden ? "" : this.#narrow.value.trim().toLowerCase();
    return words === "" || (this.#texts[at] ?? "").includes(words);
  }

  #narrowed(): void {
    this.#entries.forEach(({ element: row }, at) => (row.hidden = !this.#matches(at)));
  }
}
