/** What a page and a gateway say of one terminal: JSON messages and frames, see "Terminals" in wire/PROTOCOL.md. */

/** A control message as JSON, or a frame. */
export type Item = string | Uint8Array;

/** The stream of a page's only view, on either way. */
export const STREAM = 1;

export const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;
export const ERROR = 3;
export const VIEW = 20;

/** Bytes before a frame's payload: the stream's id and the channel. Credit is for these too. */
export const HEAD_BYTES = 5;

const NUMBER_BYTES = 8;

export interface Frame {
  stream: number;
  channel: number;
  payload: Uint8Array;
}

/** What a gateway says of a run of the terminal's program, on `ERROR`. `at` is in Unix seconds. */
export interface RunEvent {
  run: number;
  state: "starting" | "running" | "ended" | "lost";
  at: number;
  command?: string[];
  code?: number | string | null;
  message?: string;
  what?: string;
  said?: string;
  todo?: string;
  /** Ours: another command was tried before, and was not there. */
  instead?: boolean;
}

/** What a gateway says of a view, on `VIEW`. */
export interface ViewEvent {
  live?: boolean;
  skipped?: number;
  place?: number;
  restore?: string;
  /** With `restore`: the last event of a run, where what told of it is not kept any more. */
  state?: RunEvent;
  /** Bytes of input that were not passed on, and `what` and `todo`. */
  refused?: number;
  what?: string;
  todo?: string;
  columns?: number;
  rows?: number;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The frame in these bytes; undefined where they are none. The payload is no copy. */
export function parseFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { stream: view.getUint32(0), channel: bytes[4] ?? 0, payload: bytes.subarray(HEAD_BYTES) };
}

/** A frame of input: `number` is how many bytes of this view's input come before. */
export function stdinFrame(number: number, input: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + NUMBER_BYTES + input.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, STREAM);
  bytes[4] = STDIN;
  view.setBigUint64(HEAD_BYTES, BigInt(number));
  bytes.set(input, HEAD_BYTES + NUMBER_BYTES);
  return bytes;
}

/** A frame of any channel. */
export function frame(channel: number, payload: Uint8Array | string): Uint8Array {
  const content = typeof payload === "string" ? encoder.encode(payload) : payload;
  const bytes = new Uint8Array(HEAD_BYTES + content.length);
  new DataView(bytes.buffer).setUint32(0, STREAM);
  bytes[4] = channel;
  bytes.set(content, HEAD_BYTES);
  return bytes;
}

/** The JSON object in a frame or message; an empty one where it is none. */
export function parseObject(data: Item): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(typeof data === "string" ? data : decoder.decode(data));
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function encode(text: string): Uint8Array {
  return encoder.encode(text);
}

export function decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Bytes that xterm.js gives as a string with one character each, as it does for old mouse reports. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
