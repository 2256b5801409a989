/** A view's input: numbered, sent within what the gateway allows, and remembered until it is known to have come. */

import { joined, stdinFrame } from "./frames";

/** Bytes of one frame: small pieces, so that a key typed behind a long paste does not wait for all of it. */
const PIECE_BYTES = 16 * 1024;

export class Input {
  /** Bytes sent so far, which is the number of the next one. */
  #sent = 0;
  /** Bytes that the gateway has taken for certain. */
  #certain = 0;
  #credit = 0;
  #waiting: Uint8Array[] = [];
  /** What was sent and may not have come. */
  #unsure: Uint8Array[] = [];

  add(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#waiting.push(bytes);
  }

  /** The gateway has taken `bytes` more, and lets as many more be sent. */
  allow(bytes: number): void {
    this.#credit += bytes;
    this.#confirm(Math.min(this.#sent, this.#certain + bytes));
  }

  /** Frames to send now. */
  take(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    while (this.#credit > 0 && this.#waiting.length > 0) {
      const first = this.#waiting[0] as Uint8Array;
      const piece = first.subarray(0, Math.min(PIECE_BYTES, this.#credit));
      if (piece.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(piece.length);
      frames.push(stdinFrame(this.#sent, piece));
      this.#unsure.push(piece);
      this.#sent += piece.length;
      this.#credit -= piece.length;
    }
    return frames;
  }

  /**
   * A stream of this view begins, of whose input `taken` bytes have come.
   *
   * Returns what was sent and has not come: it must never be sent again, for what it would mean now nobody knows. What
   * waited behind it goes with it.
   */
  begin(taken: number, credit: number): Uint8Array {
    this.#confirm(Math.min(taken, this.#sent));
    const lost = taken < this.#sent ? joined([...this.#unsure, ...this.#waiting]) : new Uint8Array();
    if (lost.length > 0) this.#waiting = [];
    this.#unsure = [];
    this.#sent = this.#certain = taken;
    this.#credit = credit;
    return lost;
  }

  /** The way is cut: nothing may be sent before `begin`. Returns what waited. */
  cut(): Uint8Array {
    this.#credit = 0;
    return this.drop();
  }

  /** Forget what waits to be sent, and return it. */
  drop(): Uint8Array {
    const left = joined(this.#waiting);
    this.#waiting = [];
    return left;
  }

  #confirm(certain: number): void {
    let known = certain - this.#certain;
    this.#certain = Math.max(this.#certain, certain);
    while (known > 0 && this.#unsure.length > 0) {
      const first = this.#unsure[0] as Uint8Array;
      if (first.length > known) this.#unsure[0] = first.subarray(known);
      else this.#unsure.shift();
      known -= first.length;
    }
  }
}
