/** One view of an object: what is said of it, drawn anew only where that has changed. */

import { humanDuration } from "../common/age";
import { clusterTime } from "../common/clock";
import type { Model } from "../common/afm";
import { cutWords, idleWords } from "../common/condition";
import { clock, element, hideCopy, setText } from "../common/dom";
import { randomId } from "../common/ids";
import { jump, kindWords } from "../common/jump";
import type { Link } from "../common/link";
import { Pressed } from "../common/pressed";
import { shadow } from "../common/style";
import { trouble } from "../common/trouble";
import { Cells } from "./cells";
import { DETAILS_CSS } from "./css";
import type { Content, Data, Named } from "./data";
import { type Revealed, Sections } from "./sections";

/** What a view needs of the page's copy. */
export interface Shared {
  readonly link: Link;
  readonly data: Data | undefined;
  /** Unix seconds by the kernel's clock. */
  now(): number;
}

/** A place in the view, and what it was made of. */
interface Slot {
  element: HTMLElement;
  made: string;
}

export class View {
  readonly id = randomId();
  #shared: Shared;
  #abort = new AbortController();
  #root = element("div", { class: "root", role: "region", tabindex: "-1" });
  #note = element("div", { class: "note", role: "status", hidden: "" });
  #body = element("div", { class: "facts" });
  #shadow: ShadowRoot;
  #pressed: Pressed;
  #cells: Cells;
  #sections: Sections;
  #slots = new Map<string, Slot>();
  #kernel: Data | undefined;

  constructor(model: Model, el: HTMLElement, shared: Shared) {
    this.#shared = shared;
    const { signal } = this.#abort;
    this.#shadow = shadow(el, DETAILS_CSS);
    this.#root.setAttribute("data-lm-suppress-shortcuts", "true");
    this.#pressed = new Pressed(this.#body, () => this.draw(), signal);
    this.#cells = new Cells({ now: () => this.#now(), jump: (from, ref) => this.#jump(from, ref), signal });
    this.#sections = new Sections(this.#cells, { reveal: (key) => this.#reveal(key), signal });
    this.#root.append(this.#note, this.#body);
    this.#shadow.append(this.#root);
    hideCopy(el, String(model.get("_copy")), signal);
    this.draw();
  }

  dispose(): void {
    this.#abort.abort();
  }

  draw(): void {
    const { data } = this.#shared;
    this.#say(data);
    if (data !== undefined && data !== this.#kernel && !this.#pressed.now) {
      this.#kernel = data;
      this.#root.setAttribute("aria-label", `${kindWords(data.ref.kind)} ${data.ref.name}`);
      this.#keepFocus(() => this.#fill(data.object));
    }
    // a host takes a cell that is far off out of the page, and puts it back as it was
    if (this.#root.isConnected) this.#cells.ages.tick(this.#now());
  }

  #now(): number {
    return clusterTime(this.#shared.data?.cluster.clock, this.#shared.now());
  }

  #jump(from: Element, ref: Named): void {
    const cluster = this.#shared.data?.cluster.name ?? "";
    jump(from, { ...ref, cluster });
  }

  async #reveal(key: string): Promise<Revealed> {
    return (await this.#shared.link.ask({ t: "reveal", view: this.id, key })) as Revealed;
  }

  /** What is not as it should be: the kernel, the cluster, the object. */
  #say(data: Data | undefined): void {
    const { condition } = this.#shared.link;
    const [cut, idle] = [cutWords(condition), idleWords(condition)];
    let [text, tone] = ["", "warn"];
    if (cut !== "") [text, tone] = [cut, "bad"];
    else if (idle !== "") text = idle;
    else if (data === undefined) [text, tone] = ["reading …", ""];
    else if (data.deleted !== null) {
      text = `Deleted at ${clock(data.deleted)}, ${humanDuration(Math.max(0, this.#shared.now() - data.deleted))} ago. This is how it was.`;
    } else if (data.closed) text = "Not live: the connection was closed.";
    else if (data.cluster.state !== "live" && data.cluster.state !== "connecting") text = `${data.cluster.name}: ${trouble(data.cluster, this.#shared.now())}`;
    else if (data.missing) text = `There is no ${kindWords(data.ref.kind)} ${data.ref.name}${data.ref.namespace === "" ? "" : ` in ${data.ref.namespace}`} in ${data.cluster.name} now.`;
    else if (data.object === null) [text, tone] = ["reading …", ""];
    else if (data.object.deleting !== null) {
      const left = data.object.finalizers;
      text = `Being deleted since ${clock(data.object.deleting)}${left.length > 0 ? `; it waits for its finalizers: ${left.join(", ")}` : ""}.`;
    }
    this.#note.className = `note ${tone}`;
    setText(this.#note, text);
    this.#note.hidden = text === "";
    this.#root.classList.toggle("frozen", condition.kernel !== "live");
    this.#root.classList.toggle("gone", data !== undefined && data.deleted !== null);
  }

  #fill(content: Content | null): void {
    if (content === null) {
      this.#slots.clear();
      this.#body.replaceChildren();
      return;
    }
    const parts: [key: string, of: unknown, make: () => HTMLElement][] = [];
    parts.push(["figures", [content.printed, content.created, content.kind], () => this.#figures(content)]);
    if (content.owners.length + content.labels.length > 0) {
      parts.push(["about", [content.owners, content.labels], () => this.#about(content)]);
    }
    const [first, ...rest] = content.sections;
    const early = first?.title === "Conditions" ? [first] : [];
    const late = early.length > 0 ? rest : content.sections;
    for (const section of early) parts.push([section.title, section, () => this.#sections.section(section)]);
    for (const owned of content.owned) parts.push([`owned ${owned.title}`, owned, () => this.#sections.owned(owned)]);
    for (const section of late) parts.push([`kind ${section.title}`, section, () => this.#sections.section(section)]);
    if (content.annotations.length > 0) parts.push(["annotations", content.annotations, () => this.#annotations(content)]);
    const kept = new Map<string, Slot>();
    for (const [key, of, make] of parts) {
      const made = JSON.stringify(of);
      const known = this.#slots.get(key);
      kept.set(key, known?.made === made ? known : { element: make(), made });
    }
    this.#slots = kept;
    const wanted = [...kept.values()].map((slot) => slot.element);
    if (wanted.length !== this.#body.children.length || wanted.some((one, at) => this.#body.children[at] !== one)) {
      this.#body.replaceChildren(...wanted);
    }
  }

  /** The columns that the server prints: how it stands, in figures. */
  #figures(content: Content): HTMLElement {
    const made = element("dl", { class: "figures" });
    const put = (title: string, shown: Node) => made.append(element("div", {}, element("dt", {}, title), element("dd", {}, shown)));
    for (const [title, cell] of content.printed) {
      if (cell === "" || cell === "<none>") continue;
      put(title, this.#cells.cell(cell));
    }
    if (content.created !== null) put("Age", this.#cells.cell({ text: "{}", since: content.created, title: new Date(content.created * 1000).toISOString() }));
    put("API", document.createTextNode(content.api));
    return made;
  }

  #about(content: Content): HTMLElement {
    const made = element("div", { class: "pair" });
    if (content.owners.length > 0) {
      const list = element("div", { class: "list", "data-owners": "" });
      for (const owner of content.owners) list.append(element("div", {}, this.#cells.jump(owner, `${kindWords(owner.kind)} ${owner.name}`)));
      made.append(element("section", {}, element("h3", {}, "Belongs to"), list));
    }
    if (content.labels.length > 0) {
      const labels = content.labels.map(([key, value]) => ({ text: `${key}=${value}`, mono: true }));
      made.append(element("section", {}, element("h3", {}, "Labels"), this.#cells.value(labels)));
    }
    return made;
  }

  #annotations(content: Content): HTMLElement {
    const items = content.annotations.map(([key, value, cut]): [string, string] => [key, cut > 0 ? `${value}…` : value]);
    const many = element("span", { class: "many" }, String(items.length));
    const summary = element("summary", { "data-key": "annotations" }, element("h3", { style: "display: inline-flex; margin: 0" }, "Annotations", many));
    const folded = element("details", {}, summary, this.#cells.items(items));
    folded.open = items.length <= 3 && items.every(([, value]) => value.length < 100);
    return element("section", {}, folded);
  }

  /**
   * What has the focus has it again in what is drawn in its place, or the view, for the next keys were the notebook's
   * else, which deletes cells by them; what is unfolded stays so.
   */
  #keepFocus(draw: () => void): void {
    const held = this.#shadow.activeElement as HTMLElement | null;
    const key = held?.dataset["key"];
    const open = new Set([...this.#body.querySelectorAll<HTMLElement>("details[open] > summary")].map((one) => one.dataset["key"]));
    draw();
    for (const summary of this.#body.querySelectorAll<HTMLElement>("details:not([open]) > summary")) {
      if (open.has(summary.dataset["key"])) (summary.parentElement as HTMLDetailsElement).open = true;
    }
    if (held === null || this.#shadow.activeElement !== null) return;
    const found = [...this.#body.querySelectorAll<HTMLElement>("[data-key]")].find((one) => one.dataset["key"] === key);
    for (const one of [held, found, this.#root]) {
      if (this.#shadow.activeElement === null) one?.focus({ preventScroll: true });
    }
  }
}
