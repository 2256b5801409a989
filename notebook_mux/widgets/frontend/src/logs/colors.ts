/** Colours that can be read on a light and on a dark page: of pods, of levels, and of what programs colour themselves. */

import { ansi, contrast, luminance, type Rgb } from "../terminal/theme";
import { type Color, type Look, TRUE } from "./escapes";

/** WCAG 2.2, 1.4.3. */
export const READABLE = 4.5;

/** Of pods and containers; without red and amber, which say something. */
export const ON_LIGHT = [
  "#0550ae", "#116329", "#7b2fbe", "#9a4a00", "#0f6a70", "#a3195b", "#5c5f00", "#4146b8", "#7a4a3a", "#006387",
  "#6d3f8c", "#3f6212",
] as const;
export const ON_DARK = [
  "#75b2ff", "#5fd07a", "#d6a2ff", "#f0a35e", "#56d4dd", "#ff8fc0", "#cfcf5a", "#a5b0ff", "#e0a090", "#6fc7ee",
  "#c9a6e0", "#a8d05a",
] as const;

/** Of trace, debug, info, warning, error and fatal, by their number; 0 is no level. */
export const LEVELS_ON_LIGHT = ["#6b7280", "#6b7280", "#5b6472", "#1f6f9c", "#8a5a00", "#c0271f", "#a8007a"] as const;
export const LEVELS_ON_DARK = ["#9aa1a9", "#9aa1a9", "#a3adb8", "#6fbfe8", "#f0c15c", "#ff8078", "#ff86d3"] as const;

/** Rules for the variables `--s0` and on, and `--l0` and on. */
export function paletteRules(): string {
  const rule = (dark: boolean) => {
    const sources = (dark ? ON_DARK : ON_LIGHT).map((color, at) => `--s${at}:${color}`);
    const levels = (dark ? LEVELS_ON_DARK : LEVELS_ON_LIGHT).map((color, at) => `--l${at}:${color}`);
    return `.root[data-dark="${String(dark)}"]{${[...sources, ...levels].join(";")}}`;
  };
  return `${rule(false)}\n${rule(true)}`;
}

export function sourceColor(index: number): string {
  return `var(--s${Math.abs(Math.trunc(index)) % ON_LIGHT.length})`;
}

export interface Paper {
  dark: boolean;
  back: Rgb;
}

/** The page's colours, from its background. */
export function paperOn(back: Rgb): Paper {
  return { dark: luminance(back) <= 0.18, back };
}

export function parsed(color: string): Rgb {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)) as unknown as Rgb;
}

export const css = ([red, green, blue]: Rgb): string => `rgb(${red},${green},${blue})`;

/** The same colour, as much nearer to black or white as it must be to be read on this one. */
export function readable(color: Rgb, back: Rgb): Rgb {
  if (contrast(color, back) >= READABLE) return color;
  const end = luminance(back) > 0.18 ? 0 : 255;
  let [low, high] = [0, 1];
  const at = (share: number) => color.map((part) => Math.round(part + (end - part) * share)) as unknown as Rgb;
  for (let step = 0; step < 8; step++) {
    const middle = (low + high) / 2;
    if (contrast(at(middle), back) >= READABLE) high = middle;
    else low = middle;
  }
  return at(high);
}

const STEPS = [0, 95, 135, 175, 215, 255];

/** xterm's own sixteen, for text on a background of its program's. */
const PLAIN = [
  "#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
  "#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff",
] as const;

/** What a program means by one of the 256 colours, or by 24 bits. */
function meant(color: Color, sixteen: readonly string[]): Rgb {
  if (color >= TRUE) return [(color >> 16) & 255, (color >> 8) & 255, color & 255];
  if (color < 16) return parsed(sixteen[color] as string);
  if (color >= 232) {
    const grey = 8 + 10 * (color - 232);
    return [grey, grey, grey];
  }
  const cube = color - 16;
  return [STEPS[Math.floor(cube / 36)], STEPS[Math.floor(cube / 6) % 6], STEPS[cube % 6]] as unknown as Rgb;
}

const known = new Map<string, { color: string; back: string }>();
const MOST_KNOWN = 4096;

/** Text and background of a look, "" for the line's own. */
export function dress(look: Look, paper: Paper): { color: string; back: string } {
  const key = `${paper.dark ? 1 : 0} ${paper.back.join(",")} ${look.fg} ${look.bg} ${look.inverse}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= MOST_KNOWN) known.clear();
  const text: Rgb = paper.dark ? [224, 226, 229] : [31, 35, 40];
  const sixteen = look.bg === undefined ? ansi(paper.dark) : PLAIN;
  let fg = look.fg === undefined ? undefined : meant(look.fg, sixteen);
  let bg = look.bg === undefined ? undefined : meant(look.bg, sixteen);
  if (look.inverse) [fg, bg] = [bg ?? paper.back, fg ?? text];
  const back = bg ?? paper.back;
  const made = {
    color: fg === undefined && bg === undefined ? "" : css(readable(fg ?? text, back)),
    back: bg === undefined ? "" : css(bg),
  };
  known.set(key, made);
  return made;
}
