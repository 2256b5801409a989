/** Batches for tests, as the kernel sends them. */

import type { Batch } from "./store";

/** [milliseconds, source, text, flags]; what is left out is 0. */
export type Given = [millis: number, source: number, text: string | Uint8Array, flags?: number];

export function batch(first: number, given: readonly Given[]): Batch {
  const times = new Uint32Array(2 * given.length);
  const sources = new Uint32Array(given.length);
  const flags = new Uint16Array(given.length);
  const ends = new Uint32Array(given.length);
  const texts: Uint8Array[] = [];
  let end = 0;
  given.forEach(([millis, source, text, flag], at) => {
    const nanos = BigInt(Math.round(millis * 1e6));
    times[2 * at] = Number(nanos & 0xffff_ffffn);
    times[2 * at + 1] = Number(nanos >> 32n);
    sources[at] = source;
    flags[at] = flag ?? 0;
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    texts.push(bytes);
    ends[at] = end += bytes.length;
  });
  const text = new Uint8Array(end);
  let at = 0;
  for (const bytes of texts) {
    text.set(bytes, at);
    at += bytes.length;
  }
  return { first, times, sources, flags, ends, text };
}
