/** The details' bundle. Each message has all there is to say of the object. */

import type { Model } from "./common/afm";
import { Drawn } from "./common/drawn";
import type { Put } from "./common/link";
import { plainly } from "./common/plain";
import type { Bundle } from "./common/registry";
import type { Data } from "./details/data";
import { type Shared, View } from "./details/view";

class DetailsCopy extends Drawn<View> implements Shared {
  data: Data | undefined;

  readonly now = (): number => Date.now() / 1000 + this.link.skew;

  put({ content }: Put): void {
    this.data = plainly(content["data"] as Data);
    this.draw();
  }

  protected tick(): void {}

  protected view(model: Model, el: HTMLElement): View {
    return new View(model, el, this);
  }
}

const bundle: Bundle = { attach: (model) => new DetailsCopy(model) };
export default bundle;
