/**
 * One view of a terminal, without a page, a socket or a clock: items in, items and words out. The way below may change
 * at any moment (the comm, a WebSocket of the page's own) and the same bytes go on.
 *
 * What comes is taken in strict order. Most is handed to the screen at once; what a screen must have drawn before (a
 * quiet line, the end of what is shown again) holds the rest back until it has.
 */

import {
  decode, ERROR, type Item, parseFrame, parseObject, type RunEvent, STDERR, STDOUT, STREAM, VIEW,
  type ViewEvent,
} from "./frames";
import { Input } from "./input";

/** What was drawn is granted again in quarters of the window, so that the gateway never waits for a round trip. */
const GRANTS = 4;

/** What draws for a session. */
export interface Screen {
  /** Draw; `done` when it is parsed. Calls are drawn in their order. */
  write(data: Uint8Array | string, done: () => void): void;
  /** Everything will be shown again: begin with an empty screen. */
  clear(): void;
  /** Something happened to the program. Called when all before it is drawn. */
  event(event: RunEvent): void;
  /** So many bytes were left out here. Called when all before it is drawn. */
  skipped(bytes: number): void;
  /** The size in force has changed. */
  sized(columns: number, rows: number): void;
  /** This was typed and has not been sent, nor will it be. */
  notSent(text: string): void;
  /** So many bytes of what was typed were refused, and why. */
  refused(bytes: number, why: string): void;
  /** The session's condition has changed. */
  changed(): void;
}

/** What carries items, in order. It says nothing back but through `Session.receive` and `Session.cut`. */
export interface Way {
  /** Bytes that may be on their way to a view, all of which come before what a Ctrl-C brings. */
  readonly window: number;
  send(items: Item[]): void;
}

/** `away`: no way; `asked`: the view is asked for; `shown`: it is there; `refused`: it cannot be. */
export type Phase = "away" | "asked" | "shown" | "refused";

export class Session {
  phase: Phase = "away";
  /** What comes is new, and may be answered. */
  live = false;
  /** Size in force; 0 before it is known. */
  columns = 0;
  rows = 0;
  /** Seconds that the terminal is kept when nobody looks. */
  kept = 0;
  /** The last event of the program, undefined before the first. */
  run: RunEvent | undefined;
  /** Why it is refused, or why it is away. */
  reason = "";
  /** Unix seconds of the next try where it is away, 0 where none is known. */
  retryAt = 0;
  /** Input of any kind is dropped here, replies too. */
  readonly = false;
  readonly id: string;
  #screen: Screen;
  #soon: (task: () => void) => void;
  #way: Way | undefined;
  #place = -1;
  #drawn = false;
  /** This terminal has taken what was typed here before. */
  #met = false;
  #holding = false;
  #size = { columns: 0, rows: 0 };
  #input = new Input();
  #out: Item[] = [];
  #scheduled = false;
  #incoming: Item[] = [];
  #held = false;
  /** Counts streams: what is drawn of an earlier one earns no credit on this one. */
  #stream = 0;
  #taken = 0;
  #whole = true;

  constructor(id: string, screen: Screen, soon: (task: () => void) => void = (task) => queueMicrotask(task)) {
    this.id = id;
    this.#screen = screen;
    this.#soon = soon;
  }

  /** The place in the output that was come to; -1 before anything. */
  get place(): number {
    return this.#place;
  }

  /** Whether what is typed now reaches the program. */
  get open(): boolean {
    return this.phase === "shown" && this.live && !this.readonly && this.#running;
  }

  /** Whether a program is there, as far as is known: what told of it may not be kept any more. */
  get #running(): boolean {
    return this.run === undefined || this.run.state === "running";
  }

  // --- the way ------------------------------------------------------------------------------------------------------

  /**
   * Look at the terminal on this way, from where it was left.
   *
   * @param more Fields of the `view` message that this way needs, such as a ticket.
   */
  connect(way: Way, more: Record<string, string> = {}): void {
    if (this.phase !== "away" && this.#way !== undefined && this.#way !== way) this.#leave();
    this.#way = way;
    this.#holding = false;
    this.#incoming = [];
    this.#begin();
    this.phase = "asked";
    this.#whole = this.#place < 0;
    this.#send(
      JSON.stringify({
        type: "view", stream: STREAM, terminal: "", ...more, view: this.id, columns: this.#size.columns,
        rows: this.#size.rows, credit: way.window, received: this.#place,
      }),
    );
    this.#screen.changed();
  }

  /** The way is cut: what was typed and has not been sent is not sent. */
  cut(reason = ""): void {
    this.#incoming = [];
    this.#way = undefined;
    this.#away("away", reason, 0);
  }

  /** Stop looking; `connect` goes on. */
  leave(reason = ""): void {
    if (this.#way !== undefined && this.phase !== "away") this.#leave();
    this.cut(reason);
  }

  /** Another terminal is looked at from now on: nothing of this one counts for it. */
  forget(): void {
    this.leave();
    this.#anew();
  }

  #anew(): void {
    this.#met = false;
    this.#place = -1;
    this.#input = new Input();
    this.run = undefined;
  }

  #leave(): void {
    this.#flush();
    this.#way?.send([JSON.stringify({ type: "unsubscribe", stream: STREAM })]);
  }

  #begin(): void {
    this.#stream += 1;
    this.#taken = 0;
    this.#held = false;
    this.#out = [];
    this.live = false;
    this.reason = "";
    this.retryAt = 0;
  }

  #away(phase: Phase, reason: string, retryAt: number): void {
    this.#begin();
    this.phase = phase;
    this.reason = reason;
    this.retryAt = retryAt;
    this.#tellLost(this.#input.cut());
    this.#screen.changed();
  }

  // --- to the gateway -----------------------------------------------------------------------------------------------

  /** Send what was typed or pasted; false where it was not, of which the caller tells. */
  type(bytes: Uint8Array): boolean {
    // while the way changes it is held back: nothing is lost by waiting for the new one
    const changing = this.phase === "asked" || (this.phase === "shown" && !this.live);
    const going = changing && this.#met && this.#running && !this.readonly;
    if (!this.open && !going) return false;
    this.#input.add(bytes);
    this.#pump();
    return true;
  }

  /** Pass on what the terminal says, of itself too; false where nobody asked, as in what is shown again. */
  reply(bytes: Uint8Array): boolean {
    return this.open && this.type(bytes);
  }

  /** The view's size; 0 by 0 has no say. */
  resize(columns: number, rows: number): void {
    if (columns === this.#size.columns && rows === this.#size.rows) return;
    this.#size = { columns, rows };
    if (this.phase === "asked" || this.phase === "shown") this.#say({ type: "size", columns, rows });
  }

  /** Send nothing of what is typed until the next `connect`, which goes on with it, or `release`. */
  hold(): void {
    this.#flush();
    this.#holding = true;
  }

  release(): void {
    this.#holding = false;
    this.#pump();
  }

  #pump(): void {
    if (!this.open || this.#holding) return;
    for (const frame of this.#input.take()) this.#send(frame);
  }

  #say(message: Record<string, unknown>): void {
    this.#send(JSON.stringify({ ...message, stream: STREAM }));
  }

  /** Items of one moment go together. */
  #send(item: Item): void {
    this.#out.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#soon(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const items = this.#out;
    this.#out = [];
    if (items.length > 0) this.#way?.send(items);
  }

  // --- from the gateway ---------------------------------------------------------------------------------------------

  /** Take in what a way brings; what comes on any but the present way is ignored. */
  receive(way: Way, items: readonly Item[]): void {
    if (way !== this.#way) return;
    this.#incoming.push(...items);
    this.#work();
  }

  #work(): void {
    while (!this.#held && this.#incoming.length > 0) {
      const item = this.#incoming.shift() as Item;
      if (typeof item === "string") this.#control(parseObject(item));
      else this.#frame(item);
    }
  }

  #control(message: Record<string, unknown>): void {
    const stream = message["stream"] ?? STREAM;
    if (stream !== STREAM) return;
    if (message["type"] === "shown") this.#shown(message);
    else if (message["type"] === "credit") {
      this.#input.allow(Number(message["bytes"] ?? 0));
      this.#pump();
    } else if (message["type"] === "ended") {
      const words = [message["what"], message["said"], message["todo"]].filter((word) => word);
      this.#away("refused", words.join(": "), 0);
    } else if (message["type"] === "offline") {
      this.#away("away", String(message["reason"] ?? ""), Number(message["retry_at"] ?? 0));
    } else if (message["type"] === "renewed" && this.#way !== undefined) {
      // the kernel has another terminal in this one's place
      this.#tellLost(this.#input.drop());
      this.#anew();
      this.connect(this.#way);
    }
  }

  #shown(message: Record<string, unknown>): void {
    const place = Number(message["place"] ?? 0);
    if ((this.#whole || place < this.#place) && this.#drawn) {
      this.#drawn = false;
      this.#screen.clear();
    }
    this.#whole = false;
    this.#place = place;
    this.phase = "shown";
    this.live = false;
    this.kept = Number(message["kept"] ?? 0);
    this.#tellLost(this.#input.begin(Number(message["taken"] ?? 0), Number(message["credit"] ?? 0)));
    const opened = Number(message["opened"] ?? 1);
    // the kernel opened this stream by itself: it takes no input that may have been numbered for the one before
    if (opened > 1) this.#say({ type: "seen", opened });
    this.#sized(Number(message["columns"] ?? 0), Number(message["rows"] ?? 0));
    this.#screen.changed();
  }

  #frame(bytes: Uint8Array): void {
    const parsed = parseFrame(bytes);
    if (parsed === undefined || parsed.stream !== STREAM) return;
    const { channel, payload } = parsed;
    if (channel === STDOUT || channel === STDERR) {
      this.#place += payload.length;
      this.#drawn = true;
      const stream = this.#stream;
      this.#screen.write(payload, () => this.#earned(stream, bytes.length));
    } else if (channel === ERROR) {
      this.#afterDrawing(bytes.length, () => {
        this.#place += payload.length;
        this.#event(parseObject(payload) as unknown as RunEvent);
      });
    } else if (channel === VIEW) {
      this.#view(parseObject(payload) as ViewEvent, bytes.length);
    } else {
      this.#earned(this.#stream, bytes.length);
    }
  }

  #view(event: ViewEvent, cost: number): void {
    if (event.restore !== undefined) {
      const { restore, state } = event;
      this.#drawn = true;
      this.#afterDrawing(cost, () => {
        this.#screen.write(restore, () => undefined);
        if (state !== undefined) this.#event(state);
      });
    } else if (event.skipped !== undefined) {
      const { skipped, place } = event;
      this.#afterDrawing(cost, () => {
        this.#place = place ?? this.#place;
        this.#drawn = true;
        this.#screen.skipped(skipped);
      });
    } else if (event.refused !== undefined) {
      this.#screen.refused(event.refused, [event.what, event.todo].filter((word) => word).join(" · "));
      this.#earned(this.#stream, cost);
    } else if (event.live === true) {
      this.#afterDrawing(cost, () => {
        this.live = this.#met = true;
        this.#pump();
        this.#screen.changed();
      });
    } else {
      this.#sized(event.columns ?? 0, event.rows ?? 0);
      this.#earned(this.#stream, cost);
    }
  }

  #event(told: RunEvent): void {
    const before = this.run;
    // told again: what was tried first was not there
    const instead = told.state === "running" && before?.state === "running" && before.run === told.run;
    const event = instead ? { ...told, instead } : told;
    this.run = event;
    this.#drawn = true;
    if (event.state !== "running") this.#tellLost(this.#input.drop());
    this.#screen.event(event);
    this.#pump();
    this.#screen.changed();
  }

  /** Do this when all before it is drawn, and everything behind it only then. */
  #afterDrawing(cost: number, task: () => void): void {
    const stream = this.#stream;
    this.#held = true;
    this.#screen.write("", () => {
      if (stream !== this.#stream) return;
      this.#held = false;
      task();
      this.#earned(stream, cost);
      this.#work();
    });
  }

  #earned(stream: number, cost: number): void {
    if (stream !== this.#stream) return;
    this.#taken += cost;
    if (this.#taken < (this.#way?.window ?? 0) / GRANTS) return;
    this.#say({ type: "credit", bytes: this.#taken });
    this.#taken = 0;
  }

  #sized(columns: number, rows: number): void {
    if (columns <= 0 || rows <= 0) return;
    this.columns = columns;
    this.rows = rows;
    this.#screen.sized(columns, rows);
  }

  #tellLost(lost: Uint8Array): void {
    if (lost.length > 0) this.#screen.notSent(decode(lost));
  }
}
