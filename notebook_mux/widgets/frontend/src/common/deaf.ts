/**
 * anywidget gives a model up whose initialisation took two seconds, which a page that is busy loading can take, and from
 * then on drops every message to it without a word. Then the model's comm is led past it, to ipywidgets' own handler.
 */

import type { Model } from "./afm";

interface Handler {
  _handle_comm_msg?(message: unknown): unknown;
}

interface RealModel extends Handler {
  comm?: { on_msg?(callback: (message: unknown) => unknown): void };
}

interface Manager {
  get_model?(id: string): Promise<RealModel>;
}

/** A message that no handler does anything with; anywidget passes it on or refuses it as any other. */
const NOTHING = { content: { data: { method: "nothing" } } };

/**
 * Have messages to a model heard, whether anywidget has given it up or not.
 *
 * Not to be waited for in `initialize`: until that has ended, anywidget keeps every message back.
 */
export async function hearAgain(model: Model): Promise<void> {
  try {
    const manager = model.widget_manager as Manager | undefined;
    const real = await manager?.get_model?.(String(model.get("_id")));
    if (real?.comm?.on_msg === undefined) return;
    const own = Object.getPrototypeOf(real) as Handler;
    const inherited = Object.getPrototypeOf(own) as Handler;
    // where anywidget has no handler of its own there is nothing to lead past
    if (!Object.hasOwn(own, "_handle_comm_msg") || inherited._handle_comm_msg === undefined) return;
    const handle = inherited._handle_comm_msg;
    try {
      await own._handle_comm_msg?.call(real, NOTHING);
    } catch {
      real.comm.on_msg((message) => handle.call(real, message));
    }
  } catch {
    // another host, or a model that has gone: then it stays as it is
  }
}
