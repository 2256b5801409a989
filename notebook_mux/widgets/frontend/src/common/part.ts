/** Showing one widget within another's view, by the host's own widget manager. */

import type { Cleanup, Model } from "./afm";

interface Part extends Model {
  set(name: string, value: unknown): void;
}

interface PartView {
  el: HTMLElement;
  remove(): void;
  trigger?(name: string): void;
}

/** What JupyterLab's, Voilà's and VS Code's managers have in common. */
interface Manager {
  get_model(id: string): Promise<Part>;
  create_view(model: Part, options: object): Promise<PartView>;
}

export const NO_PARTS = "This host cannot show one widget within another's view.";

/**
 * Put a view of the widget with this id behind what an element has; returns what removes it. On a slow page it is empty
 * for some seconds.
 *
 * Throws where the host cannot, or there is no such widget. `ended` is called when the kernel closes the widget.
 */
export async function showPart(model: Model, id: string, into: HTMLElement, ended: () => void): Promise<Cleanup> {
  const manager = model.widget_manager as Partial<Manager> | undefined;
  if (typeof manager?.get_model !== "function" || typeof manager.create_view !== "function") throw new Error(NO_PARTS);
  const part = await manager.get_model(id);
  part.set("_copy", ""); // a page that was slow to make it may have missed the kernel's word that it has none
  const view = await manager.create_view(part, {});
  into.append(view.el);
  view.trigger?.("displayed");
  part.on("comm:close", ended);
  return () => {
    part.off("comm:close", ended);
    view.remove();
  };
}
