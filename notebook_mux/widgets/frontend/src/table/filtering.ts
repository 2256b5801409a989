/** A view's filter: the field, what of it counts, what the kernel is told of it, and which rows show a fault. */

import { Agreed, type AgreedHooks } from "../common/agreed";
import type { Compiled, Facts, Scheme } from "../filter/judging";
import { FilterField } from "./filter_field";
import type { Head, Settings } from "./head";
import type { Row } from "./rows";
import { faults, kindKey } from "./tones";

/** How long nobody types before the kernel is told: other views and Python then have it. */
const TELL_MS = 250;

/** How long at a time rows are made ready for a filter, in slices of so many: less than a frame. */
const READY_MS = 6;
const SLICE = 100;

type Filter = Pick<Settings, "filter" | "faults">;

export interface FilteringHooks extends Pick<AgreedHooks<Filter>, "set"> {
  head(): Head | undefined;
  rows(): readonly Row[];
  timeOf(cluster: number): number;
  /** Other rows pass: a user chose so, or time did. */
  filtered(chosen: boolean): void;
  /** The field is left for the rows. */
  through(): void;
}

export class Filtering {
  readonly field: FilterField;
  #hooks: FilteringHooks;
  #compiled: Compiled | undefined;
  #scheme: Scheme | undefined;
  #shape = "";
  #fault = (_row: Row): boolean => false;
  #agreed: Agreed<Filter>;
  #tell: ReturnType<typeof setTimeout> | undefined;
  #readying: ReturnType<typeof setTimeout> | undefined;

  constructor(hooks: FilteringHooks, signal: AbortSignal) {
    this.#hooks = hooks;
    this.field = new FilterField(
      {
        scheme: () => this.#scheme,
        rows: () => hooks.rows(),
        changed: (text, on, compiled) => this.#changed(text, on, compiled),
        through: () => hooks.through(),
      },
      signal,
    );
    this.#agreed = new Agreed<Filter>({ filter: "", faults: false }, {
      set: hooks.set,
      settings: () => hooks.head()?.settings,
      other: ({ filter, faults = this.field.faults }) => {
        if (filter !== undefined) clearTimeout(this.#tell);
        this.field.set(filter ?? this.field.text, faults);
      },
    });
    this.field.element.addEventListener("focusin", () => this.#ready(), { signal });
    signal.addEventListener("abort", () => {
      clearTimeout(this.#tell);
      clearTimeout(this.#readying);
    });
  }

  passes = (row: Row): boolean => this.#compiled === undefined || this.#compiled.passes(row);

  fault = (row: Row): boolean => this.#fault(row);

  /** Whether some rows may not pass. */
  get any(): boolean {
    return this.#compiled?.any === true;
  }

  /** Whether others may pass by nothing but time. */
  get timed(): boolean {
    return this.#compiled?.timed === true;
  }

  /** What the kernel says. */
  head(head: Head): void {
    const shape = JSON.stringify([head.columns, head.kind, head.several, head.clusters.map(({ name }) => name)]);
    const other = shape !== this.#shape;
    if (other) {
      this.#shape = shape;
      this.#scheme = this.#schemeOf(head);
    }
    this.#agreed.take(head.settings);
    if (other) this.field.again();
  }

  /** Show only what this filter passes, here and wherever the table is shown. */
  set(text: string): void {
    clearTimeout(this.#tell);
    this.field.set(text, false);
    this.#agreed.say("filter", text);
    this.#agreed.say("faults", false);
  }

  /** Say how many rows show a fault. */
  count(): void {
    let number = 0;
    for (const row of this.#hooks.rows()) if (this.#fault(row)) number++;
    this.field.counted(number);
  }

  /** A second has passed: by time alone other rows may pass. */
  tick(): void {
    this.count();
    if (this.timed) this.#hooks.filtered(false);
  }

  /** Somebody is about to type: have the words of all rows before the first key asks for them. */
  #ready(): void {
    const rows = this.#hooks.rows();
    let at = 0;
    const go = () => {
      const until = performance.now() + READY_MS;
      while (at < rows.length && performance.now() < until) {
        for (const end = Math.min(rows.length, at + SLICE); at < end; at++) rows[at]?.words();
      }
      if (at < rows.length) this.#readying = setTimeout(go);
    };
    clearTimeout(this.#readying);
    this.#readying = setTimeout(go);
  }

  #schemeOf(head: Head): Scheme {
    const columns = head.columns.map(({ title, type }) => ({ title, type }));
    // a label's or a user's own column says nothing of faults, whatever its title
    const served = head.columns.filter(({ source }) => source === "server").map(({ title }) => title);
    const faulty = faults(kindKey(head.kind), served);
    const fault = (row: Facts): boolean => (row as Row).judged(faulty);
    this.#fault = fault;
    const clusters = head.clusters.map(({ name }) => name);
    return { columns, several: head.several, clusters, timeOf: (cluster) => this.#hooks.timeOf(cluster), fault };
  }

  #changed(text: string | undefined, on: boolean, compiled: Compiled): void {
    this.#compiled = compiled;
    this.#hooks.filtered(true);
    this.#agreed.say("faults", on);
    if (text === undefined) return;
    clearTimeout(this.#tell);
    this.#tell = setTimeout(() => this.#agreed.say("filter", text), TELL_MS);
  }
}
