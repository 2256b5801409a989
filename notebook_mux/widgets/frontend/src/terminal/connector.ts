/**
 * Which way a view's session goes: the comm at once, for it is always there, and the page's own WebSocket as soon as
 * that is found to work. What goes wrong with the second is no matter: the first takes over where it stood.
 */

import type { Item } from "./frames";
import type { Session } from "./session";
import { CommWay, DirectWay, directUrl, type Socket, type Tell } from "./ways";

/** For the WebSocket to open, and again for the terminal to be shown on it. */
const LIMIT_MS = 5_000;

/** How long what was typed on the comm may take to the gateway before the way changes: longer is behind a busy cell. */
const HEARD_MS = 1_000;

/** Before the page's WebSocket is tried again, once it had worked. */
const AGAIN_MS = [1_000, 5_000, 30_000, 120_000];

export interface Ticket {
  ticket: string;
  /** The terminal that it is for. */
  terminal: string;
  port: number;
  path: string;
}

/** What a connector needs of the page. */
export interface Surroundings {
  /** Say something to the kernel on the comm. */
  tell: Tell;
  /** The right to a WebSocket; undefined where there is none to be had. */
  ticket(): Promise<Ticket | undefined>;
  socket(url: string, protocol: string): Socket;
  readonly origin: string;
  /** JupyterLab's own account of its server, JSON; null where the page has none. */
  readonly config: string | null;
  /** Whether the kernel is there. */
  readonly kernel: boolean;
}

/** That this page cannot reach the gateway by itself: found once, until the page is loaded again. */
export interface Memory {
  unreachable: boolean;
}

const wait = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

export class Connector {
  #session: Session;
  #around: Surroundings;
  #memory: Memory;
  #comm: CommWay;
  #direct: DirectWay | undefined;
  #trying = false;
  #again: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #on = false;
  #round = 0;

  constructor(session: Session, around: Surroundings, memory: Memory) {
    this.#session = session;
    this.#around = around;
    this.#memory = memory;
    this.#comm = new CommWay(session.id, around.tell);
  }

  /** The way in use: "direct" or "comm". */
  get way(): string {
    return this.#direct?.name ?? this.#comm.name;
  }

  /** Begin, or go on after `stop`. */
  start(): void {
    if (this.#on) return;
    this.#on = true;
    this.#byComm();
    void this.#try();
  }

  /** Nobody looks: end the stream, whichever way. */
  stop(reason = ""): void {
    this.#on = false;
    this.#round += 1;
    clearTimeout(this.#again);
    this.#session.leave(reason);
    this.#drop();
  }

  /** What came on the comm for this view: the kernel's message of that number. */
  receive(number: number, items: readonly Item[]): void {
    const found = this.#comm.accept(number);
    if (found === "take") this.#session.receive(this.#comm, items);
    // the server drops what it holds for too many messages: look again from where this view stands
    else if (found === "gap" && this.#on && this.#direct === undefined) this.#byComm();
  }

  /** Another terminal is in this one's place. */
  renew(): void {
    const on = this.#on;
    this.stop();
    this.#session.forget();
    if (on) this.start();
  }

  /** The session's condition has changed. */
  check(): void {
    if (this.#session.phase === "refused" && this.#direct !== undefined) this.#fall();
  }

  /** The kernel has come or gone. */
  kernel(): void {
    if (!this.#on || this.#direct !== undefined) return;
    // after a cut between page and server nobody knows what of the comm has arrived: look again
    this.#byComm();
  }

  #byComm(): void {
    if (this.#around.kernel) this.#session.connect(this.#comm);
    else this.#session.cut("the kernel has gone");
  }

  #drop(): void {
    const direct = this.#direct;
    this.#direct = undefined;
    direct?.close();
  }

  /** The page's WebSocket has ended: the comm goes on, and it is tried again by and by. */
  #fall(): void {
    this.#drop();
    if (!this.#on) return;
    this.#byComm();
    const pause = AGAIN_MS[Math.min(this.#failures, AGAIN_MS.length - 1)] ?? 0;
    this.#failures += 1;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void this.#try(), pause);
  }

  async #try(): Promise<void> {
    if (this.#trying || this.#memory.unreachable || this.#around.config === null || !this.#around.kernel) return;
    const round = this.#round;
    const stale = () => round !== this.#round || !this.#on || this.#direct !== undefined;
    this.#trying = true;
    try {
      const given = await this.#around.ticket();
      if (given === undefined || stale()) return;
      const url = directUrl(this.#around, given.port, given.path);
      if (url === undefined) return;
      const way = await DirectWay.open(url, this.#around.socket, LIMIT_MS);
      if (way === undefined) {
        // no jupyter-server-proxy, or the gateway is on another machine; it worked once where there were failures
        if (this.#failures === 0) this.#memory.unreachable = true;
        return;
      }
      if (stale()) return way.close();
      // What was typed on the comm must have come when the new way begins, or it would count as lost. The gateway answers
      // behind it, and what is typed meanwhile waits for the new way.
      this.#session.hold();
      const again = await Promise.race([this.#around.ticket(), wait(HEARD_MS)]);
      if (!stale()) return this.#byDirect(way, again ?? given);
      this.#session.release();
      way.close();
    } finally {
      this.#trying = false;
      if (round !== this.#round && this.#on) void this.#try();
    }
  }

  #byDirect(way: DirectWay, { ticket, terminal }: Ticket): void {
    this.#direct = way;
    way.receive = (items) => {
      this.#session.receive(way, items);
      if (this.#session.phase === "shown") this.#failures = 0;
    };
    way.closed = () => {
      if (this.#direct === way) this.#fall();
    };
    this.#session.connect(way, { ticket, terminal });
    setTimeout(() => {
      if (this.#direct === way && this.#session.phase === "asked") this.#fall();
    }, LIMIT_MS);
  }
}
