/** One view of the status: the socket with its minute, the clusters, the streams. */

import type { Model } from "../common/afm";
import { humanDuration } from "../common/age";
import { conditionWords } from "../common/condition";
import { count, element, hideCopy, setText } from "../common/dom";
import { askingButton } from "../common/drawn";
import { randomId } from "../common/ids";
import type { Link } from "../common/link";
import { shadow } from "../common/style";
import { stateTone } from "../common/trouble";
import { clusterTime } from "../common/clock";
import type { Cluster, Data, Demo, Socket, Terminal } from "./data";
import { bytes, milliseconds, perSecond } from "./figures";
import type { History } from "./history";
import { Spark } from "./spark";
import { LEAST_LAG, minuteLabel, STREAMS_CSS, StreamTable } from "./streams";
import { troubleRow } from "./troubles";

const CSS = `
.socket { display: grid; grid-template-columns: minmax(220px, auto) 1fr; gap: 4px 18px; padding: 8px 10px; align-items: center; }
.figures { display: grid; grid-template-columns: repeat(3, minmax(0, auto)); gap: 6px 18px; font-variant-numeric: tabular-nums; }
.figures b { font-weight: 600; font-size: 120%; display: block; }
.figures span { color: var(--dim); font-size: 85%; }
.minutes { display: grid; gap: 2px; min-width: 0; }
.minutes figcaption { color: var(--dim); font-size: 85%; display: flex; gap: 8px; justify-content: space-between; }
.minutes figure { margin: 0; }
.spark { width: 100%; height: 34px; display: block; }
.spark .stroke { fill: none; stroke: var(--accent); stroke-width: 1.4; }
.spark .area { fill: color-mix(in srgb, var(--accent) 16%, transparent); stroke: none; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 95%; }
th { text-align: left; font-weight: 600; color: var(--dim); font-size: 90%; }
th, td { padding: 2px 10px; border-top: 1px solid color-mix(in srgb, var(--line) 60%, transparent); white-space: nowrap; }
th.n, td.n { text-align: right; }
td.fill, th.fill { width: 99%; white-space: normal; }
tr.why td { border-top: none; padding: 0 10px 4px; white-space: normal; }
div.why { padding: 3px 8px; border-radius: 3px; overflow-wrap: anywhere; }
div.why.warn { background: color-mix(in srgb, #e08600 13%, var(--back)); }
div.why.bad { background: color-mix(in srgb, #e5342e 13%, var(--back)); }
tbody + thead th, table + table thead th { padding-top: 8px; }
.spark .cut { stroke: var(--bad); stroke-width: 2; }
.chips { display: flex; gap: 4px 16px; flex-wrap: wrap; }
.log { color: var(--dim); font-size: 90%; padding: 0 10px 6px; }
.log:empty { display: none; }
.demo { padding: 6px 10px 0; display: flex; flex-wrap: wrap; gap: 2px 14px; font-variant-numeric: tabular-nums; }
.demo:empty { display: none; }
.demo span { color: var(--dim); }
.frozen table, .frozen .socket, .frozen .log, .frozen .bar > :not(button) { filter: grayscale(1); }
button:disabled { opacity: .5; cursor: default; }
button.plug { border-color: color-mix(in srgb, var(--bad) 60%, var(--line)); color: var(--bad); }
${STREAMS_CSS}
@container (max-width: 560px) { .socket { grid-template-columns: minmax(0, 1fr); } }
@container (max-width: 400px) { .figures { gap: 6px 12px; } }
`;

/** What a view needs of the page's copy. */
export interface Shared {
  readonly link: Link;
  readonly data: Data | undefined;
  /** Milliseconds of the kernel's thread, of each stream. */
  readonly cpu: ReadonlyMap<string, History>;
  /** For each second of the minute, whether the socket was not open. */
  readonly cuts: readonly boolean[];
  /** What the socket went through lately, newest first. */
  readonly events: readonly string[];
  now(): number;
}

function dot(state: string): HTMLElement {
  const made = element("span", { class: "dot", "aria-hidden": "true" });
  made.dataset["tone"] = stateTone(state);
  return made;
}

export class View {
  #shared: Shared;
  #id = randomId();
  #abort = new AbortController();
  #root = element("div", { class: "root", role: "region", tabindex: "-1", "aria-label": "connection status" });
  #dot = element("span", { class: "dot", "aria-hidden": "true" });
  #state = element("strong");
  #words = element("span", { class: "dim" });
  #said = element("span", { class: "dim", role: "status" });
  #banner = element("div", { class: "line bad", role: "status", hidden: "" });
  #figures = element("div", { class: "figures" });
  #rate = new Picture("changes/s", 1);
  #lag = new Picture("lag", LEAST_LAG);
  #demo = element("div", { class: "demo", role: "group", "aria-label": "the scenario and its clock" });
  #log = element("div", { class: "log", role: "log" });
  #clusters = element("tbody");
  #streams = new StreamTable(this.#abort.signal);
  #terminals = element("tbody");
  #terminalTable: HTMLElement;
  #buttons: HTMLButtonElement[] = [];

  constructor(model: Model, el: HTMLElement, shared: Shared) {
    this.#shared = shared;
    const { signal } = this.#abort;
    const root = shadow(el, CSS);
    this.#root.setAttribute("data-lm-suppress-shortcuts", "true");
    const retry = this.#button("Retry now", "retry", "Try again now instead of after the wait");
    const plug = this.#button("Pull the plug", "cut", "Cut the socket, and watch it come back");
    plug.className = "plug";
    const freeze = this.#button("Freeze", "freeze", "Write what stands here now into the notebook");
    const bar = element("div", { class: "bar", role: "group", "aria-label": "connection" });
    bar.append(this.#dot, this.#state, this.#words, element("span", { class: "push" }), this.#said, retry, plug, freeze);
    const socket = element("div", { class: "socket" });
    socket.append(this.#figures, element("div", { class: "minutes" }, this.#rate.element, this.#lag.element));
    const clusters = table(["Cluster", "State", "Version", "Server", "Namespace", "Write"], [], this.#clusters);
    this.#terminalTable = table(["Terminal", "Cluster", "State", "Since", "Kept"], [3, 4], this.#terminals);
    this.#root.append(bar, this.#banner, this.#demo, socket, this.#log, scrolled(clusters, "Clusters"));
    this.#root.append(this.#streams.element, scrolled(this.#terminalTable, "Terminals"));
    root.append(this.#root);
    hideCopy(el, String(model.get("_copy")), signal);
    this.draw();
  }

  dispose(): void {
    this.#abort.abort();
  }

  draw(): void {
    const { data, cpu, link, events } = this.#shared;
    this.#condition(link);
    if (data === undefined) {
      setText(this.#state, "waiting for the kernel …");
      return;
    }
    this.#socket(data.socket);
    const { kernel } = data;
    const totals = data.streams.reduce((sum, stream) => sum + stream.objects, 0);
    const lag = Math.max(0, ...data.streams.map((stream) => stream.lag));
    const thread = [...cpu.values()].reduce((sum, history) => sum + history.now, 0);
    this.#figure([
      [perSecond(data.streams.reduce((sum, stream) => sum + stream.change_rate, 0)), "changes/s"],
      [count(totals), `objects in ${data.streams.length} stream${data.streams.length === 1 ? "" : "s"}`],
      [milliseconds(lag), "lag of the last change"],
      [String(data.socket.sockets + data.socket.direct_sockets), sockets(data.socket)],
      [bytes(data.socket.bytes_in), "received"],
      [String(data.socket.reconnects), data.socket.reconnects === 1 ? "reconnect" : "reconnects"],
      [`${bytes(data.streams.reduce((sum, stream) => sum + stream.byte_rate, 0))}/s`, "received now"],
      [bytes(kernel.memory), "of objects in this kernel"],
      [`${thread < 10 ? thread.toFixed(1) : count(thread)} ms/s`, "CPU for the streams"],
    ]);
    this.#rate.draw(kernel.minute.changes, count, this.#shared.cuts);
    this.#lag.draw(kernel.minute.lag, milliseconds, this.#shared.cuts);
    setText(this.#log, [...events, data.socket.last_error && `last error: ${data.socket.last_error}`]
      .filter(Boolean)
      .join("  ·  "));
    const now = this.#shared.now();
    this.#demo.replaceChildren(...(data.demo ? demoParts(data.demo, now) : []));
    this.#clusters.replaceChildren(...data.clusters.flatMap((cluster) => clusterRows(cluster, now)));
    this.#streams.draw(data.streams.map((stream) => ({ stream, cpu: cpu.get(stream.id)?.now ?? 0 })), now);
    this.#drawTerminals(data.terminals ?? []);
  }

  #condition({ condition, waits }: Link): void {
    const { kernel } = condition;
    const text = conditionWords(condition, waits);
    this.#banner.className = waits ? "line" : "line bad";
    setText(this.#banner, text);
    this.#banner.hidden = text === "";
    this.#root.classList.toggle("frozen", kernel !== "live");
    for (const button of this.#buttons) button.disabled = kernel !== "live";
  }

  #socket(socket: Socket): void {
    const now = this.#shared.now();
    this.#dot.dataset["tone"] = stateTone(socket.state);
    setText(this.#state, `socket ${socket.state}`);
    const parts = [socket.url];
    if (socket.user !== undefined && socket.user !== "") parts.push(`as ${socket.user}`);
    if (socket.since > 0) parts.push(`for ${humanDuration(now - socket.since)}`);
    if (socket.reason !== "") parts.push(socket.reason);
    if (socket.retry_at !== null && socket.retry_at > now) {
      parts.push(`next try in ${(socket.retry_at - now).toFixed(1)} s`);
    }
    setText(this.#words, parts.filter((part) => part !== "").join(" · "));
  }

  #figure(figures: [string, string][]): void {
    figures.forEach(([value, name], index) => {
      let box = this.#figures.children[index];
      if (box === undefined) {
        box = element("div", {}, element("b"), element("span"));
        this.#figures.append(box);
      }
      setText(box.children[0] as Node, value);
      setText(box.children[1] as Node, name);
    });
  }

  #drawTerminals(terminals: Terminal[]): void {
    const now = this.#shared.now();
    this.#terminalTable.hidden = terminals.length === 0;
    const rows = terminals.map((terminal) => {
      const code = terminal.returncode === null ? "" : ` with exit code ${terminal.returncode}`;
      const reason = terminal.reason === "" ? "" : ` · ${terminal.reason}`;
      return element(
        "tr",
        {},
        element("td", { class: "fill" }, terminal.words),
        element("td", {}, terminal.cluster),
        element("td", {}, `${terminal.state}${code}${reason}`),
        element("td", { class: "n" }, humanDuration(now - terminal.since)),
        element("td", { class: "n" }, terminal.kept > 0 ? `for ${humanDuration(terminal.kept)}` : "with the kernel"),
      );
    });
    this.#terminals.replaceChildren(...rows);
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

/** A minute with its name and its highest figure. */
class Picture {
  readonly element: HTMLElement;
  #spark: Spark;
  #most = element("span");

  constructor(
    private readonly name: string,
    least: number,
  ) {
    this.#spark = new Spark(600, 34, name, least);
    const caption = element("figcaption", {}, element("span", {}, `${name} in the last minute`), this.#most);
    this.element = element("figure", {}, caption, this.#spark.element);
  }

  draw(seconds: readonly number[], text: (value: number) => string, cuts: readonly boolean[]): void {
    this.#spark.draw(seconds, cuts);
    setText(this.#most, `at most ${text(Math.max(0, ...seconds))}`);
    this.#spark.element.setAttribute("aria-label", minuteLabel(this.name, seconds, text));
  }
}

function demoParts({ scenario, seed, clock }: Demo, now: number): HTMLElement[] {
  const rate = clock === null ? 1 : clock[2];
  const time = new Date(clusterTime(clock, now) * 1000).toISOString().replace("T", " ").slice(0, 19);
  const going = rate === 0 ? "paused" : rate === 1 ? "as fast as the wall's clock" : `${count(rate)} times as fast`;
  return [
    element("strong", {}, scenario),
    element("span", {}, `seed ${seed}`),
    element("span", {}, `cluster time ${time} UTC`),
    element("span", {}, going),
  ];
}

function sockets({ sockets, direct_sockets: direct }: Socket): string {
  const words = sockets + direct === 1 ? "open socket" : "open sockets";
  return direct === 0 ? words : `${words}, ${direct} of single watches`;
}

/** What is wider than a narrow cell is scrolled in it, by keys too. */
function scrolled(inside: HTMLElement, name: string): HTMLElement {
  return element("div", { class: "scrolled", role: "group", "aria-label": name, tabindex: "0" }, inside);
}

function table(titles: string[], numbers: number[], body: HTMLElement): HTMLElement {
  const head = titles.map((title, index) =>
    element("th", { scope: "col", class: numbers.includes(index) ? "n" : index === 0 ? "fill" : "" }, title),
  );
  return element("table", {}, element("thead", {}, element("tr", {}, ...head)), body);
}

function clusterRows(cluster: Cluster, now: number): HTMLElement[] {
  const state = element("td", {}, element("span", { class: "chip" }, dot(cluster.state), cluster.state));
  const row = element(
    "tr",
    {},
    element("td", { class: "fill" }, cluster.name),
    state,
    element("td", {}, cluster.version),
    element("td", { class: "dim" }, cluster.server),
    element("td", {}, cluster.namespace),
    element("td", {}, cluster.write ? "allowed" : "no"),
  );
  const { reason, said, todo } = cluster;
  return reason === "" && said === "" && todo === "" ? [row] : [row, troubleRow(cluster, now, 6)];
}
