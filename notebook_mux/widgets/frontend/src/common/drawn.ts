/** What the status and forwards have in common: each message has the whole state, and each second is drawn. */

import type { Cleanup, Model, RenderContext } from "./afm";
import { element, setText } from "./dom";
import { type Condition, Link, type Owner, type Put } from "./link";
import type { Copy, Incoming } from "./registry";

const TICK_MS = 1000;

export interface Drawable {
  draw(): void;
  dispose(): void;
}

/** A copy with any number of views, drawn with each message and each second while the page is visible. */
export abstract class Drawn<V extends Drawable> implements Copy, Owner {
  readonly link: Link;
  #views = new Set<V>();
  #timer: ReturnType<typeof setInterval>;

  constructor(model: Model) {
    this.link = new Link(model, this);
    this.#timer = setInterval(() => {
      this.tick();
      if (document.visibilityState !== "hidden") this.draw();
    }, TICK_MS);
  }

  abstract put(put: Put): void;

  /** A second has passed. */
  protected abstract tick(): void;

  protected abstract view(model: Model, el: HTMLElement): V;

  receive(message: Incoming): void {
    this.link.receive(message);
  }

  condition(_condition: Condition): void {
    this.draw();
  }

  render({ model, el }: RenderContext): Cleanup {
    const view = this.view(model, el);
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

  protected draw(): void {
    for (const view of this.#views) view.draw();
  }
}

/** What a button does and says. */
export interface Asked {
  text: string;
  what: string;
  title: string;
}

/** A button that has the kernel do something, and an element that says what came of it. */
export function askingButton(
  { text, what, title }: Asked,
  { link, view, said, signal }: { link: Link; view: string; said: HTMLElement; signal: AbortSignal },
): HTMLButtonElement {
  const made = element("button", { type: "button", title }, text);
  made.addEventListener(
    "click",
    () => {
      setText(said, "…");
      void link.ask({ t: "do", what, view }).then((answer) => {
        setText(said, String(answer.ok ? (answer["said"] ?? "") : answer.error));
      });
    },
    { signal },
  );
  return made;
}
