import assert from "node:assert/strict";
import test from "node:test";

import { kernelNow, watchKernel } from "./kernel";

class Signal {
  readonly slots = new Set<(sender: unknown, value: string) => void>();
  connect(slot: (sender: unknown, value: string) => void): boolean {
    this.slots.add(slot);
    return true;
  }
  disconnect(slot: (sender: unknown, value: string) => void): boolean {
    return this.slots.delete(slot);
  }
  emit(value: string): void {
    for (const slot of this.slots) slot(this, value);
  }
}

function host() {
  const statusChanged = new Signal();
  const connectionStatusChanged = new Signal();
  const kernelChanged = new Signal();
  const heard = new Map<string, () => void>();
  const model = {
    get: () => undefined,
    send: () => undefined,
    on: (name: string, callback: () => void) => void heard.set(name, callback),
    off: (name: string | null) => void heard.delete(String(name)),
    widget_manager: { context: { sessionContext: { statusChanged, connectionStatusChanged, kernelChanged } } },
  };
  const said: string[] = [];
  const end = new AbortController();
  watchKernel(model as never, (kernel) => said.push(kernel), end.signal);
  return { statusChanged, connectionStatusChanged, kernelChanged, heard, said, end };
}

test("a kernel that restarts has gone, and stays so for this view", () => {
  const { statusChanged, connectionStatusChanged, said } = host();
  for (const status of ["idle", "busy", "unknown"]) statusChanged.emit(status);
  assert.deepEqual(said, []);
  statusChanged.emit("restarting");
  statusChanged.emit("idle");
  connectionStatusChanged.emit("connected");
  assert.deepEqual(said, ["gone"]);
});

test("a connection that is lost comes back", () => {
  const { connectionStatusChanged, said } = host();
  connectionStatusChanged.emit("connecting");
  connectionStatusChanged.emit("connected");
  assert.deepEqual(said, ["reconnecting", "live"]);
});

test("another kernel, or a comm that was closed", () => {
  const first = host();
  first.kernelChanged.emit("");
  assert.deepEqual(first.said, ["gone"]);
  const second = host();
  second.heard.get("comm:close")?.();
  assert.deepEqual(second.said, ["gone"]);
});

test("nothing is listened to after the end", () => {
  const { statusChanged, connectionStatusChanged, kernelChanged, heard, end } = host();
  end.abort();
  assert.equal(statusChanged.slots.size + connectionStatusChanged.slots.size + kernelChanged.slots.size, 0);
  assert.equal(heard.size, 0);
});

test("a widget that is made while the way to the kernel is away knows it", () => {
  const connectionStatusChanged = new Signal();
  const session = { kernel: { connectionStatus: "connecting" } };
  const model = { on: () => undefined, off: () => undefined, widget_manager: { context: { sessionContext: { session, connectionStatusChanged } } } };
  assert.equal(kernelNow(model as never), "reconnecting");
  const said: string[] = [];
  watchKernel(model as never, (kernel) => said.push(kernel), new AbortController().signal);
  connectionStatusChanged.emit("connected");
  assert.deepEqual(said, ["live"]);
  session.kernel.connectionStatus = "connected";
  assert.equal(kernelNow(model as never), "live");
  assert.equal(kernelNow({} as never), "live");
});
