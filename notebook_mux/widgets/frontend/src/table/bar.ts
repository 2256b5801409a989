/** What stands around the grid: title, clusters and their states, filter, buttons, troubles, and the foot line. */

import { clock, count, element, setText } from "../common/dom";
import type { Condition, Link } from "../common/link";
import { stateTone, trouble } from "../common/trouble";
import type { Head } from "./head";

export interface Actions {
  filter(text: string): void;
  wide(on: boolean): void;
  freeze(): Promise<string>;
  retry(): Promise<string>;
  resume(): void;
}

export class Bar {
  readonly top = element("div", { class: "bar", role: "toolbar", "aria-label": "table" });
  readonly troubles = element("div", { role: "status", "aria-live": "polite" });
  readonly foot = element("div", { class: "foot" });
  #title = element("span", { class: "title" });
  #chips = element("span", { class: "chip" });
  #filter = element("input", { type: "search", placeholder: "Filter: words, !without", "aria-label": "Filter rows" });
  #wide = element("button", { type: "button", title: "Show the server's wide columns (kubectl -o wide)" }, "Wide");
  #freeze = element(
    "button",
    { type: "button", title: "Write the rows of now into the notebook, for readers without a kernel" },
    "Freeze",
  );
  #rows = element("span", { role: "status" });
  #rate = element("span");
  #picked = element("span");
  #said = element("span");
  #kernel = element("div", { class: "line bad", hidden: "" });
  #lines = element("div");
  #retry = element("button", { type: "button", title: "Try again now instead of after the wait" }, "Retry now");

  constructor(actions: Actions, signal: AbortSignal) {
    const push = () => element("span", { class: "push" });
    this.top.append(this.#title, this.#chips, push(), this.#filter, this.#wide, this.#freeze);
    this.foot.append(this.#rows, this.#picked, push(), this.#said, this.#rate);
    this.troubles.append(this.#kernel, this.#lines);
    this.#filter.addEventListener("input", () => actions.filter(this.#filter.value), { signal });
    this.#filter.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Escape" || this.#filter.value === "") return;
        this.#filter.value = "";
        actions.filter("");
        event.stopPropagation();
      },
      { signal },
    );
    this.#wide.addEventListener("click", () => actions.wide(this.#wide.getAttribute("aria-pressed") !== "true"), {
      signal,
    });
    this.#freeze.addEventListener(
      "click",
      () => {
        setText(this.#said, "asked for a copy …");
        void actions.freeze().then((said) => setText(this.#said, said));
      },
      { signal },
    );
    this.#retry.addEventListener(
      "click",
      () => {
        setText(this.#said, "…");
        void actions.retry().then((said) => setText(this.#said, said));
      },
      { signal },
    );
    this.#resume.addEventListener("click", () => actions.resume(), { signal });
  }

  #resume = element("button", { type: "button" }, "Go on");

  #drawn = "";

  head(head: Head, counts: readonly number[]): void {
    const shape = JSON.stringify([head.title, head.settings, head.clusters.map(({ name, state }) => [name, state]), counts]);
    if (shape === this.#drawn) return;
    this.#drawn = shape;
    setText(this.#title, head.title);
    this.#wide.setAttribute("aria-pressed", String(head.settings.wide));
    this.#wide.hidden = head.settings.columns !== null || !head.columns.some((column) => column.wide);
    const chips = head.clusters.map((cluster, index) => {
      const words = head.several[0] ? `${cluster.name} ${count(counts[index] ?? 0)}` : cluster.name;
      const chip = element("span", { class: "chip", title: `${cluster.name}: ${cluster.state}` });
      const dot = element("span", { class: "dot", "aria-hidden": "true" });
      dot.dataset["tone"] = stateTone(cluster.state);
      chip.append(dot, element("span", { class: "dim" }, words));
      chip.append(element("span", { class: cluster.state === "live" ? "hidden" : "" }, cluster.state));
      return chip;
    });
    this.#chips.replaceChildren(...chips);
    this.#chips.style.gap = "12px";
  }

  /** The filter's text, unless someone is typing in it. */
  filter(text: string): void {
    if (this.#filter.value !== text) this.#filter.value = text;
  }

  tick(head: Head, { condition, waits }: Link, now: number): void {
    const lines = head.clusters.filter(({ state, reason }) => state !== "live" || reason !== "");
    const wanted = lines.map((cluster) => {
      const note = cluster.state === "live" ? cluster.reason : trouble(cluster, now);
      return [cluster.name, note, cluster.state === "live" ? "" : stateTone(cluster.state) || "warn"] as const;
    });
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

  #kernelLine(head: Head, { kernel, attention, heard }: Condition, waits: boolean): void {
    const since = heard > 0 ? ` since ${clock(heard / 1000)}` : "";
    let text = "";
    let tone = "bad";
    if (kernel === "gone") text = `Not live${since}: the kernel has gone. Run the cell again.`;
    else if (head.closed) text = "Closed: this table does not change any more. Run the cell again.";
    else if (kernel === "reconnecting") text = `Not live${since}: connecting to the Jupyter server again …`;
    else if (attention === "idle") text = `Paused${since}: no input here for half an hour.`;
    else if (waits) {
      text = "What you asked waits: this kernel hears the page when the running cell is through.";
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
