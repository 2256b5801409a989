/** What a user asks the kernel for around the rows: settings, what is shown, copies; and what it answers. */

import type { Bar } from "./bar";
import type { Code } from "./copy";
import type { Head } from "./head";
import type { Choices, Pick } from "./pickers";
import type { Place } from "./places";
import type { Row } from "./rows";

type Answer = { ok: boolean; error?: string; [more: string]: unknown };

/** Names that are words of a filter as they stand; a role may be called `a=b`. */
const PLAIN = /^[A-Za-z0-9][-A-Za-z0-9.:]*$/;

const TWICE = new Set<unknown>(["choices", "code", "layout", "look", "pick", "select", "set"]);

/** Whether it is the same, asked twice; a shell may start a pod. */
export function mayBeTwice({ t, what }: Record<string, unknown>): boolean {
  return TWICE.has(t) && what !== "shell";
}

export class Wishes {
  #ask: (message: Record<string, unknown>) => Promise<Answer>;
  #bar: () => Bar;
  #sort: () => string;

  /**
   * @param bar Where answers are said.
   * @param sort How the view is sorted.
   */
  constructor(ask: (message: Record<string, unknown>) => Promise<Answer>, bar: () => Bar, sort: () => string) {
    this.#ask = ask;
    this.#bar = bar;
    this.#sort = sort;
  }

  /** Those of the bar's actions that only ask. */
  get actions() {
    return {
      wide: (on: boolean): void => void this.set("wide", on),
      usage: (on: boolean): void => void this.set("usage", on),
      group: (by: string): void => void this.set("group", by),
      choices: async (what: string): Promise<Choices> => (await this.#ask({ t: "choices", what })) as unknown as Choices,
      pick: (what: Pick): void => void this.#pick(what),
      freeze: (): Promise<string> => this.#do("freeze", { sort: this.#sort() }),
      retry: (): Promise<string> => this.#do("retry"),
    };
  }

  /** Have a setting changed; comes back with the number of that change, undefined where it was refused. */
  async set(name: string, value: boolean | string): Promise<number | undefined> {
    const answer = await this.#ask({ t: "set", name, value });
    if (answer.ok) return Number(answer["at"]);
    this.#bar().say(String(answer.error));
    return undefined;
  }

  /** Have the columns arranged so; comes back as `set` does, and says nothing where it was refused: the user sees it. */
  async layout(arranged: Record<string, unknown>): Promise<number | undefined> {
    const answer = await this.#ask({ t: "layout", ...arranged });
    return answer.ok ? Number(answer["at"]) : undefined;
  }

  /** The cell and the command that make this view, sorted so. */
  async code(sort: string): Promise<Code | string> {
    const answer = await this.#ask({ t: "code", sort });
    return answer.ok ? { python: String(answer["python"]), kubectl: String(answer["kubectl"]) } : String(answer.error);
  }

  /** Show an object in the rows, among others of its kind; returns the filter that finds it, unless that was refused. */
  async among({ cluster, namespace, name, kind }: Place, head: Head | undefined): Promise<string | undefined> {
    const namespaces = namespace === "" ? {} : { namespaces: [namespace] };
    if (!(await this.#pick({ kind, ...namespaces, ...(head?.several[0] === true && { clusters: [cluster] }) }))) return undefined;
    return PLAIN.test(name) ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
  }

  async #do(what: string, more: Record<string, unknown> = {}): Promise<string> {
    const answer = await this.#ask({ t: "do", what, ...more });
    return String(answer.ok ? answer["said"] : answer.error);
  }

  async #pick(what: Pick): Promise<boolean> {
    const bar = this.#bar();
    bar.refused("");
    bar.say("reading …");
    const answer = await this.#ask({ t: "pick", ...what });
    bar.say("");
    if (!answer.ok) bar.refused(String(answer.error));
    else if (answer["said"] !== "") bar.refused(String(answer["said"]), "");
    return answer.ok;
  }
}

/** Names of rows, as kubectl takes them. */
export function names(rows: readonly Row[], head: Head | undefined): string[] {
  const several = head?.several[1] === true;
  return rows.map((row) => (several && row.namespace !== "" ? `${row.namespace}/${row.name}` : row.name));
}
