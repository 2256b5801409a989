/**
 * A page's end of the way between kernel and page: takes numbered messages in order, acknowledges them, asks for the
 * whole state after a gap, says whether anybody looks, and matches answers to questions.
 */

import type { Model } from "./afm";
import { randomId } from "./ids";
import { type Kernel, kernelNow, watchKernel } from "./kernel";
import { type Attention, presence } from "./presence";
import type { Incoming } from "./registry";

const PING_MS = 60_000;
const ACK_EVERY = 2;
const ACK_MS = 250;
/** The share of the main thread that drawing may take. */
const SHARE = 0.3;
const MAX_PACE_MS = 2_000;
const ASK_AGAIN_MS = 2_000;
const EVERYONE = "*";
/** A question that is open so long takes long, or waits behind a running cell. */
const WAITS_MS = 1_000;

/** A part of the whole state. */
export interface Whole {
  part: number;
  last: boolean;
}

export interface Put {
  content: Record<string, unknown>;
  buffers: DataView[];
  /** Set where this message has a part of the whole state for this page. */
  whole: Whole | undefined;
}

export interface Condition {
  kernel: Kernel;
  attention: Attention;
  /** Unix ms of the last message of the kernel's, 0 before the first. */
  heard: number;
}

export interface Owner {
  /** Take a message in; called in the order of the numbers. */
  put(put: Put): void;
  /** What is said besides when the page comes back, having missed what went on. */
  back?(): Record<string, unknown>;
  /** The condition has changed. */
  condition(condition: Condition): void;
}

interface Answer {
  ok: boolean;
  error?: string;
  /** The way to the kernel was lost with it: nobody knows whether it arrived. */
  lost?: boolean;
  [more: string]: unknown;
}

export class Link {
  readonly page = randomId();
  readonly condition: Condition = { kernel: "live", attention: presence.attention, heard: 0 };
  /** Seconds that the kernel's clock is ahead of the page's. */
  skew = 0;
  #model: Model;
  #owner: Owner;
  #abort = new AbortController();
  #views = 0;
  #epoch = "";
  #have = -1;
  #acked = -1;
  #ackTimer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;
  /** Whether messages were missed since the last whole state began. */
  #lacks = false;
  #again: ReturnType<typeof setTimeout> | undefined;
  /** Milliseconds that taking in and drawing a message takes, smoothed. */
  #cost = 0;
  #id = 0;
  #open = new Map<number, { asked: number; resolve: (answer: Answer) => void }>();
  /** The last question that has its answer: those before it were heard, too. */
  #answered = -1;
  /** A question that is answered at once where it is heard. */
  #probe = -1;

  constructor(model: Model, owner: Owner) {
    this.#model = model;
    this.#owner = owner;
    this.condition.kernel = kernelNow(model);
    const { signal } = this.#abort;
    presence.listen((attention) => this.#attend(attention), signal);
    watchKernel(
      model,
      (kernel) => {
        this.condition.kernel = kernel;
        if (kernel === "live") this.#giveUp();
        if (kernel === "live") this.#here();
        owner.condition(this.condition);
      },
      signal,
    );
    const ping = setInterval(() => {
      if (this.#views > 0 && this.condition.attention !== "idle") this.#here();
    }, PING_MS);
    const bye = () => this.#say({ t: "bye" });
    window.addEventListener("pagehide", bye, { signal });
    signal.addEventListener("abort", () => {
      clearInterval(ping);
      clearTimeout(this.#ackTimer);
      clearTimeout(this.#again);
    });
  }

  dispose(): void {
    if (this.#abort.signal.aborted) return;
    if (this.#views > 0) this.#say({ t: "bye" });
    this.#abort.abort();
  }

  /** A view of this copy was made, or removed. */
  view(added: 1 | -1): void {
    const before = this.#views;
    this.#views += added;
    if (before === 0 || this.#views === 0) this.#here();
  }

  /** Have the whole state sent anew: something was left with the kernel. */
  refresh(): void {
    this.#here(true);
  }

  /** Go on after a pause for want of input. */
  touch(): void {
    presence.touch();
  }

  /** Ask for something; the answer comes when the kernel has time for it. */
  ask(message: Record<string, unknown>, buffers: ArrayBuffer[] = []): Promise<Answer> {
    return new Promise((resolve) => {
      const id = this.#say(message, buffers);
      if (id >= 0) this.#open.set(id, { asked: Date.now(), resolve });
      else resolve({ ok: false, error: "the kernel is not there; run the cell again" });
    });
  }

  /** Ask for what may well be asked twice: once more whenever the way to the kernel was lost with it. */
  async insist(message: Record<string, unknown>): Promise<Answer> {
    const answer = await this.ask(message);
    return answer.lost === true ? this.insist(message) : answer;
  }

  /** Say something that has no answer but a refusal. */
  tell(message: Record<string, unknown>, buffers: ArrayBuffer[] = []): void {
    this.#say(message, buffers);
  }

  /** Whether what was asked is not heard yet, as where the kernel hears the page only between cells. */
  get waits(): boolean {
    if (this.condition.kernel !== "live") return false;
    for (const [id, { asked }] of this.#open) {
      if (id > this.#answered) return Date.now() - asked > WAITS_MS && this.#unheard(id);
    }
    return false;
  }

  /** An answer may take as long as a cluster does; so another question is asked, which has its answer at once. */
  #unheard(id: number): boolean {
    if (this.#probe <= id) {
      this.#here();
      this.#probe = this.#id;
    }
    const asked = this.#open.get(this.#probe)?.asked;
    return asked !== undefined && Date.now() - asked > WAITS_MS;
  }

  receive([content, buffers]: Incoming): void {
    this.condition.heard = Date.now();
    if (content["t"] === "reply") this.#reply(content);
    else if (content["t"] === "put") this.#put(content, buffers);
  }

  /** The way to the server was made anew: what is still open may never have arrived. */
  #giveUp(): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    const answer = { ok: false, lost: true, error: "the connection to the Jupyter server was made anew" };
    for (const { resolve } of open) resolve(answer);
  }

  #reply(content: Record<string, unknown>): void {
    if (content["page"] !== this.page) return;
    const answer = content as unknown as Answer;
    const id = Number(content["id"]);
    const waiting = this.#open.get(id);
    this.#open.delete(id);
    this.#answered = Math.max(this.#answered, id);
    waiting?.resolve(answer);
    if (!answer.ok && waiting === undefined) {
      console.warn(`notebook-mux: the kernel refused a message: ${String(answer.error)}`);
      if (this.#views > 0) this.#askWhole();
    }
  }

  #put(content: Record<string, unknown>, buffers: DataView[]): void {
    const number = Number(content["n"]);
    const epoch = String(content["epoch"]);
    const described = content["whole"] as (Whole & { to: string[] }) | undefined;
    const mine = described !== undefined && (described.to.includes(this.page) || described.to.includes(EVERYONE));
    const whole = mine ? described : undefined;
    if (typeof content["now"] === "number") this.skew = content["now"] - Date.now() / 1000;
    if (whole?.part === 0) {
      this.#epoch = epoch;
      this.#acked = number - 1;
      this.#lacks = false;
    } else if (epoch !== this.#epoch) {
      // a run that began while this page was not looked at, or before it was there
      if (this.#views > 0) this.#askWhole();
      return;
    } else if (number <= this.#have) {
      return;
    } else if (number !== this.#have + 1) {
      this.#askWhole();
      return;
    }
    this.#have = number;
    const before = performance.now();
    this.#owner.put({ content, buffers, whole });
    if (whole === undefined) this.#measure(performance.now() - before);
    if (number - this.#acked >= ACK_EVERY) this.#ackSoon(0);
    else this.#ackSoon(ACK_MS);
  }

  /** What a message costs: taking it in, and the frame that draws it. */
  #measure(taken: number): void {
    requestAnimationFrame(() => {
      const began = performance.now();
      setTimeout(() => {
        this.#cost += (taken + Math.min(performance.now() - began, MAX_PACE_MS) - this.#cost) / 8;
      }, 0);
    });
  }

  #ackSoon(wait: number): void {
    if (this.#views === 0 || this.condition.attention !== "watching") return;
    if (this.#ackTimer !== undefined) {
      if (wait > 0) return;
      clearTimeout(this.#ackTimer);
    }
    // after the page has drawn: a page that cannot keep up is not sent more
    this.#ackTimer = setTimeout(() => {
      this.#ackTimer = undefined;
      if (this.#acked === this.#have) return;
      this.#acked = this.#have;
      const pace = Math.min(MAX_PACE_MS, this.#cost / SHARE) / 1000;
      this.#say({ t: "ack", n: this.#have, pace });
    }, wait);
  }

  /** Ask for the whole state; not again while it may be on its way, but then, where it is still wanted: nothing may come that shows it. */
  #askWhole(): void {
    this.#lacks = true;
    if (this.#again !== undefined) return;
    const wait = this.#asked + ASK_AGAIN_MS - Date.now();
    if (wait > 0) {
      this.#again = setTimeout(() => {
        this.#again = undefined;
        if (this.#lacks && this.#views > 0) this.#askWhole();
      }, wait);
      return;
    }
    this.#asked = Date.now();
    this.#here(true);
  }

  #attend(attention: Attention): void {
    this.condition.attention = attention;
    if (this.#views > 0) this.#here(false, attention === "watching" ? this.#owner.back?.() : undefined);
    this.#owner.condition(this.condition);
  }

  #here(gap = false, more: Record<string, unknown> = {}): void {
    const watching = this.#views > 0 && this.condition.attention === "watching";
    void this.ask({ t: "here", have: this.#have, epoch: this.#epoch, watching, gap, ...more });
  }

  #say(message: Record<string, unknown>, buffers: ArrayBuffer[] = []): number {
    if (this.condition.kernel === "gone") return -1;
    const id = ++this.#id;
    try {
      if (buffers.length === 0) this.#model.send({ ...message, page: this.page, id });
      else this.#model.send({ ...message, page: this.page, id }, undefined, buffers);
    } catch {
      return -1; // the comm is closed, or the connection is being made anew
    }
    return id;
  }
}
