/** One view of a plug: buttons that cut the way, and the account of what came all the same. */

import type { Model } from "../common/afm";
import { conditionWords, sinceHeard } from "../common/condition";
import { clock, count, element, hideCopy, setText } from "../common/dom";
import { askingButton } from "../common/drawn";
import { randomId } from "../common/ids";
import type { Link } from "../common/link";
import { restartKernel } from "../common/restart";
import { shadow } from "../common/style";
import { stateTone } from "../common/trouble";
import type { History } from "../status/history";
import { Spark } from "../status/spark";
import { type Data, type Row, seconds } from "./data";

const CSS = `
.buttons { display: flex; flex-wrap: wrap; gap: 8px; padding: 10px 10px 2px; align-items: center; }
.buttons button { height: 30px; padding: 0 12px; border-color: color-mix(in srgb, var(--bad) 60%, var(--line)); color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 8px 18px; padding: 10px;
  font-variant-numeric: tabular-nums; }
.figures b { font-weight: 600; font-size: 200%; line-height: 1.15; display: block; white-space: nowrap; }
.figures span { color: var(--dim); font-size: 90%; }
.figures b[data-tone="good"] { color: var(--good); }
.figures b[data-tone="bad"] { color: var(--bad); }
.minute { padding: 0 10px 4px; }
.spark { width: 100%; height: 40px; display: block; }
.spark .stroke { fill: none; stroke: var(--accent); stroke-width: 1.4; }
.spark .area { fill: color-mix(in srgb, var(--accent) 16%, transparent); stroke: none; }
.spark .cut { stroke: var(--bad); stroke-width: 2; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 95%; }
th { text-align: left; font-weight: 600; color: var(--dim); font-size: 90%; }
th, td { padding: 2px 10px; border-top: 1px solid color-mix(in srgb, var(--line) 60%, transparent); white-space: nowrap; }
th.n, td.n { text-align: right; }
td.fill, th.fill { width: 99%; white-space: normal; }
.cuts { max-height: 132px; overflow: auto; padding: 4px 10px 8px; margin: 0; list-style: none; color: var(--dim);
  font-variant-numeric: tabular-nums; border-top: 1px solid color-mix(in srgb, var(--line) 60%, transparent); }
.cuts:empty, .note:empty { display: none; }
.note { padding: 3px 10px; color: var(--dim); border-top: 1px solid color-mix(in srgb, var(--line) 60%, transparent); }
.frozen table, .frozen .figures, .frozen .minute, .frozen .cuts, .frozen .bar > :not(button) { filter: grayscale(1); }
button:disabled { opacity: .5; cursor: default; }
`;

const COLUMNS: (keyof Row)[] = ["Source", "Received", "Missing", "Folded", "Twice", "Late", "Last", "Longest gap"];

const AGAIN = "The kernel has gone: run the cells again, and the account goes on.";
const BY_HAND = "This page does not let a widget restart the kernel: choose Restart Kernel in its menu.";

/** What a view needs of the page's copy. */
export interface Shared {
  readonly link: Link;
  readonly data: Data | undefined;
  readonly history: History;
  /** For each second of the minute, whether the way was cut in it. */
  readonly cuts: readonly boolean[];
}

export class View {
  #shared: Shared;
  #id = randomId();
  #abort = new AbortController();
  #root = element("div", { class: "root", role: "region", tabindex: "-1", "aria-label": "pull the plug" });
  #dot = element("span", { class: "dot", "aria-hidden": "true" });
  #state = element("span", { class: "dim" });
  #said = element("span", { class: "dim", role: "status" });
  #banner = element("div", { class: "line bad", role: "status", hidden: "" });
  #figures = element("div", { class: "figures" });
  #spark = new Spark(600, 40, "numbers a second in the last minute");
  #rows = element("tbody");
  #unwatched = element("div", { class: "note" });
  #cuts = element("ul", { class: "cuts" });
  #buttons: HTMLButtonElement[] = [];

  constructor(model: Model, el: HTMLElement, shared: Shared) {
    this.#shared = shared;
    const { signal } = this.#abort;
    const root = shadow(el, CSS);
    this.#root.setAttribute("data-lm-suppress-shortcuts", "true");
    const freeze = this.#button("Freeze", "freeze", "Write what stands here now into the notebook");
    const bar = element("div", { class: "bar", role: "group", "aria-label": "plug" });
    const title = element("span", { class: "title" }, "Pull the plug");
    bar.append(this.#dot, title, this.#state, element("span", { class: "push" }), freeze);
    const buttons = element("div", { class: "buttons" });
    buttons.append(
      this.#button("Cut the socket", "cut", "As a lost network would"),
      this.#button("Kill the gateway", "kill", "kill -9; its terminals end with it"),
      this.#restart(model),
      this.#said,
    );
    const minute = element("div", { class: "minute" });
    minute.append(this.#spark.element);
    const head = COLUMNS.map((name) => element("th", { scope: "col", class: name === "Source" ? "fill" : "n" }, name));
    const table = element("div", { class: "scrolled", role: "group", "aria-label": "Sources", tabindex: "0" }, element("table", {}, element("thead", {}, element("tr", {}, ...head)), this.#rows));
    this.#root.append(bar, this.#banner, buttons, this.#figures, minute, table, this.#unwatched);
    this.#root.append(element("div", { role: "log", "aria-label": "cuts" }, this.#cuts));
    root.append(this.#root);
    hideCopy(el, String(model.get("_copy")), signal);
    this.draw();
  }

  dispose(): void {
    this.#abort.abort();
  }

  draw(): void {
    const { data, link, history, cuts } = this.#shared;
    this.#condition(link);
    if (data === undefined) {
      setText(this.#state, "waiting for the kernel …");
      return;
    }
    this.#dot.dataset["tone"] = stateTone(data.state);
    setText(this.#state, `socket ${data.state}${data.reason === "" ? "" : ` · ${data.reason}`}`);
    this.#figure([
      [count(data.lost), "lost", data.lost === 0 ? "good" : "bad"],
      [count(data.repeated), "repeated", data.repeated === 0 ? "good" : "bad"],
      [count(data.received), "numbers received", ""],
      [seconds(data.gap), "longest gap", ""],
      [count(data.count), data.count === 1 ? "cut so far" : "cuts so far", ""],
    ]);
    this.#spark.draw(history.rates, cuts);
    this.#rows.replaceChildren(...data.rows.map(row));
    const passed = `${count(data.unwatched)} states of the config map passed while there was no kernel to watch them`;
    setText(this.#unwatched, data.unwatched > 0 ? passed : "");
    this.#cuts.replaceChildren(
      ...[...data.cuts].reverse().map(({ what, at, back }) => {
        const after = back === null ? "waiting for the next number …" : `the next number was here after ${seconds(back)}`;
        return element("li", {}, `${clock(at)} ${what} · ${after}`);
      }),
    );
  }

  #condition({ condition, waits }: Link): void {
    const { kernel } = condition;
    const text = kernel === "gone" ? `Not live${sinceHeard(condition)}. ${AGAIN}` : conditionWords(condition, waits);
    this.#banner.className = waits ? "line" : "line bad";
    setText(this.#banner, text);
    this.#banner.hidden = text === "";
    this.#root.classList.toggle("frozen", kernel !== "live");
    for (const button of this.#buttons) button.disabled = kernel !== "live";
  }

  #figure(figures: [string, string, string][]): void {
    figures.forEach(([value, name, tone], index) => {
      let box = this.#figures.children[index];
      if (box === undefined) {
        box = element("div", {}, element("b"), element("span"));
        this.#figures.append(box);
      }
      const [shown, words] = box.children as unknown as [HTMLElement, HTMLElement];
      setText(shown, value);
      shown.dataset["tone"] = tone;
      setText(words, name);
    });
  }

  #button(text: string, what: string, title: string): HTMLButtonElement {
    const made = askingButton(
      { text, what, title },
      { link: this.#shared.link, view: this.#id, said: this.#said, signal: this.#abort.signal },
    );
    this.#buttons.push(made);
    return made;
  }

  #restart(model: Model): HTMLButtonElement {
    const made = element("button", { type: "button", title: "All that the kernel has ends with it" }, "Restart the kernel");
    made.addEventListener(
      "click",
      () => {
        setText(this.#said, "…");
        restartKernel(model).then(
          (done) => setText(this.#said, done ? "restarted" : BY_HAND),
          (error: unknown) => setText(this.#said, String(error)),
        );
      },
      { signal: this.#abort.signal },
    );
    this.#buttons.push(made);
    return made;
  }
}

function row(values: Row): HTMLElement {
  const cells = COLUMNS.map((name) => {
    const value = values[name];
    if (name === "Source") return element("td", { class: "fill" }, String(value));
    const text = name === "Longest gap" ? seconds(Number(value)) : value === null ? "" : count(Number(value));
    return element("td", { class: "n" }, text);
  });
  return element("tr", {}, ...cells);
}
