/** Building DOM without HTML: what a cluster says only ever becomes text. */

type Child = Node | string;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Set text only where it differs, so that nothing is laid out or read aloud again. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function clock(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toLocaleTimeString([], { hour12: false });
}

/** Whole numbers with thin gaps between thousands. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/**
 * Hide the static copy beside a live view. A rule and not a style: the host may draw the copy again at any time.
 * A part of another widget's view has no copy, and no button for one.
 */
export function hideCopy(el: HTMLElement, key: string, signal: AbortSignal): void {
  if (key === "") el.lastElementChild?.setAttribute("data-part", "");
  if (!/^[0-9a-f]+$/.test(key)) return;
  const area = el.closest(".jp-OutputArea");
  const mark = `notebook-mux-live-${key}`;
  area?.classList.add(mark);
  const rule = area
    ? `.${mark} > .jp-OutputArea-child:has(.notebook-mux-${key}) { display: none; }`
    : `.notebook-mux-${key} { display: none; }`;
  const style = element("style", {}, rule);
  document.head.append(style);
  signal.addEventListener("abort", () => {
    style.remove();
    area?.classList.remove(mark);
  });
}
