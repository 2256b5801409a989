/** Small pictures of lines, and the buttons that show nothing else. */

import { element } from "./dom";

const NS = "http://www.w3.org/2000/svg";

/** Each icon's lines on a field of 16 by 16. */
const ICONS: Record<string, string> = {
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10M10.7 10.7 14 14",
  filter: "M2 3h12l-4.6 5.4v4.8l-2.8-1.6V8.4z",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M8 4.8V8l2.3 1.6",
  wrap: "M2 3.5h12M2 8h9.5a2.2 2.2 0 0 1 0 4.4H8.5M10 10.6l-1.8 1.8L10 14.2M2 12.4h3.5",
  fold: "M2.5 3h11M5 6.5h8.5M5 9.5h8.5M2.5 13h11M2.5 5.8v4.4",
  copy: "M6 5.5h7.5V14H6zM3.5 10.5H2.5V2H10v1.5",
  paste: "M5.5 3.5H3V14h10V3.5h-2.5M5.5 2h5v3h-5zM5.5 8.5h5M5.5 11h3.5",
  smaller: "M2 12.5 5.5 3.5 9 12.5M3.2 9.5h4.6M11 8h4",
  larger: "M2 12.5 5.5 3.5 9 12.5M3.2 9.5h4.6M11 8h4M13 6v4",
  full: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  lock: "M3.5 7.5h9V14h-9zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
  record: "M8 12.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9",
  download: "M8 2v8M4.8 7.2 8 10.4l3.2-3.2M2.5 13.5h11",
  freeze: "M2.5 2.5h9L13.5 5v8.5h-11zM5 2.5v4h5.5v-4M4.5 13.5V10h7v3.5",
  pause: "M5.5 3v10M10.5 3v10",
  play: "M5 3l7.5 5L5 13z",
  end: "M8 2.5v8M4.8 7.6 8 10.8l3.2-3.2M3 13.5h10",
  view: "M2 4.5h6.5M12 4.5h2M2 11.5h2M7.5 11.5H14M10.2 6.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4M5.8 13.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4",
  help: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M6.3 6.4a1.8 1.8 0 1 1 2.6 1.7c-.6.3-.9.7-.9 1.3M8 11.3v.1",
  down: "M4.5 6.5 8 10l3.5-3.5",
  close: "M4 4l8 8M12 4l-8 8",
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

/** A button with a picture; its title is its name. */
export function iconButton(name: string, title: string, act: (button: HTMLButtonElement) => void, signal: AbortSignal): HTMLButtonElement {
  const made = element("button", { type: "button", class: "icon", title, "aria-label": title });
  made.append(icon(name));
  made.addEventListener("click", () => act(made), { signal });
  return made;
}
