/** For tests: a gateway's side of one terminal, and a screen that keeps what is drawn. */

import {
  decode, encode, ERROR, frame, type Item, joined, parseFrame, parseObject, type RunEvent, STDIN, STDOUT, VIEW,
} from "./frames";
import type { Screen, Way } from "./session";

const NUMBER = 8;
export const INPUT_CREDIT = 64;

/** A terminal with all it has shown; each `view` is answered as the protocol says. */
export class FakeGateway {
  readonly ring: [channel: number, payload: Uint8Array][] = [];
  /** Input taken, by view. */
  readonly taken = new Map<string, Uint8Array[]>();
  readonly views: Record<string, unknown>[] = [];
  readonly sizes: Record<string, unknown>[] = [];
  granted = 0;
  /** Bytes of input that a view may send; each piece is granted anew when it has come. */
  room = INPUT_CREDIT;
  /** What is not kept any more, from the beginning. */
  dropped = 0;

  print(data: string | Uint8Array, channel = STDOUT): Uint8Array {
    const payload = typeof data === "string" ? encode(data) : data;
    this.ring.push([channel, payload]);
    return frame(channel, payload);
  }

  happen(event: Partial<RunEvent>): Uint8Array {
    return this.print(JSON.stringify({ run: 1, at: 1, ...event }), ERROR);
  }

  input(view: string): string {
    return decode(joined(this.taken.get(view) ?? []));
  }

  /** The answer to one item of a page. */
  answer(item: Item, view: string): Item[] {
    if (typeof item !== "string") return this.#stdin(item, view);
    const message = parseObject(item);
    if (message["type"] === "view") return this.#view(message);
    if (message["type"] === "size") this.sizes.push(message);
    if (message["type"] === "credit") this.granted += Number(message["bytes"]);
    return [];
  }

  #view(message: Record<string, unknown>): Item[] {
    this.views.push(message);
    const place = Math.max(Number(message["received"]), this.dropped);
    const view = String(message["view"]);
    const taken = joined(this.taken.get(view) ?? []).length;
    const answer: Item[] = [
      JSON.stringify({ type: "shown", stream: 1, place, taken, credit: this.room, columns: 80, rows: 24, kept: 600 }),
    ];
    let at = 0;
    for (const [channel, payload] of this.ring) {
      const from = Math.max(0, place - at);
      at += payload.length;
      if (from < payload.length) answer.push(frame(channel, payload.subarray(from)));
    }
    answer.push(frame(VIEW, JSON.stringify({ live: true })));
    return answer;
  }

  #stdin(bytes: Uint8Array, view: string): Item[] {
    const parsed = parseFrame(bytes);
    if (parsed?.channel !== STDIN) throw new Error("a page has only input");
    const number = Number(new DataView(parsed.payload.buffer, parsed.payload.byteOffset).getBigUint64(0));
    const pieces = this.taken.get(view) ?? [];
    const have = joined(pieces).length;
    if (number > have) throw new Error(`input from ${number} on, where ${have} have come`);
    const data = parsed.payload.slice(NUMBER + have - number);
    this.taken.set(view, [...pieces, data]);
    return [JSON.stringify({ type: "credit", stream: 1, bytes: data.length })];
  }
}

/** A way to a gateway that answers at once, or when told. */
export class FakeWay implements Way {
  readonly window = 1024 * 1024;
  readonly sent: Item[] = [];
  gateway: FakeGateway | undefined;
  answer: (items: Item[]) => void = () => undefined;
  view = "";

  constructor(gateway?: FakeGateway) {
    this.gateway = gateway;
  }

  send(items: Item[]): void {
    this.sent.push(...items);
    if (this.gateway === undefined) return;
    for (const item of items) {
      if (typeof item === "string" && parseObject(item)["type"] === "view") this.view = String(parseObject(item)["view"]);
      const said = this.gateway.answer(item, this.view);
      if (said.length > 0) this.answer(said);
    }
  }

  /** The control messages so far, of one type. */
  of(type: string): Record<string, unknown>[] {
    return this.sent
      .filter((item): item is string => typeof item === "string")
      .map(parseObject)
      .filter((message) => message["type"] === type);
  }

  get input(): string {
    const frames = this.sent.filter((item): item is Uint8Array => typeof item !== "string");
    return decode(joined(frames.map((bytes) => bytes.subarray(5 + NUMBER))));
  }
}

/** Draws into text. `parse` says when what was written is parsed: at once, or when a test calls `settle`. */
export class FakeScreen implements Screen {
  drawn: Uint8Array[] = [];
  readonly events: RunEvent[] = [];
  readonly marks: string[] = [];
  readonly unsent: string[] = [];
  lazy = false;
  cleared = 0;
  changes = 0;
  #waiting: (() => void)[] = [];

  get text(): string {
    return decode(joined(this.drawn));
  }

  write(data: Uint8Array | string, done: () => void): void {
    this.drawn.push(typeof data === "string" ? encode(data) : data.slice());
    if (this.lazy) this.#waiting.push(done);
    else done();
  }

  settle(): void {
    while (this.#waiting.length > 0) this.#waiting.shift()?.();
  }

  clear(): void {
    this.cleared += 1;
    this.drawn = [];
  }

  event(event: RunEvent): void {
    this.events.push(event);
    this.marks.push(`${event.state} at ${this.text.length}`);
  }

  skipped(bytes: number): void {
    this.marks.push(`skipped ${bytes}`);
  }

  sized(columns: number, rows: number): void {
    this.marks.push(`${columns}x${rows}`);
  }

  notSent(text: string): void {
    this.unsent.push(text);
  }

  refused(bytes: number, why: string): void {
    this.marks.push(`refused ${bytes}: ${why}`);
  }

  changed(): void {
    this.changes += 1;
  }
}
