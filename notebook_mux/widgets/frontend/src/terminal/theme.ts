/** The terminal's colours: JupyterLab's own for text and background, and sixteen that are readable on them. */

import type { ITheme } from "@xterm/xterm";

/** Each at least 4.5:1 on white (WCAG 2.2, 1.4.3). */
const ON_LIGHT = {
  black: "#1f2328", red: "#b3261e", green: "#116329", yellow: "#7a5200", blue: "#0550ae", magenta: "#7b2fbe",
  cyan: "#0f6a70", white: "#59636e",
  brightBlack: "#5f6872", brightRed: "#c62f3a", brightGreen: "#1a7f37", brightYellow: "#8a5d00", brightBlue: "#1f6feb",
  brightMagenta: "#9a4fd3", brightCyan: "#15757c", brightWhite: "#3d444d",
} satisfies ITheme;

/** Each at least 4.5:1 on #111 and on #1e1e1e. */
const ON_DARK = {
  black: "#8b8f96", red: "#ff8078", green: "#5fd07a", yellow: "#e2b34a", blue: "#75b2ff", magenta: "#d6a2ff",
  cyan: "#56d4dd", white: "#d5d9de",
  brightBlack: "#9aa1a9", brightRed: "#ffa198", brightGreen: "#7ee69a", brightYellow: "#f0cc6d", brightBlue: "#a0cbff",
  brightMagenta: "#e6c4ff", brightCyan: "#8be9f0", brightWhite: "#ffffff",
} satisfies ITheme;

/** The sixteen colours by their numbers. */
export function ansi(dark: boolean): readonly string[] {
  return Object.values(dark ? ON_DARK : ON_LIGHT);
}

/** Of what a program colours itself, by numbers or by mixing. */
export const CONTRAST = 4.5;

export type Rgb = readonly [red: number, green: number, blue: number];

/** The colour in what `getComputedStyle` gives; undefined where it is none, or transparent. */
export function rgb(computed: string): Rgb | undefined {
  const srgb = /^color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)/.exec(computed);
  if (srgb !== null) return [1, 2, 3].map((at) => Math.round(Number(srgb[at]) * 255)) as unknown as Rgb;
  const found = /^rgba?\((\d+),? (\d+),? (\d+)(?:,? ?\/? ?([\d.]+))?\)$/.exec(computed);
  if (found === null || Number(found[4] ?? 1) === 0) return undefined;
  return [Number(found[1]), Number(found[2]), Number(found[3])];
}

/** Relative luminance (WCAG 2.2). */
export function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast ratio (WCAG 2.2). */
export function contrast(one: Rgb, other: Rgb): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const hex = (color: Rgb, alpha = ""): string =>
  `#${color.map((part) => part.toString(16).padStart(2, "0")).join("")}${alpha}`;

/** The theme on this background. */
export function themeOn(back: Rgb, accent: Rgb): ITheme {
  const light = luminance(back) > 0.18;
  const text: Rgb = light ? [31, 35, 40] : [224, 226, 229];
  return {
    ...(light ? ON_LIGHT : ON_DARK),
    background: hex(back),
    foreground: hex(text),
    cursor: hex(accent),
    cursorAccent: hex(back),
    selectionBackground: hex(accent, light ? "4d" : "73"),
    // what a search has found is selected too, and the focus is in the search then
    selectionInactiveBackground: hex(accent, light ? "4d" : "73"),
    scrollbarSliderBackground: hex(text, "33"),
    scrollbarSliderHoverBackground: hex(text, "55"),
    scrollbarSliderActiveBackground: hex(text, "77"),
  };
}

/** The theme of the place where `element` is, by what is computed for it. */
export function themeAt(element: HTMLElement): ITheme {
  const style = getComputedStyle(element);
  return themeOn(rgb(style.backgroundColor) ?? [255, 255, 255], rgb(style.outlineColor) ?? [25, 118, 210]);
}
