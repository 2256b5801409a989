/** The status' bundle. Each message has the whole state, the minute too; when the socket was cut the page knows itself. */

import type { Model } from "./common/afm";
import { clock } from "./common/dom";
import { Drawn } from "./common/drawn";
import type { Put } from "./common/link";
import type { Bundle } from "./common/registry";
import type { Data, Socket } from "./status/data";
import { History, SECONDS } from "./status/history";
import { type Shared, View } from "./status/view";

const KEPT_EVENTS = 4;

class StatusCopy extends Drawn<View> implements Shared {
  readonly cpu = new Map<string, History>();
  readonly events: string[] = [];
  readonly cuts = new Array<boolean>(SECONDS).fill(false);
  data: Data | undefined;
  #lost: number | undefined;
  #cutThisSecond = false;

  readonly now = (): number => Date.now() / 1000 + this.link.skew;

  put({ content }: Put): void {
    const data = content["data"] as Data;
    this.#watch(this.data?.socket, data.socket);
    this.data = data;
    for (const stream of data.streams) {
      let history = this.cpu.get(stream.id);
      if (history === undefined) this.cpu.set(stream.id, (history = new History()));
      history.count(stream.cpu * 1000);
    }
    for (const id of this.cpu.keys()) {
      if (!data.streams.some((stream) => stream.id === id)) this.cpu.delete(id);
    }
    this.draw();
  }

  /** Keep what the socket goes through in words: a cut is over before one can read its state. */
  #watch(before: Socket | undefined, after: Socket): void {
    if (before === undefined) return;
    const now = this.now();
    if (before.state === "open" && (after.state !== "open" || after.reconnects > before.reconnects)) {
      this.#lost = after.state === "open" ? now : after.since;
      const why = after.reason === "" ? "" : ` (${after.reason})`;
      this.#cutThisSecond = true;
      this.#event(`${clock(now)} cut${after.state === "open" ? "" : why}`);
    }
    if (after.state === "open" && this.#lost !== undefined) {
      const gap = Math.max(0, after.since - this.#lost);
      this.#event(`${clock(now)} back${gap > 0 ? ` after ${gap.toFixed(2)} s` : ""}`);
      this.#lost = undefined;
    }
  }

  #event(words: string): void {
    this.events.unshift(words);
    this.events.length = Math.min(this.events.length, KEPT_EVENTS);
  }

  protected tick(): void {
    for (const history of this.cpu.values()) history.tick();
    this.cuts.shift();
    this.cuts.push(this.#cutThisSecond || (this.data !== undefined && this.data.socket.state !== "open"));
    this.#cutThisSecond = false;
  }

  protected view(model: Model, el: HTMLElement): View {
    return new View(model, el, this);
  }
}

const bundle: Bundle = { attach: (model) => new StatusCopy(model) };
export default bundle;
