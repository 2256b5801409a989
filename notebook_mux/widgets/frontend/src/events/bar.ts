/** What stands above the time line: title, clusters, filter, how the list is ordered, what is new, and troubles. */

import { cutWords, idleWords, WAITS } from "../common/condition";
import { count, element, setText } from "../common/dom";
import type { Link } from "../common/link";
import { stateTone, trouble } from "../common/trouble";
import { LEAST_SECONDS } from "./lanes";
import type { Head } from "./data";

export interface BarActions {
  filter(text: string): void;
  grouped(on: boolean): void;
  warningsFirst(on: boolean): void;
  /** Seconds to look back; 0 is all. */
  back(seconds: number): void;
  fresh(): void;
  ask(what: string): Promise<string>;
  resume(): void;
}

const BACK: [seconds: number, words: string][] = [
  [0, "all"], [LEAST_SECONDS, "5 min"], [900, "15 min"], [3600, "1 h"], [21600, "6 h"],
];

export class Bar {
  readonly top = element("div", { class: "bar", role: "group", "aria-label": "events" });
  readonly lines = element("div", { role: "status", "aria-live": "polite" });
  readonly foot = element("div", { class: "foot" });
  #title = element("span", { class: "title" });
  #chips = element("span", { class: "chip" });
  #fresh = element("button", { type: "button", class: "new", hidden: "", title: "Show what is new" });
  #counts = element("span", { role: "status" });
  #said = element("span");
  #kernel = element("div", { class: "line bad", hidden: "" }, element("span"));
  #troubles = element("div");
  #retry = element("button", { type: "button", title: "Try again now instead of after the wait" }, "Retry now");
  #resume = element("button", { type: "button" }, "Go on");
  #drawn = "";

  constructor(actions: BarActions, signal: AbortSignal) {
    const filter = element("input", { type: "search", placeholder: "Filter: words, !not", "aria-label": "Filter events" });
    const back = element("select", { "aria-label": "How far back the time line goes", title: "How far back the time line goes" });
    for (const [seconds, words] of BACK) back.append(element("option", { value: String(seconds) }, words));
    const grouped = toggle("By object", "Group the list by object, or have it in the order of time", false, actions.grouped, signal);
    const first = toggle("Warnings first", "Warnings before all others, or in the order of time", false, actions.warningsFirst, signal);
    const freeze = element("button", { type: "button", class: "freeze", title: "Write the events of now into the notebook, for readers without a kernel" }, "Freeze");
    const push = () => element("span", { class: "push" });
    this.top.append(this.#title, this.#chips, this.#fresh, push(), filter, back, grouped, first, freeze);
    this.foot.append(this.#counts, push(), this.#said);
    this.lines.append(this.#kernel, this.#troubles);
    filter.addEventListener("input", () => actions.filter(filter.value), { signal });
    filter.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Escape" || filter.value === "") return;
        filter.value = "";
        actions.filter("");
        event.stopPropagation();
      },
      { signal },
    );
    back.addEventListener("change", () => actions.back(Number(back.value)), { signal });
    this.#fresh.addEventListener("click", () => actions.fresh(), { signal });
    this.#resume.addEventListener("click", () => actions.resume(), { signal });
    for (const [button, what] of [[freeze, "freeze"], [this.#retry, "retry"]] as const) {
      button.addEventListener(
        "click",
        () => {
          setText(this.#said, "…");
          void actions.ask(what).then((said) => setText(this.#said, said));
        },
        { signal },
      );
    }
  }

  head(head: Head): void {
    const shape = JSON.stringify([head.title, head.clusters.map(({ name, state }) => [name, state])]);
    if (shape === this.#drawn) return;
    this.#drawn = shape;
    setText(this.#title, head.title);
    const chips = head.clusters.map((cluster) => {
      const dot = element("span", { class: "dot", "aria-hidden": "true" });
      dot.dataset["tone"] = stateTone(cluster.state);
      const chip = element("span", { class: "chip", title: `${cluster.name}: ${cluster.state}` }, dot);
      // one that is well is said by its dot
      const alone = head.clusters.length === 1 && cluster.state === "live";
      chip.append(element("span", { class: alone ? "hidden" : "dim" }, cluster.name));
      chip.append(element("span", { class: cluster.state === "live" ? "hidden" : "" }, cluster.state));
      return chip;
    });
    this.#chips.replaceChildren(...chips);
    this.#chips.style.gap = "12px";
  }

  counts(shown: number, total: number, times: number, warnings: number, fresh: number): void {
    const words = [
      shown === total ? plural(total, "event") : `${count(shown)} of ${plural(total, "event")}`,
      times > total && shown === total ? `${count(times)} times in all` : "",
      warnings > 0 ? plural(warnings, "warning") : "",
    ];
    setText(this.#counts, words.filter((text) => text !== "").join(" · "));
    setText(this.#fresh, `${count(fresh)} new`);
    this.#fresh.hidden = fresh === 0;
  }

  tick(head: Head, link: Link, now: number): void {
    const troubled = head.clusters.filter(({ state, reason }) => state !== "live" || reason !== "");
    const lines = troubled.map((cluster) => {
      const live = cluster.state === "live";
      const words = element("span", {}, live ? cluster.reason : trouble(cluster, now));
      return element("div", { class: `line trouble ${live ? "" : stateTone(cluster.state) || "warn"}` }, element("strong", {}, cluster.name), words);
    });
    const waiting = troubled.findIndex(({ state, retryAt }) => state !== "live" && retryAt !== null);
    if (waiting >= 0 && link.condition.kernel === "live") lines[waiting]?.append(this.#retry);
    for (const note of head.notes) lines.push(element("div", { class: "line note" }, note));
    this.#troubles.replaceChildren(...lines);
    this.#kernelLine(head, link);
  }

  #kernelLine(head: Head, { condition, waits }: Link): void {
    const { kernel, attention } = condition;
    const idle = attention === "idle" && kernel === "live";
    let text = "";
    if (kernel !== "gone" && head.closed) text = "Closed: nothing that is new comes here any more. Run the cell again.";
    else text = cutWords(condition) || idleWords(condition, "") || (waits ? WAITS : "");
    this.#kernel.hidden = text === "";
    this.#kernel.className = `line ${idle || (waits && !head.closed && kernel === "live") ? "" : "bad"}`;
    setText(this.#kernel.firstChild as Node, text);
    if (idle) this.#kernel.append(this.#resume);
    else this.#resume.remove();
  }
}

function toggle(text: string, title: string, on: boolean, act: (on: boolean) => void, signal: AbortSignal): HTMLButtonElement {
  const made = element("button", { type: "button", title, "aria-pressed": String(on) }, text);
  made.addEventListener(
    "click",
    () => {
      const next = made.getAttribute("aria-pressed") !== "true";
      made.setAttribute("aria-pressed", String(next));
      act(next);
    },
    { signal },
  );
  return made;
}

function plural(number: number, word: string): string {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}
