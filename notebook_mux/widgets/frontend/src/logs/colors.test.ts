import assert from "node:assert/strict";
import test from "node:test";

import { contrast, type Rgb } from "../terminal/theme";
import { dress, LEVELS_ON_DARK, LEVELS_ON_LIGHT, ON_DARK, ON_LIGHT, paperOn, parsed, READABLE, readable } from "./colors";
import { type Look, TRUE } from "./escapes";

const WHITE: Rgb = [255, 255, 255];
/** JupyterLab's dark theme, and a dark page of VS Code's. */
const DARKS: Rgb[] = [[17, 17, 17], [30, 30, 30]];

const LOOK: Look = {
  fg: undefined, bg: undefined, bold: false, dim: false, italic: false, underline: false, strike: false, inverse: false,
};

/** A colour laid thinly over another. */
const tinted = (back: Rgb, color: Rgb, share: number): Rgb =>
  back.map((part, at) => part + ((color[at] as number) - part) * share) as unknown as Rgb;

test("pods can be told apart and read on light and on dark", () => {
  assert.equal(ON_LIGHT.length, ON_DARK.length);
  for (const color of ON_LIGHT) assert.ok(contrast(parsed(color), WHITE) >= READABLE, color);
  for (const color of ON_DARK) for (const dark of DARKS) assert.ok(contrast(parsed(color), dark) >= READABLE, color);
  for (const palette of [ON_LIGHT, ON_DARK]) assert.equal(new Set(palette).size, palette.length);
});

test("they can be read on a row that is tinted by its level", () => {
  const rows = (back: Rgb, levels: readonly string[]) => [4, 5, 6].map((level) => tinted(back, parsed(levels[level] as string), level === 6 ? 0.14 : level === 5 ? 0.09 : 0.07));
  for (const back of rows(WHITE, LEVELS_ON_LIGHT)) for (const color of ON_LIGHT) assert.ok(contrast(parsed(color), back) >= READABLE, color);
  for (const dark of DARKS) {
    for (const back of rows(dark, LEVELS_ON_DARK)) for (const color of ON_DARK) assert.ok(contrast(parsed(color), back) >= READABLE, color);
  }
});

test("levels can be read", () => {
  for (const color of LEVELS_ON_LIGHT) assert.ok(contrast(parsed(color), WHITE) >= READABLE, color);
  for (const color of LEVELS_ON_DARK) for (const dark of DARKS) assert.ok(contrast(parsed(color), dark) >= READABLE, color);
});

const rgbOf = (css: string): Rgb => css.slice(4, -1).split(",").map(Number) as unknown as Rgb;

test("every colour of a program's can be read, whatever it is on", () => {
  const colors = [undefined, ...Array.from({ length: 256 }, (_, at) => at), TRUE, TRUE | 0xffffff, TRUE | 0x141414, TRUE | 0xffff00];
  for (const back of [WHITE, ...DARKS]) {
    const paper = paperOn(back);
    for (const fg of colors) {
      for (const bg of [undefined, 0, 4, 11, 15, 236, TRUE | 0x808080, fg]) {
        for (const inverse of [false, true]) {
          const { color, back: under } = dress({ ...LOOK, fg, bg, inverse }, paper);
          if (color === "") continue;
          const ratio = contrast(rgbOf(color), under === "" ? back : rgbOf(under));
          assert.ok(ratio >= READABLE - 0.01, `${fg} on ${bg}: ${ratio}`);
        }
      }
    }
  }
});

test("a colour that can be read is left as it is", () => {
  assert.deepEqual(readable([0, 0, 160], WHITE), [0, 0, 160]);
  assert.deepEqual(dress(LOOK, paperOn(WHITE)), { color: "", back: "" });
});
