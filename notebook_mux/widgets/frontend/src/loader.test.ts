import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import test from "node:test";
import type { Model } from "./common/afm";
import { slot } from "./common/registry";
import loader from "./loader";

// a module of a blob's URL is a browser's alone
let asked = 0;
URL.createObjectURL = () => {
  asked += 1;
  return "data:text/javascript,export default { attach: () => null }";
};

const hidden = (hash: string): Model => {
  const packed = gzipSync("export default 1");
  const traits: Record<string, unknown> = { hash, code: new DataView(packed.buffer, packed.byteOffset, packed.byteLength) };
  return { get: (name: string) => traits[name] } as unknown as Model;
};

test("a page loads a bundle once, by its hash, whichever kernels and notebooks bring it", async () => {
  for (let kernel = 0; kernel < 3; kernel++) loader.initialize({ model: hidden("a") });
  const first = await slot("a").bundle;
  assert.equal(await slot("a").bundle, first);
  assert.equal(asked, 1);
  loader.initialize({ model: hidden("another version") });
  assert.notEqual(slot("another version").bundle, slot("a").bundle);
  await slot("another version").bundle;
  assert.equal(asked, 2);
});
