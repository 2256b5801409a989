/** The toolbar: what this is, how it stands, which way it goes, how large it is, and what can be done. */

import { element, setText } from "../common/dom";
import { iconButton } from "../common/icons";
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

export class Bar {
  readonly top = element("div", { class: "bar", role: "group", "aria-label": "terminal" });
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
      const made = iconButton(name, title, act, signal);
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
    button("close", "End the program and close the terminal", () => actions.end());
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
