/** Restarting the kernel from a widget, where its host lets it: JupyterLab and Notebook 7 give a widget their session. */

import type { Model } from "./afm";

interface Session {
  session?: { kernel?: { restart(): Promise<void> } | null } | null;
}

/** Restart the kernel behind a widget; false where the host does not let a widget do it. */
export async function restartKernel(model: Model): Promise<boolean> {
  const manager = model.widget_manager as { context?: { sessionContext?: Session } } | undefined;
  const kernel = manager?.context?.sessionContext?.session?.kernel;
  if (typeof kernel?.restart !== "function") return false;
  await kernel.restart();
  return true;
}
