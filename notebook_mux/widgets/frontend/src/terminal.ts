/** The terminal's bundle: what the kernel says of it, once a page, and any number of views with a session each. */

import type { Cleanup, Model, RenderContext } from "./common/afm";
import { type Condition, Link, type Owner, type Put } from "./common/link";
import type { Bundle, Copy, Incoming } from "./common/registry";
import type { Memory } from "./terminal/connector";
import type { Head } from "./terminal/head";
import { type Shared, View } from "./terminal/view";
import { unpacked } from "./terminal/ways";

/** The page's, for all its terminals. */
const memory: Memory = { unreachable: false };

class TerminalCopy implements Copy, Owner, Shared {
  readonly link: Link;
  readonly memory = memory;
  head: Head | undefined;
  #views = new Set<View>();

  constructor(model: Model) {
    this.link = new Link(model, this);
  }

  receive(message: Incoming): void {
    const [content, buffers] = message;
    if (content["t"] === "terminal") {
      if (content["page"] !== this.link.page) return;
      const items = unpacked(content["items"], buffers);
      for (const view of this.#views) {
        if (view.session.id === content["view"]) view.receive(Number(content["n"]), items);
      }
    } else if (content["t"] === "swapped") {
      for (const view of this.#views) view.renew();
    } else {
      this.link.receive(message);
    }
  }

  put({ content }: Put): void {
    this.head = content["data"] as Head;
    for (const view of this.#views) view.head(this.head);
  }

  condition(_condition: Condition): void {
    for (const view of this.#views) view.condition();
  }

  answers(view: View): boolean {
    // one that only looks answers nothing, and so another one has to
    return [...this.#views].find(({ session }) => session.open) === view;
  }

  render({ model, el }: RenderContext): Cleanup {
    // before the view: what it says first comes from a page that is known
    this.link.view(1);
    const view = new View(model, el, this);
    this.#views.add(view);
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

const bundle: Bundle = { attach: (model) => new TerminalCopy(model) };
export default bundle;
