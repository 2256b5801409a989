/** One view of a forward: from where to where, what passes, and what failed last. */

import type { Model } from "../common/afm";
import { conditionWords } from "../common/condition";
import { count, element, hideCopy, setText } from "../common/dom";
import { askingButton } from "../common/drawn";
import { randomId } from "../common/ids";
import type { Link } from "../common/link";
import { shadow } from "../common/style";
import type { History } from "../status/history";
import { Spark } from "../status/spark";
import { type Data, address, isHere, tone } from "./data";

const CSS = `
.way { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 10px; padding: 8px 10px 2px; }
.way .place { font-family: var(--mono); overflow-wrap: anywhere; }
.way a { color: var(--accent-text); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(110px, auto)); gap: 6px 18px; padding: 6px 10px 8px;
  font-variant-numeric: tabular-nums; align-items: end; }
.figures b { font-weight: 600; font-size: 120%; display: block; white-space: nowrap; }
.figures span { color: var(--dim); font-size: 85%; }
.spark { width: 100%; height: 26px; display: block; }
.spark .stroke { fill: none; stroke: var(--accent); stroke-width: 1.4; }
.spark .area { fill: color-mix(in srgb, var(--accent) 16%, transparent); stroke: none; }
.failed { padding: 3px 10px 6px; color: var(--bad); overflow-wrap: anywhere; }
.failed[hidden] { display: none; }
.frozen .way, .frozen .figures, .frozen .failed, .frozen .bar > :not(button) { filter: grayscale(1); }
button:disabled { opacity: .5; cursor: default; }
`;

/** What a view needs of the page's copy. */
export interface Shared {
  readonly link: Link;
  readonly data: Data | undefined;
  readonly sent: History;
  readonly received: History;
}

const UNITS: [number, string][] = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]];

function bytes(value: number): string {
  const [size, name] = UNITS.find(([size]) => value >= size) ?? [1, "B"];
  return size === 1 ? `${Math.round(value)} B` : `${(value / size).toFixed(1)} ${name}`;
}

class Figure {
  readonly element: HTMLElement;
  #value = element("b");
  #name = element("span");

  constructor(...more: Node[]) {
    this.element = element("div", {}, ...more, this.#value, this.#name);
  }

  set(value: string, name: string): void {
    setText(this.#value, value);
    setText(this.#name, name);
  }
}

export class View {
  #shared: Shared;
  #id = randomId();
  #abort = new AbortController();
  #root = element("div", { class: "root", role: "region", tabindex: "-1", "aria-label": "forwarded port" });
  #dot = element("span", { class: "dot", "aria-hidden": "true" });
  #state = element("strong");
  #words = element("span", { class: "dim" });
  #said = element("span", { class: "dim", role: "status" });
  #banner = element("div", { class: "line bad", role: "status", hidden: "" });
  #local = element("span", { class: "place" });
  #remote = element("span", { class: "place" });
  #where = element("span", { class: "dim" });
  #connections = new Figure();
  #sentSpark = new Spark(160, 26, "bytes to the pod, each second of the last minute");
  #receivedSpark = new Spark(160, 26, "bytes from the pod, each second of the last minute");
  #sent = new Figure(this.#sentSpark.element);
  #received = new Figure(this.#receivedSpark.element);
  #failed = element("div", { class: "failed", role: "status", hidden: "" });
  #buttons: HTMLButtonElement[] = [];
  #close: HTMLButtonElement;
  #shown: string | undefined;

  constructor(model: Model, el: HTMLElement, shared: Shared) {
    this.#shared = shared;
    const { signal } = this.#abort;
    const root = shadow(el, CSS);
    this.#root.setAttribute("data-lm-suppress-shortcuts", "true");
    const freeze = this.#button("Freeze", "freeze", "Write what stands here now into the notebook");
    this.#close = this.#button("Close", "close", "Close the local port and all connections through it");
    const bar = element("div", { class: "bar", role: "group", "aria-label": "forward" });
    bar.append(this.#dot, this.#state, this.#words, element("span", { class: "push" }), this.#said, freeze, this.#close);
    const way = element("div", { class: "way" }, this.#local, element("span", { class: "dim" }, "→"), this.#remote, this.#where);
    const figures = element("div", { class: "figures" });
    figures.append(this.#connections.element, this.#sent.element, this.#received.element);
    this.#root.append(bar, this.#banner, way, figures, this.#failed);
    root.append(this.#root);
    hideCopy(el, String(model.get("_copy")), signal);
    this.draw();
  }

  dispose(): void {
    this.#abort.abort();
  }

  draw(): void {
    const { data, link, sent, received } = this.#shared;
    this.#condition(link, data);
    if (data === undefined) {
      setText(this.#state, "waiting for the kernel …");
      return;
    }
    this.#dot.dataset["tone"] = tone(data.state);
    setText(this.#state, `${data.target} ${data.wanted}`);
    setText(
      this.#words,
      [`on ${data.cluster}`, data.reason.startsWith(data.state) ? data.reason : data.state, data.reason]
        .filter((text, index, all) => text !== "" && all.indexOf(text) === index)
        .join(" · "),
    );
    this.#link(data);
    setText(this.#remote, `${data.pod}:${data.podPort}`);
    this.#connections.set(
      String(data.connections),
      `${data.connections === 1 ? "connection" : "connections"} now, ${count(data.total)} in all`,
    );
    this.#sentSpark.draw(sent.rates);
    this.#receivedSpark.draw(received.rates);
    this.#sent.set(bytes(data.sent), `sent · ${bytes(sent.now)}/s`);
    this.#received.set(bytes(data.received), `received · ${bytes(received.now)}/s`);
    setText(this.#failed, data.errors > 0 ? `${count(data.errors)} failed, last: ${data.error}` : "");
    this.#failed.hidden = data.errors === 0;
  }

  /** A link where the browser is on the forward's machine, else the address alone. */
  #link(data: Data): void {
    const url = address(data);
    if (this.#shown === (url ?? "")) return;
    this.#shown = url ?? "";
    const here = isHere(location.hostname);
    if (url === undefined) this.#local.replaceChildren("no local port");
    else if (here) {
      this.#local.replaceChildren(element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url));
    } else this.#local.replaceChildren(url);
    setText(this.#where, url === undefined || here ? "" : "(on the kernel's machine)");
  }

  #condition({ condition, waits }: Link, data: Data | undefined): void {
    const { kernel } = condition;
    const text = conditionWords(condition, waits);
    this.#banner.className = waits ? "line" : "line bad";
    setText(this.#banner, text);
    this.#banner.hidden = text === "";
    this.#root.classList.toggle("frozen", kernel !== "live" || data?.state === "closed");
    for (const button of this.#buttons) button.disabled = kernel !== "live";
    if (data?.state === "closed") this.#close.disabled = true;
  }

  #button(text: string, what: string, title: string): HTMLButtonElement {
    const made = askingButton(
      { text, what, title },
      { link: this.#shared.link, view: this.#id, said: this.#said, signal: this.#abort.signal },
    );
    this.#buttons.push(made);
    return made;
  }
}
