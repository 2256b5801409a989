/** The forward's bundle. Each message has the whole state; the minute's history is the page's own. */

import type { Model } from "./common/afm";
import { Drawn } from "./common/drawn";
import type { Put } from "./common/link";
import type { Bundle } from "./common/registry";
import type { Data } from "./forward/data";
import { type Shared, View } from "./forward/view";
import { History } from "./status/history";

class ForwardCopy extends Drawn<View> implements Shared {
  readonly sent = new History();
  readonly received = new History();
  data: Data | undefined;

  put({ content }: Put): void {
    this.data = content["data"] as Data;
    this.sent.count(this.data.sent);
    this.received.count(this.data.received);
    this.draw();
  }

  protected tick(): void {
    this.sent.tick();
    this.received.tick();
  }

  protected view(model: Model, el: HTMLElement): View {
    return new View(model, el, this);
  }
}

const bundle: Bundle = { attach: (model) => new ForwardCopy(model) };
export default bundle;
