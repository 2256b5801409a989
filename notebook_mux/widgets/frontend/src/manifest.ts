/** The YAML's bundle, with its editor. Each message has the whole text. */

import type { Model } from "./common/afm";
import { Drawn } from "./common/drawn";
import type { Put } from "./common/link";
import type { Bundle } from "./common/registry";
import type { Data } from "./manifest/data";
import { type Shared, View } from "./manifest/view";

class ManifestCopy extends Drawn<View> implements Shared {
  data: Data | undefined;

  readonly now = (): number => Date.now() / 1000 + this.link.skew;

  put({ content }: Put): void {
    this.data = content["data"] as Data;
    this.draw();
  }

  protected tick(): void {}

  protected view(model: Model, el: HTMLElement): View {
    return new View(model, el, this);
  }
}

const bundle: Bundle = { attach: (model) => new ManifestCopy(model) };
export default bundle;
