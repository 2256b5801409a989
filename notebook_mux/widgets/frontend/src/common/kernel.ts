/**
 * Whether the kernel behind a widget is there. A kernel that restarts or dies tells a view nothing, so the host's own
 * account of it is watched: JupyterLab's signals where the widget manager has them, and the model's comm everywhere.
 */

import type { Model } from "./afm";

export type Kernel = "live" | "reconnecting" | "gone";

interface Signal<T> {
  connect(slot: (sender: unknown, value: T) => void): boolean;
  disconnect(slot: (sender: unknown, value: T) => void): boolean;
}

interface Source {
  connectionStatus?: string;
  session?: { kernel?: { connectionStatus?: string } | null } | null;
  statusChanged?: Signal<string>;
  connectionStatusChanged?: Signal<string>;
  kernelChanged?: Signal<unknown>;
}

/** Statuses after which this widget's kernel will not come back: the next one has other comms. */
const GONE = new Set(["restarting", "autorestarting", "dead", "terminating"]);

function sources(manager: unknown): Source[] {
  const known = manager as
    | { kernel?: Source; context?: { sessionContext?: Source }; _kernel?: Source }
    | undefined;
  const found: Source[] = [];
  try {
    if (known?.context?.sessionContext) found.push(known.context.sessionContext);
    else if (known?.kernel) found.push(known.kernel);
  } catch {
    // a host whose getters throw before it is ready: the comm's own events are left
  }
  return found;
}

/** How it is now: a widget may be made while the way to the kernel is away. */
export function kernelNow(model: Model): Kernel {
  const away = sources(model.widget_manager).some((source) => {
    const status = source.session?.kernel?.connectionStatus ?? source.connectionStatus;
    return status !== undefined && status !== "connected";
  });
  return away ? "reconnecting" : "live";
}

export function watchKernel(model: Model, changed: (kernel: Kernel) => void, signal: AbortSignal): void {
  let now = kernelNow(model);
  const say = (next: Kernel) => {
    if (now === "gone" || next === now) return;
    now = next;
    changed(next);
  };
  const onStatus = (_: unknown, status: string) => {
    if (GONE.has(status)) say("gone");
  };
  const onConnection = (_: unknown, status: string) => say(status === "connected" ? "live" : "reconnecting");
  const onKernel = () => say("gone");
  for (const source of sources(model.widget_manager)) {
    const { statusChanged, connectionStatusChanged, kernelChanged } = source;
    statusChanged?.connect(onStatus);
    connectionStatusChanged?.connect(onConnection);
    kernelChanged?.connect(onKernel);
    signal.addEventListener("abort", () => {
      statusChanged?.disconnect(onStatus);
      connectionStatusChanged?.disconnect(onConnection);
      kernelChanged?.disconnect(onKernel);
    });
  }
  const closed = () => say("gone");
  model.on("comm:close", closed);
  signal.addEventListener("abort", () => model.off("comm:close", closed));
}
