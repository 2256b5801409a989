/** Buttons of the view: icons, and those that stay pressed. */

import { element } from "../common/dom";

const NS = "http://www.w3.org/2000/svg";

/** Each icon's lines on a field of 16 by 16. */
const ICONS: Record<string, string> = {
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10M10.7 10.7 14 14",
  filter: "M2 3h12l-4.6 5.4v4.8l-2.8-1.6V8.4z",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M8 4.8V8l2.3 1.6",
  wrap: "M2 3.5h12M2 8h9.5a2.2 2.2 0 0 1 0 4.4H8.5M10 10.6l-1.8 1.8L10 14.2M2 12.4h3.5",
  fold: "M2.5 3h11M5 6.5h8.5M5 9.5h8.5M2.5 13h11M2.5 5.8v4.4",
  copy: "M6 5.5h7.5V14H6zM3.5 10.5H2.5V2H10v1.5",
  download: "M8 2v8M4.8 7.2 8 10.4l3.2-3.2M2.5 13.5h11",
  freeze: "M2.5 2.5h9L13.5 5v8.5h-11zM5 2.5v4h5.5v-4M4.5 13.5V10h7v3.5",
  pause: "M5.5 3v10M10.5 3v10",
  play: "M5 3l7.5 5L5 13z",
  end: "M8 2.5v8M4.8 7.6 8 10.8l3.2-3.2M3 13.5h10",
};

export function icon(name: string): SVGElement {
  const svg = document.createElementNS(NS, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: "14", height: "14", "aria-hidden": "true" })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", ICONS[name] ?? "");
  svg.append(path);
  return svg;
}

export function iconButton(name: string, title: string, act: (button: HTMLButtonElement) => void, signal: AbortSignal): HTMLButtonElement {
  const made = element("button", { type: "button", class: "icon", title, "aria-label": title });
  made.append(icon(name));
  made.addEventListener("click", () => act(made), { signal });
  return made;
}

export function toggle(text: string, title: string): HTMLButtonElement {
  return element("button", { type: "button", "aria-pressed": "false", title, "aria-label": title }, text);
}

export function pressed(button: HTMLButtonElement): boolean {
  return button.getAttribute("aria-pressed") === "true";
}

export function press(button: HTMLButtonElement, on: boolean): void {
  button.setAttribute("aria-pressed", String(on));
}
