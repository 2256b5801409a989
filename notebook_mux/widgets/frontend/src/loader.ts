/** The hidden model's module: unpacks the bundle that came with the model and gives it to those who wait. */

import type { Model } from "./common/afm";
import { type Bundle, slot } from "./common/registry";

async function load(packed: DataView): Promise<Bundle> {
  const bytes = new Uint8Array(packed.buffer as ArrayBuffer, packed.byteOffset, packed.byteLength);
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const code = await new Response(unpacked).blob();
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    return ((await import(/* @vite-ignore */ url)) as { default: Bundle }).default;
  } finally {
    URL.revokeObjectURL(url);
  }
}

export default {
  initialize({ model }: { model: Model }): void {
    const place = slot(String(model.get("hash")));
    if (place.asked) return;
    place.asked = true;
    void load(model.get("code") as DataView).then(place.resolve, (error: unknown) => {
      place.asked = false;
      console.error("notebook-mux: a widget's code could not be loaded", error);
    });
  },
  render(): void {},
};
