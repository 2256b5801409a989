/** Showing one widget within another's view, by the host's own widget manager. */

import type { Cleanup, Model } from "./afm";

interface PartView {
  el: HTMLElement;
  remove(): void;
  trigger?(name: string): void;
}

/** What JupyterLab's, Voilà's and VS Code's managers have in common. */
interface Manager {
  get_model(id: string): Promise<Model>;
  create_view(model: Model, options: object): Promise<PartView>;
}

export const NO_PARTS = "This host cannot show one widget within another's view.";

/**
 * Put a view of the widget with this id into an element; returns what removes it.
 *
 * Throws where the host cannot, or there is no such widget. `ended` is called when the kernel closes the widget.
 */
export async function showPart(model: Model, id: string, into: HTMLElement, ended: () => void): Promise<Cleanup> {
  const manager = model.widget_manager as Partial<Manager> | undefined;
  if (typeof manager?.get_model !== "function" || typeof manager.create_view !== "function") throw new Error(NO_PARTS);
  const part = await manager.get_model(id);
  const view = await manager.create_view(part, {});
  into.replaceChildren(view.el);
  view.trigger?.("displayed");
  part.on("comm:close", ended);
  return () => {
    part.off("comm:close", ended);
    view.remove();
  };
}
