/** One view of the status: the socket with its minute, the clusters, the streams. */

import type { Model } from "../common/afm";
import { humanDuration } from "../common/age";
import { clock, count, element, hideCopy, setText } from "../common/dom";
import { askingButton } from "../common/drawn";
import { randomId } from "../common/ids";
import type { Link } from "../common/link";
import { shadow } from "../common/style";
import { type Standing, stateTone, trouble } from "../common/trouble";
import type { Cluster, Data, Socket, Stream, Terminal } from "./data";
import type { History } from "./history";
import { Spark } from "./spark";

const CSS = `
.socket { display: grid; grid-template-columns: minmax(220px, auto) 1fr; gap: 4px 18px; padding: 8px 10px; align-items: center; }
.figures { display: grid; grid-template-columns: repeat(3, auto); gap: 6px 18px; font-variant-numeric: tabular-nums; }
.figures b { font-weight: 600; font-size: 120%; display: block; }
.figures span { color: var(--dim); font-size: 85%; }
.spark { width: 100%; height: 44px; display: block; }
.spark .stroke { fill: none; stroke: var(--accent); stroke-width: 1.4; }
.spark .area { fill: color-mix(in srgb, var(--accent) 16%, transparent); stroke: none; }
td .spark { width: 110px; height: 18px; }
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
.frozen table, .frozen .socket, .frozen .log, .frozen .bar > :not(button) { opacity: .5; }
button:disabled { opacity: .5; cursor: default; }
button.plug { border-color: color-mix(in srgb, var(--bad) 60%, var(--line)); color: var(--bad); }
`;

/** What a view needs of the page's copy. */
export interface Shared {
  readonly link: Link;
  readonly data: Data | undefined;
  readonly history: History;
  readonly streams: ReadonlyMap<string, History>;
  /** For each second of the minute, whether the socket was not open. */
  readonly cuts: readonly boolean[];
  /** What the socket went through lately, newest first. */
  readonly events: readonly string[];
  now(): number;
}

function bytes(value: number): string {
  if (value < 1000) return `${Math.round(value)} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(1)} kB`;
  return `${(value / 1e6).toFixed(1)} MB`;
}

function milliseconds(seconds: number): string {
  return seconds < 10 ? `${count(seconds * 1000)} ms` : humanDuration(seconds);
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
  #spark = new Spark(600, 44, "changes a second in the last minute");
  #log = element("div", { class: "log", role: "log" });
  #clusters = element("tbody");
  #streams = element("tbody");
  #terminals = element("tbody");
  #terminalTable: HTMLElement;
  #sparks = new Map<string, Spark>();
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
    const bar = element("div", { class: "bar", role: "toolbar", "aria-label": "connection" });
    bar.append(this.#dot, this.#state, this.#words, element("span", { class: "push" }), this.#said, retry, plug, freeze);
    const socket = element("div", { class: "socket" });
    socket.append(this.#figures, this.#spark.element);
    const clusters = table(["Cluster", "State", "Version", "Server", "Namespace", "Write"], [], this.#clusters);
    const streams = table(
      ["Stream", "State", "Objects", "Changes/s", "", "Received", "Lag", "Skipped", "Used by"],
      [2, 3, 5, 6, 7, 8],
      this.#streams,
    );
    this.#terminalTable = table(["Terminal", "Cluster", "State", "Since", "Kept"], [3, 4], this.#terminals);
    this.#root.append(bar, this.#banner, socket, this.#log, clusters, streams, this.#terminalTable);
    root.append(this.#root);
    hideCopy(el, String(model.get("_copy")), signal);
    this.draw();
  }

  dispose(): void {
    this.#abort.abort();
  }

  draw(): void {
    const { data, history, streams, link, events } = this.#shared;
    this.#condition(link);
    if (data === undefined) {
      setText(this.#state, "waiting for the kernel …");
      return;
    }
    this.#socket(data.socket);
    const totals = data.streams.reduce((sum, stream) => sum + stream.objects, 0);
    const lag = Math.max(0, ...data.streams.map((stream) => stream.lag));
    this.#figure([
      [count(history.now), "changes/s"],
      [count(totals), `objects in ${data.streams.length} stream${data.streams.length === 1 ? "" : "s"}`],
      [milliseconds(lag), "lag of the last change"],
      [String(data.socket.sockets + data.socket.direct_sockets), sockets(data.socket)],
      [bytes(data.socket.bytes_in), "received"],
      [String(data.socket.reconnects), data.socket.reconnects === 1 ? "reconnect" : "reconnects"],
    ]);
    this.#spark.draw(history.rates, this.#shared.cuts);
    setText(this.#log, [...events, data.socket.last_error && `last error: ${data.socket.last_error}`]
      .filter(Boolean)
      .join("  ·  "));
    const now = this.#shared.now();
    this.#clusters.replaceChildren(...data.clusters.flatMap((cluster) => clusterRows(cluster, now)));
    this.#drawStreams(data.streams, streams);
    this.#drawTerminals(data.terminals ?? []);
  }

  #condition({ condition: { kernel, attention, heard }, waits }: Link): void {
    const since = heard > 0 ? ` since ${clock(heard / 1000)}` : "";
    let text = "";
    if (kernel === "gone") text = `Not live${since}: the kernel has gone. Run the cell again.`;
    else if (kernel === "reconnecting") text = `Not live${since}: connecting to the Jupyter server again …`;
    else if (attention === "idle") text = `Paused${since}: no input here for half an hour. Move the mouse to go on.`;
    else if (waits) text = "What you asked waits: this kernel hears the page when the running cell is through.";
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

  #drawStreams(streams: Stream[], histories: ReadonlyMap<string, History>): void {
    const now = this.#shared.now();
    const rows = streams.flatMap((stream) => {
      const states = [...new Set(Object.values(stream.states))];
      const history = histories.get(stream.id);
      let spark = this.#sparks.get(stream.id);
      if (spark === undefined) this.#sparks.set(stream.id, (spark = new Spark(110, 18, "changes a second")));
      if (history !== undefined) spark.draw(history.rates);
      const state = element("td", {});
      for (const [cluster, each] of Object.entries(stream.states)) {
        const chip = element("span", { class: "chip", title: `${cluster}: ${each}` }, dot(each));
        state.append(chip, " ");
      }
      state.append(states.join(", "));
      const picture = element("td");
      picture.append(spark.element);
      const row = element(
        "tr",
        {},
        element("td", { class: "fill" }, stream.what),
        state,
        element("td", { class: "n" }, count(stream.objects)),
        element("td", { class: "n" }, count(history?.now ?? 0)),
        picture,
        element("td", { class: "n" }, bytes(stream.bytes)),
        element("td", { class: "n" }, milliseconds(stream.lag)),
        element("td", { class: "n" }, count(stream.skipped)),
        element("td", { class: "n" }, count(stream.holders)),
      );
      return [row, ...stream.troubles.map((at) => troubleRow(at, now, 9, at.name))];
    });
    if (rows.length === 0) {
      rows.push(element("tr", {}, element("td", { class: "dim", colspan: "9" }, "no stream is open: nm.watch(…), nm.table(…)")));
    }
    this.#streams.replaceChildren(...rows);
    for (const id of this.#sparks.keys()) if (!streams.some((stream) => stream.id === id)) this.#sparks.delete(id);
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

function sockets({ sockets, direct_sockets: direct }: Socket): string {
  const words = sockets + direct === 1 ? "open socket" : "open sockets";
  return direct === 0 ? words : `${words}, ${direct} of single watches`;
}

function table(titles: string[], numbers: number[], body: HTMLElement): HTMLElement {
  const head = titles.map((title, index) =>
    element("th", { scope: "col", class: numbers.includes(index) ? "n" : index === 0 ? "fill" : "" }, title),
  );
  return element("table", {}, element("thead", {}, element("tr", {}, ...head)), body);
}

function troubleRow(at: Standing, now: number, columns: number, name = ""): HTMLElement {
  const words = element("span", {}, trouble(at, now));
  const cell = element("td", { colspan: String(columns) }, element("div", { class: `why ${stateTone(at.state)}` }, words));
  if (name !== "") words.before(element("strong", {}, name), " ");
  return element("tr", { class: "why" }, cell);
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
