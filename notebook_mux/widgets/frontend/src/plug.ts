/** The plug's bundle. Each message has the whole account; the minute's history is the page's own. */

import type { Model } from "./common/afm";
import { Drawn } from "./common/drawn";
import type { Put } from "./common/link";
import type { Bundle } from "./common/registry";
import type { Data } from "./plug/data";
import { type Shared, View } from "./plug/view";
import { History, SECONDS } from "./status/history";

class PlugCopy extends Drawn<View> implements Shared {
  readonly history = new History();
  readonly cuts = new Array<boolean>(SECONDS).fill(false);
  data: Data | undefined;
  #cutThisSecond = false;

  readonly now = (): number => Date.now() / 1000 + this.link.skew;

  put({ content }: Put): void {
    const data = content["data"] as Data;
    this.#cutThisSecond ||= this.data !== undefined && data.count > this.data.count;
    this.data = data;
    this.history.count(data.received);
    this.draw();
  }

  protected tick(): void {
    this.history.tick();
    this.cuts.shift();
    this.cuts.push(this.#cutThisSecond);
    this.#cutThisSecond = false;
  }

  protected view(model: Model, el: HTMLElement): View {
    return new View(model, el, this);
  }
}

const bundle: Bundle = { attach: (model) => new PlugCopy(model) };
export default bundle;
