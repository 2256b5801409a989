/**
 * The two ways between a page and a terminal, with the same items on both: custom messages of the widget's comm, and a
 * WebSocket to the gateway through the Jupyter server's own origin.
 */

import type { Item } from "./frames";
import type { Way } from "./session";

export const PROTOCOL = "notebook-mux.terminal.v1";

/** Sends a custom message to the kernel. */
export type Tell = (content: Record<string, unknown>, buffers: ArrayBuffer[]) => void;

/** Items as a custom message has them: JSON in place, frames as places in the buffers. */
export function packed(items: readonly Item[]): { items: (string | number)[]; buffers: ArrayBuffer[] } {
  const buffers: ArrayBuffer[] = [];
  const places = items.map((item) => {
    if (typeof item === "string") return item;
    // a copy: a frame may be a part of a larger buffer
    return buffers.push(item.slice().buffer as ArrayBuffer) - 1;
  });
  return { items: places, buffers };
}

/** The same read back; what is out of range is left out. */
export function unpacked(items: unknown, buffers: readonly DataView[]): Item[] {
  if (!Array.isArray(items)) return [];
  const found: Item[] = [];
  for (const item of items) {
    if (typeof item === "string") found.push(item);
    const view = typeof item === "number" ? buffers[item] : undefined;
    if (view !== undefined) found.push(new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength));
  }
  return found;
}

export class CommWay implements Way {
  readonly name = "comm";
  /** A message takes 50 ms there and back where the server waits to fill a packet. */
  readonly window = 1024 * 1024;
  #view: string;
  #tell: Tell;
  /** The number of the next message; the kernel counts from 0 at each `view`. */
  #next = 0;

  constructor(view: string, tell: Tell) {
    this.#view = view;
    this.#tell = tell;
  }

  send(items: Item[]): void {
    if (items.some((item) => typeof item === "string" && item.startsWith('{"type":"view"'))) this.#next = 0;
    const { items: places, buffers } = packed(items);
    this.#tell({ t: "terminal", view: this.#view, items: places }, buffers);
  }

  /** Whether to take the kernel's message of this number, or one before it is missing; `old` is of an earlier stream. */
  accept(number: number): "take" | "old" | "gap" {
    if (number === this.#next) {
      this.#next += 1;
      return "take";
    }
    return this.#next === 0 || number < this.#next ? "old" : "gap";
  }
}

/** The part of a WebSocket that is used here. */
export interface Socket {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export class DirectWay implements Way {
  readonly name = "direct";
  /** With a quarter of it `cat` takes a sixth longer; a Ctrl-C does not wait for what is behind it. */
  readonly window = 1024 * 1024;
  receive: (items: Item[]) => void = () => undefined;
  closed: () => void = () => undefined;
  #socket: Socket;
  #open = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      this.receive([typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer)]);
    };
    socket.onclose = () => this.#ended();
    socket.onerror = () => this.#ended();
  }

  /** A way whose socket has been opened within `limit` ms; undefined where it cannot be. */
  static open(url: string, make: (url: string, protocol: string) => Socket, limit: number): Promise<DirectWay | undefined> {
    return new Promise((resolve) => {
      let socket: Socket;
      try {
        socket = make(url, PROTOCOL);
      } catch {
        resolve(undefined); // forbidden by the page's policy
        return;
      }
      socket.binaryType = "arraybuffer";
      const fail = () => {
        clearTimeout(timer);
        socket.onopen = socket.onclose = socket.onerror = null;
        socket.close();
        resolve(undefined);
      };
      const timer = setTimeout(fail, limit);
      socket.onclose = socket.onerror = fail;
      socket.onopen = () => {
        clearTimeout(timer);
        resolve(new DirectWay(socket));
      };
    });
  }

  send(items: Item[]): void {
    if (!this.#open) return;
    for (const item of items) this.#socket.send(typeof item === "string" ? item : (item as Uint8Array<ArrayBuffer>));
  }

  close(): void {
    this.#open = false;
    this.#socket.onclose = this.#socket.onerror = this.#socket.onmessage = null;
    this.#socket.close();
  }

  #ended(): void {
    if (!this.#open) return;
    this.close();
    this.closed();
  }
}

/** Where the gateway's port is on the Jupyter server's origin; undefined where the page does not know its server. */
export function directUrl(page: { origin: string; config: string | null }, port: number, path: string): string | undefined {
  if (page.config === null || !page.origin.startsWith("http")) return undefined;
  try {
    const base = (JSON.parse(page.config) as { baseUrl?: unknown }).baseUrl;
    if (typeof base !== "string") return undefined;
    const url = new URL(`${base.replace(/\/*$/, "/")}proxy/${port}${path}`, page.origin);
    if (url.origin !== page.origin) return undefined;
    return url.href.replace(/^http/, "ws");
  } catch {
    return undefined;
  }
}
