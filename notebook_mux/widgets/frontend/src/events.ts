/** The events' bundle: one copy of them a page and model, any number of views of it. */

import type { Cleanup, Model, RenderContext } from "./common/afm";
import { clusterTime } from "./common/clock";
import { type Condition, Link, type Owner, type Put } from "./common/link";
import type { Bundle, Copy, Incoming } from "./common/registry";
import { type Head, Store } from "./events/data";
import { type Shared, View } from "./events/view";

class EventsCopy implements Copy, Owner, Shared {
  readonly link: Link;
  readonly store = new Store();
  head: Head | undefined;
  #views = new Set<View>();

  constructor(model: Model) {
    this.link = new Link(model, this);
  }

  readonly now = (): number => Date.now() / 1000 + this.link.skew;

  /** Of the first cluster whose clock does not go as ours: a time line has one axis. */
  readonly time = (): number => clusterTime(this.head?.clusters.find(({ clock }) => clock !== null)?.clock, this.now());

  receive(message: Incoming): void {
    this.link.receive(message);
  }

  put({ content, buffers, whole }: Put): void {
    if (content["head"] !== undefined) this.head = content["head"] as Head;
    this.store.take(buffers, whole, content["more"] === true);
    for (const view of this.#views) view.change();
  }

  condition(_condition: Condition): void {
    for (const view of this.#views) view.tick();
  }

  seen(keys: readonly string[]): void {
    this.store.see(keys);
    for (const view of this.#views) view.change();
  }

  render({ model, el }: RenderContext): Cleanup {
    const view = new View(model, el, this);
    this.#views.add(view);
    view.change();
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
}

const bundle: Bundle = { attach: (model) => new EventsCopy(model) };
export default bundle;
