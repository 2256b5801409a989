/** The table's bundle: one copy of the rows a page and model, any number of views of it. */

import type { Cleanup, Model, RenderContext } from "./common/afm";
import { clusterTime } from "./common/clock";
import { type Condition, Link, type Owner, type Put } from "./common/link";
import type { Bundle, Copy, Incoming } from "./common/registry";
import type { Ahead } from "./table/ahead";
import type { Head } from "./table/head";
import { Rows } from "./table/rows";
import type { Shared } from "./table/shared";
import { View } from "./table/view";

/** Over how long the rate of changes is taken. */
const RATE_MS = 2000;

class TableCopy implements Copy, Owner, Shared {
  readonly link: Link;
  readonly rows = new Rows();
  readonly changes = { total: -1, rate: 0, last: 0 };
  head: Head | undefined;
  #views = new Set<View>();
  settled = false;
  picker = "";
  #mark = { at: performance.now(), total: 0 };

  constructor(model: Model) {
    this.link = new Link(model, this);
  }

  readonly now = (): number => Date.now() / 1000 + this.link.skew;

  readonly timeOf = (cluster: number): number => clusterTime(this.head?.clusters[cluster]?.clock, this.now());

  receive(message: Incoming): void {
    this.link.receive(message);
  }

  put({ content, buffers, whole }: Put): void {
    const asked = this.#asked();
    if (content["head"] !== undefined) this.head = content["head"] as Head;
    if (asked !== "" && asked !== this.#asked()) this.#clear(); // the rows of another question
    const first = !this.settled;
    if (whole?.last === true) this.settled = true;
    const changes = this.rows.take(buffers, whole);
    this.#count(Number(content["changes"]));
    if (this.head === undefined) return;
    for (const view of this.#views) {
      if (content["head"] !== undefined) view.head(this.head);
      view.change(changes, first, whole === undefined ? content["more"] === true : undefined);
    }
    const ahead = content["ahead"] as Ahead | undefined;
    if (ahead?.page !== this.link.page) return;
    for (const view of this.#views) if (view.id === ahead.view) view.ahead(ahead);
  }

  back(): Record<string, unknown> {
    for (const view of this.#views) {
      const places = view.places();
      if (places !== undefined) return { places };
    }
    return {};
  }

  condition(_condition: Condition): void {
    for (const view of this.#views) view.tick();
  }

  render({ model, el }: RenderContext): Cleanup {
    const view = new View(model, el, this);
    this.#views.add(view);
    this.link.view(1);
    return () => {
      this.#views.delete(view);
      view.dispose();
      this.link.view(-1);
    };
  }

  dispose(): void {
    for (const view of this.#views) view.dispose();
    this.link.dispose();
  }

  #asked(): string {
    return this.head === undefined ? "" : JSON.stringify([this.head.question, this.head.clusters.map(({ name }) => name)]);
  }

  #clear(): void {
    this.settled = false;
    this.rows.clear();
    for (const view of this.#views) view.clear();
  }

  /** The rate sinks to nothing when no message comes. */
  settle(): void {
    if (this.changes.total >= 0) this.#count(this.changes.total);
  }

  #count(total: number): void {
    const { changes } = this;
    if (changes.total >= 0 && total > changes.total) changes.last = this.now();
    if (total < changes.total) this.#mark = { at: performance.now(), total }; // the kernel began to count anew
    const first = changes.total < 0;
    changes.total = total;
    const passed = performance.now() - this.#mark.at;
    if (first || passed >= RATE_MS) {
      changes.rate = first ? 0 : ((total - this.#mark.total) / passed) * 1000;
      this.#mark = { at: performance.now(), total };
    }
  }
}

const bundle: Bundle = { attach: (model) => new TableCopy(model) };
export default bundle;
