/** The toolbar: what this is, how it stands, which way it goes, how large it is, and what can be done. */

import { element, setText } from "../common/dom";
import type { Head } from "./head";

export interface Actions {
  container(name: string): void;
  search(): void;
  copy(): void;
  paste(): void;
  font(step: 1 | -1): void;
  full(): void;
  lock(): void;
  record(): void;
  freeze(): void;
  end(): void;
}

/** What the toolbar shows beside the head. */
export interface Standing {
  tone: string;
  words: string;
  way: string;
  wayTitle: string;
  size: string;
  sizeTitle: string;
  locked: boolean;
}

const NS = "http://www.w3.org/2000/svg";

/** Each icon's lines on a field of 16 by 16. */
const ICONS: Record<string, string> = {
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10M10.7 10.7 14 14",
  copy: "M6 5.5h7.5V14H6zM3.5 10.5H2.5V2H10v1.5",
  paste: "M5.5 3.5H3V14h10V3.5h-2.5M5.5 2h5v3h-5zM5.5 8.5h5M5.5 11h3.5",
  smaller: "M2 12.5 5.5 3.5 9 12.5M3.2 9.5h4.6M11 8h4",
  larger: "M2 12.5 5.5 3.5 9 12.5M3.2 9.5h4.6M11 8h4M13 6v4",
  full: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  lock: "M3.5 7.5h9V14h-9zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
  record: "M8 12.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9",
  freeze: "M2.5 2.5h9L13.5 5v8.5h-11zM5 2.5v4h5.5v-4M4.5 13.5V10h7v3.5",
  end: "M3.5 3.5l9 9M12.5 3.5l-9 9",
};

function icon(name: string): SVGElement {
  const svg = document.createElementNS(NS, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: "14", height: "14", "aria-hidden": "true" })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", ICONS[name] ?? "");
  svg.append(path);
  return svg;
}

export class Bar {
  readonly top = element("div", { class: "bar", role: "toolbar", "aria-label": "terminal" });
  #title = element("span", { class: "title" });
  #place = element("span", { class: "dim" });
  #containers = element("select", { "aria-label": "Container", title: "Open a shell in another container" });
  #dot = element("span", { class: "dot", "aria-hidden": "true" });
  #state = element("span", { class: "state", role: "status" });
  #way = element("span", { class: "badge" });
  #size = element("span", { class: "dim size" });
  #buttons = new Map<string, HTMLButtonElement>();
  #listed = "";

  constructor(actions: Actions, signal: AbortSignal) {
    const state = element("span", { class: "chip" }, this.#dot, this.#state);
    this.top.append(this.#title, this.#containers, this.#place, state, element("span", { class: "push" }));
    this.top.append(this.#way, this.#size);
    const button = (name: string, title: string, act: () => void) => {
      const made = element("button", { type: "button", class: "icon", title, "aria-label": title });
      made.append(icon(name));
      made.addEventListener("click", act, { signal });
      this.#buttons.set(name, made);
      this.top.append(made);
    };
    button("search", "Search (Ctrl+Shift+F)", () => actions.search());
    button("copy", "Copy what is selected (Ctrl+Shift+C)", () => actions.copy());
    button("paste", "Paste (Ctrl+Shift+V)", () => actions.paste());
    button("smaller", "Smaller letters", () => actions.font(-1));
    button("larger", "Larger letters", () => actions.font(1));
    button("full", "Full screen", () => actions.full());
    button("lock", "Look only: send nothing from this view", () => actions.lock());
    button("record", "Record what is printed into a file", () => actions.record());
    button("freeze", "Write a copy into the notebook, for readers without a kernel", () => actions.freeze());
    button("end", "End the program and close the terminal", () => actions.end());
    this.#containers.addEventListener("change", () => actions.container(this.#containers.value), { signal });
  }

  head(head: Head): void {
    setText(this.#title, head.title);
    setText(this.#place, head.cluster);
    this.#place.title = `cluster ${head.cluster}, namespace ${head.namespace}`;
    const several = head.containers.length > 1 && head.choose;
    this.#containers.hidden = !several;
    const listed = JSON.stringify([head.containers, head.container]);
    if (several && listed !== this.#listed) {
      this.#listed = listed;
      const options = head.containers.map(([name, kind]) => {
        const words = kind === "container" ? name : `${name} (${kind})`;
        return element("option", { value: name }, words);
      });
      this.#containers.replaceChildren(...options);
      this.#containers.value = head.container;
    }
    const record = this.#buttons.get("record");
    record?.setAttribute("aria-pressed", String(head.recording !== ""));
    if (record !== undefined) {
      record.title = head.recording === "" ? "Record what is printed into a file" : `Recording to ${head.recording}: stop`;
    }
  }

  tick(standing: Standing): void {
    this.#dot.dataset["tone"] = standing.tone;
    setText(this.#state, standing.words);
    setText(this.#way, standing.way);
    this.#way.title = standing.wayTitle;
    this.#way.hidden = standing.way === "";
    setText(this.#size, standing.size);
    this.#size.title = standing.sizeTitle;
    this.#buttons.get("lock")?.setAttribute("aria-pressed", String(standing.locked));
  }

  focus(): void {
    this.#buttons.get("search")?.focus();
  }
}
