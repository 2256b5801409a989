/** What a user made of the columns: their order, which are hidden, how wide they are. By title, as the kernel keeps it. */

import type { Layout } from "./head";

export const NO_LAYOUT: Readonly<Layout> = { order: [], hidden: [], widths: {} };

/**
 * All titles in the user's order; a column that the user has not seen yet comes behind the one it follows by itself.
 */
export function ordered(titles: readonly string[], { order }: Layout): string[] {
  const made = order.filter((title, index) => titles.includes(title) && order.indexOf(title) === index);
  titles.forEach((title, index) => {
    if (made.includes(title)) return;
    const before = titles.slice(0, index).reverse().find((one) => made.includes(one));
    made.splice(before === undefined ? 0 : made.indexOf(before) + 1, 0, title);
  });
  return made;
}

/** The titles to show, in order; never none. */
export function laidOut(titles: readonly string[], layout: Layout): string[] {
  const all = ordered(titles, layout);
  const shown = all.filter((title) => !layout.hidden.includes(title));
  return shown.length > 0 ? shown : all.slice(0, 1);
}

/** The pixels that a user gave a column; undefined where nobody did. */
export function widthOf({ widths }: Layout, title: string): number | undefined {
  return Object.hasOwn(widths, title) ? widths[title] : undefined;
}

/** One title moved by some places among all of them, hidden ones included. */
export function moved(titles: readonly string[], layout: Layout, title: string, by: number): Layout {
  const order = ordered(titles, layout);
  const from = order.indexOf(title);
  const to = Math.min(order.length - 1, Math.max(0, from + by));
  if (from < 0 || from === to) return layout;
  order.splice(to, 0, ...order.splice(from, 1));
  return { ...layout, order };
}

/** The titles that are shown in a new order; hidden ones keep their place behind what they followed. */
export function reordered(titles: readonly string[], layout: Layout, shown: readonly string[]): Layout {
  const order = [...shown];
  const all = ordered(titles, layout);
  all.forEach((title, index) => {
    if (order.includes(title)) return;
    const before = all[index - 1];
    order.splice(before === undefined ? 0 : order.indexOf(before) + 1, 0, title);
  });
  return { ...layout, order };
}

/** One title hidden or shown. */
export function hiding(layout: Layout, title: string, hidden: boolean): Layout {
  const others = layout.hidden.filter((one) => one !== title);
  return { ...layout, hidden: hidden ? [...others, title] : others };
}

export function sameLayout(a: Layout, b: Layout): boolean {
  return plain(a) === plain(b);
}

function plain({ order, hidden, widths }: Layout): string {
  return JSON.stringify([order, [...hidden].sort(), Object.entries(widths).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
