/** What the table shows, chosen: its kind, its namespaces, its clusters. */

import { Combobox, type Option } from "../common/combobox";
import { count, element, setText } from "../common/dom";
import { stateTone } from "../common/trouble";
import type { Head } from "./head";

/** What there is to choose from, as the kernel says it. */
export interface Choices {
  ok: boolean;
  error?: string;
  /** Of kinds: the word for it, its Kind, its group, its short names. */
  kinds?: [word: string, kind: string, group: string, also: string[]][];
  namespaces?: string[];
  clusters?: [name: string, state: string][];
  /** What of it could not be read. */
  said?: string;
}

export interface Pick {
  kind?: string;
  /** None: each context's own; `*`: all. */
  namespaces?: string[];
  /** Null: all of the manager's. */
  clusters?: string[] | null;
}

export interface PickActions {
  choices(what: "kinds" | "namespaces" | "clusters"): Promise<Choices>;
  pick(what: Pick): void;
}

const ALL = "*";
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** More clusters than these are a number and the worst of their states. */
const MOST_CHIPS = 3;
/** The kinds that are looked at most, in the order of kubectl's own examples; others follow by name. */
const FIRST = [
  "pods", "deployments", "statefulsets", "daemonsets", "replicasets", "jobs", "cronjobs", "services", "ingresses", "configmaps",
  "secrets", "persistentvolumeclaims", "nodes", "namespaces", "events",
];

export class Pickers {
  readonly element = element("div", { class: "asked", role: "group", "aria-label": "What is shown" });
  #title = element("span", { class: "title" });
  #kind: Combobox;
  #namespace: Combobox;
  #cluster: Combobox;
  #chips = element("span", { class: "chips" });
  #selector = element("code", { class: "selector" });
  #head: Head | undefined;
  #counts: readonly number[] = [];
  #drawn = "";

  constructor(actions: PickActions, signal: AbortSignal) {
    const asking = async (what: "kinds" | "namespaces" | "clusters"): Promise<Choices> => {
      const answer = await actions.choices(what);
      if (!answer.ok) throw new Error(answer.error ?? "the kernel did not say");
      return answer;
    };
    this.#kind = new Combobox({
      name: "Kind",
      several: false,
      options: async () => kindOptions((await asking("kinds")).kinds ?? []),
      chosen: () => [this.#head?.question.kind ?? "", this.#head?.kind?.resource ?? ""],
      choose: ([kind]) => actions.pick({ kind: kind ?? "" }),
    }, signal);
    this.#namespace = new Combobox({
      name: "Namespace",
      several: true,
      options: async () => {
        const names = (await asking("namespaces")).namespaces ?? [];
        return [{ value: ALL, words: "all namespaces", also: ["*"], alone: true }, ...names.map((name) => ({ value: name, words: name }))];
      },
      chosen: () => this.#namespaces(),
      choose: (namespaces) => actions.pick({ namespaces }),
      free: (text) => (NAMESPACE.test(text) ? { value: text, words: text, more: "not listed" } : undefined),
    }, signal);
    this.#cluster = new Combobox({
      name: "Cluster",
      several: true,
      options: async () => {
        const clusters = (await asking("clusters")).clusters ?? [];
        const each = clusters.map(([name, state]): Option => ({ value: name, words: name, tone: stateTone(state), more: state === "live" ? "" : state }));
        return [{ value: ALL, words: `all ${count(clusters.length)} clusters`, alone: true }, ...each];
      },
      chosen: () => this.#head?.question.clusters ?? [ALL],
      choose: (names) => actions.pick({ clusters: names.includes(ALL) ? null : names }),
    }, signal);
    this.element.append(this.#title, this.#kind.button, this.#namespace.button, this.#cluster.button, this.#chips, this.#selector);
  }

  /** Open the list of one of them. */
  open(which: "kind" | "namespace" | "cluster"): void {
    const box = { kind: this.#kind, namespace: this.#namespace, cluster: this.#cluster }[which];
    if (!box.button.hidden) box.open();
  }

  head(head: Head, counts: readonly number[]): void {
    this.#head = head;
    this.#counts = counts;
    const { question, kind } = head;
    const clusters = head.clusters.map(({ name, state }) => [name, state]);
    const shape = JSON.stringify([head.title, question, kind, clusters, counts]);
    if (shape === this.#drawn) return;
    this.#drawn = shape;
    const fixed = question.kind === ""; // a stream of nobody's
    setText(this.#title, head.title);
    this.#title.hidden = !fixed;
    this.#kind.button.hidden = fixed;
    this.#namespace.button.hidden = fixed || kind?.namespaced === false;
    const one = fixed || question.all.length < 2;
    this.#cluster.button.hidden = one;
    this.#show(this.#kind, kind?.resource ?? question.kind, "Kind");
    const namespaces = this.#namespaces();
    const several = namespaces.length > 2 ? `${count(namespaces.length)} namespaces` : namespaces.join(", ");
    this.#show(this.#namespace, namespaces.includes(ALL) ? "all namespaces" : several, "Namespace");
    const chips = this.#clusterChips();
    if (one) this.#chips.replaceChildren(...chips);
    else this.#cluster.shown.replaceChildren(...chips);
    this.#chips.hidden = !one;
    const names = clusters.map(([name, state]) => (state === "live" ? name : `${name} (${state})`)).join(", ");
    this.#name(this.#cluster, "Cluster", names);
    const chosen = [question.selector, question.fieldSelector].filter((text) => text !== "").join(" ");
    setText(this.#selector, fixed ? "" : chosen);
    this.#selector.title = `only those with ${chosen}`;
    this.#selector.hidden = this.#selector.textContent === "";
  }

  #namespaces(): string[] {
    const question = this.#head?.question;
    if (question === undefined) return [];
    return question.namespaces.length > 0 ? question.namespaces : question.own;
  }

  #show(box: Combobox, words: string, name: string): void {
    setText(box.shown, words);
    this.#name(box, name, words);
  }

  #name(box: Combobox, name: string, words: string): void {
    box.button.setAttribute("aria-label", `${name}: ${words}`);
    box.button.title = `${name}: ${words}`;
  }

  #clusterChips(): HTMLElement[] {
    const { clusters, several } = this.#head as Head;
    if (clusters.length > MOST_CHIPS) {
      const tones = clusters.map(({ state }) => stateTone(state));
      const worst = ["bad", "warn", "", "good"].find((tone) => tones.includes(tone)) ?? "";
      const away = tones.filter((tone) => tone !== "good").length;
      const words = `${count(clusters.length)} clusters${away > 0 ? `, ${count(away)} not live` : ""}`;
      return [chip(worst, words, clusters.map(({ name, state }) => `${name}: ${state}`).join("\n"))];
    }
    return clusters.map(({ name, state }, index) => {
      const made = chip(stateTone(state), several[0] ? `${name} ${count(this.#counts[index] ?? 0)}` : name, `${name}: ${state}`);
      made.append(element("span", { class: state === "live" ? "hidden" : "" }, state));
      return made;
    });
  }
}

function chip(tone: string, words: string, title: string): HTMLElement {
  const dot = element("span", { class: "dot", "aria-hidden": "true" });
  dot.dataset["tone"] = tone;
  return element("span", { class: "chip", title }, dot, element("span", { class: "dim" }, words));
}

/** Kinds as options: those that are looked at most first. */
export function kindOptions(kinds: NonNullable<Choices["kinds"]>): Option[] {
  const place = (word: string) => {
    const at = FIRST.indexOf(word);
    return at < 0 ? FIRST.length : at;
  };
  return kinds
    .map(([word, kind, group, also]): Option => ({
      value: word,
      words: word.split(".")[0] ?? word,
      more: [also[0] ?? "", group].filter((text) => text !== "").join(" · "),
      also: [word, kind, ...also],
    }))
    .sort((a, b) => place(a.value) - place(b.value) || (a.words < b.words ? -1 : a.words > b.words ? 1 : 0));
}

export const PICKERS_CSS = `
.asked { display: flex; flex-wrap: wrap; align-items: center; gap: 1px 2px; min-width: 0; max-width: 100%; }
.asked .title { padding: 0 8px 0 2px; }
.asked .title[hidden], .asked > [hidden] { display: none; }
.asked .picker:first-of-type .shown { font-weight: 600; }
.asked .picker .shown { display: inline-flex; gap: 2px 10px; }
.chips { display: inline-flex; flex-wrap: wrap; gap: 2px 12px; padding: 0 6px; }
.selector { font-family: var(--mono); font-size: 88%; color: var(--dim); padding: 0 5px; border: 1px solid var(--line); border-radius: 3px; margin-left: 4px;
  max-width: 26ch; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
`;
