/**
 * Where a widget's stub and its kind's bundle find each other in a page, in whichever order they come.
 * The key is the bundle's hash: several versions, several kernels and several notebooks share one page.
 */

import type { Cleanup, Model, RenderContext } from "./afm";

/** What a custom message carries. */
export type Incoming = [content: Record<string, unknown>, buffers: DataView[]];

/** A page's copy of one widget. */
export interface Copy {
  receive(message: Incoming): void;
  render(context: RenderContext): Cleanup;
  dispose(): void;
}

/** What a bundle exports. */
export interface Bundle {
  attach(model: Model): Copy;
}

export interface Slot {
  bundle: Promise<Bundle>;
  resolve(bundle: Bundle | PromiseLike<Bundle>): void;
  asked: boolean;
}

const KEY = Symbol.for("notebook-mux.bundles.1");

export function slot(hash: string): Slot {
  const page = globalThis as unknown as Record<symbol, Map<string, Slot> | undefined>;
  const slots = (page[KEY] ??= new Map<string, Slot>());
  let found = slots.get(hash);
  if (found === undefined) {
    let resolve: Slot["resolve"] = () => undefined;
    const bundle = new Promise<Bundle>((done) => (resolve = done));
    found = { bundle, resolve, asked: false };
    slots.set(hash, found);
  }
  return found;
}
