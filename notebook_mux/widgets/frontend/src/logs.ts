/** The bundle of logs: the page's lines, once for a page and model, and any number of views of them. */

import type { Cleanup, Model, RenderContext } from "./common/afm";
import { type Condition, Link, type Owner, type Put } from "./common/link";
import type { Bundle, Copy, Incoming } from "./common/registry";
import { type Head, type Kept, reused, type State } from "./logs/data";
import type { Shared } from "./logs/shared";
import { batchOf, type Change, Store } from "./logs/store";
import { View } from "./logs/view";

/** Over how long the rate of lines is taken. */
const RATE_MS = 2000;
/** Lines of one question for older ones. */
const OLDER = 5000;
const COLUMNS = 5;

class LogsCopy implements Copy, Owner, Shared {
  readonly link: Link;
  readonly store = new Store();
  head: Head | undefined;
  state: State | undefined;
  kept: Kept = { oldest: 0, end: 0, dropped: 0 };
  rate = 0;
  lastLine = 0;
  loading = false;
  #views = new Set<View>();
  #numbers = "";
  #mark = { at: performance.now(), end: -1 };
  #timer: ReturnType<typeof setInterval>;

  constructor(model: Model) {
    this.link = new Link(model, this);
    this.#timer = setInterval(() => this.#count(), RATE_MS);
  }

  readonly now = (): number => Date.now() / 1000 + this.link.skew;

  receive(message: Incoming): void {
    const [content, buffers] = message;
    // an answer with lines has them in its buffers
    if (content["t"] === "reply" && buffers.length > 0) content["buffers"] = buffers;
    this.link.receive(message);
  }

  put({ content, buffers, whole }: Put): void {
    if (content["head"] !== undefined) this.head = content["head"] as Head;
    if (content["state"] !== undefined) this.#stand(content["state"] as State);
    const lines = content["lines"] as (Kept & { first: number; numbers: string }) | undefined;
    if (lines !== undefined) {
      if (lines.numbers !== this.#numbers && this.#numbers !== "") this.#tell(this.store.reset());
      this.#numbers = lines.numbers;
      if (lines.end > this.kept.end) this.lastLine = this.now();
      this.kept = { oldest: lines.oldest, end: lines.end, dropped: lines.dropped };
      if (buffers.length >= COLUMNS) {
        const known = { oldest: lines.oldest, anew: whole?.part === 0 };
        this.#tell(this.store.take(batchOf(lines.first, buffers), known, this.#pinned));
      }
    }
    for (const view of this.#views) {
      if (content["head"] !== undefined) view.head(this.head as Head);
      if (content["state"] !== undefined) view.state();
    }
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
    clearInterval(this.#timer);
    for (const view of this.#views) view.dispose();
    this.link.dispose();
  }

  pinned(): void {
    if (this.#pinned) return;
    const missed = this.store.missed > 0;
    this.#tell(this.store.unpin());
    if (missed) this.link.refresh();
  }

  older(view: string): void {
    const { store, kept } = this;
    if (this.loading || store.count === 0 || store.low <= kept.oldest) return;
    this.loading = true;
    const asked = { t: "older", view, before: store.low, most: OLDER };
    void this.link.ask(asked).then((answer) => {
      this.loading = false;
      const buffers = answer["buffers"] as DataView[] | undefined;
      if (answer.ok && buffers !== undefined && answer["numbers"] === this.#numbers) {
        this.kept = { ...this.kept, oldest: Number(answer["oldest"]) };
        this.#tell(store.prepend(batchOf(Number(answer["first"]), buffers)));
      }
      for (const shown of this.#views) shown.tick();
    });
  }

  #stand(state: State): void {
    const before = this.state?.sources ?? [];
    this.state = state;
    // a place is another's: what is still here of the one before is with the kernel no more, and would be taken for it
    if (!reused(before, state.sources).some((at) => (this.store.bySource.get(at) ?? 0) > 0)) return;
    this.#tell(this.store.reset());
    this.link.refresh();
  }

  get #pinned(): boolean {
    return [...this.#views].some((view) => view.pinned);
  }

  #tell(change: Change | undefined): void {
    if (change === undefined) return;
    for (const view of this.#views) view.take(change);
  }

  #count(): void {
    const now = performance.now();
    const { end } = this.kept;
    this.rate = this.#mark.end < 0 ? 0 : Math.max(0, ((end - this.#mark.end) / (now - this.#mark.at)) * 1000);
    this.#mark = { at: now, end };
  }
}

const bundle: Bundle = { attach: (model) => new LogsCopy(model) };
export default bundle;
