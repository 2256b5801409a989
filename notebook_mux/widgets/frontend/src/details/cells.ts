/** Cells and values as DOM: text with a tone and its shape, ages that go on, names of objects to jump to. */

import { humanDuration } from "../common/age";
import { element, setText } from "../common/dom";
import { kindWords } from "../common/jump";
import { type Cell, foldWords, isRich, type Item, LONG, type Named, type Value } from "./data";

const SHAPES: Record<string, string> = { good: "●", warn: "▲", bad: "■", done: "○" };
/** Characters of a folded text that are seen. */
const SEEN = 140;

/** What cells need of the view they are in. */
export interface Surroundings {
  /** Unix seconds by the cluster's clock. */
  now(): number;
  jump(from: Element, ref: Named): void;
  signal: AbortSignal;
}

/** Texts that go on with the time; those that have left the page are forgotten. */
export class Ages {
  #of = new Map<Text, { since: number; template: string }>();

  add(node: Text, since: number, template: string, now: number): void {
    this.#of.set(node, { since, template });
    setText(node, shown(since, template, now));
  }

  tick(now: number): void {
    for (const [node, { since, template }] of this.#of) {
      if (node.isConnected) setText(node, shown(since, template, now));
      else this.#of.delete(node);
    }
  }
}

function shown(since: number, template: string, now: number): string {
  return template.replace("{}", () => humanDuration(Math.max(0, now - since)));
}

export class Cells {
  #at: Surroundings;
  readonly ages = new Ages();

  constructor(at: Surroundings) {
    this.#at = at;
  }

  /** One cell, as an element or a text. */
  cell(cell: Cell): Node {
    if (!isRich(cell)) return cell.length > LONG ? fold(cell) : document.createTextNode(cell);
    if (cell.ref !== undefined) return this.jump(cell.ref, cell.text);
    const text = document.createTextNode(cell.text);
    if (cell.since !== undefined) this.ages.add(text, cell.since, cell.text, this.#at.now());
    const kind = [cell.tone ? `tone-${cell.tone}` : "", cell.mono ? "mono" : ""].filter((one) => one !== "").join(" ");
    if (cell.mono && cell.text.length > LONG) return fold(cell.text, "mono");
    const made = element("span", kind === "" ? {} : { class: kind });
    const shape = SHAPES[cell.tone ?? ""];
    if (shape !== undefined) made.append(element("span", { class: "shape", "aria-hidden": "true" }, shape));
    made.append(text);
    if (cell.title) made.title = cell.title;
    return made;
  }

  /** A value: one cell, or several below each other; labels beside each other. */
  value(value: Value): Node {
    if (!Array.isArray(value)) return this.cell(value);
    const plain = value.every((one) => isRich(one) && one.mono === true && one.text.length < 60 && one.ref === undefined);
    const made = element("div", { class: plain ? "chips" : "list" });
    for (const one of value) made.append(element("div", {}, this.cell(one)));
    if (plain) made.replaceChildren(...value.map((one) => this.cell(one)));
    return made;
  }

  items(items: Item[]): HTMLElement {
    const made = element("dl", { class: "items" });
    for (const [label, value] of items) {
      made.append(element("dt", {}, label), element("dd", {}, this.value(value)));
    }
    return made;
  }

  /** A name of an object: pressed, it is shown in this one's place. */
  jump(ref: Named, text = ref.name): HTMLButtonElement {
    const where = ref.namespace === "" ? "" : ` in ${ref.namespace}`;
    const words = `${kindWords(ref.kind)} ${ref.name}${where}`;
    const key = `jump ${ref.kind}/${ref.namespace}/${ref.name}`;
    const made = element("button", { type: "button", class: "jump", title: `Show ${words}`, "data-key": key }, text);
    if (!text.includes(ref.name)) made.setAttribute("aria-label", `${text}: ${words}`);
    made.addEventListener("click", () => this.#at.jump(made, ref), { signal: this.#at.signal });
    return made;
  }
}

function fold(text: string, kind = ""): HTMLElement {
  const made = element("details", kind === "" ? {} : { class: kind });
  made.append(element("summary", { "data-key": `fold ${text.slice(0, 40)}` }, foldWords(text, SEEN)), element("pre", { tabindex: "0" }, text));
  return made;
}
