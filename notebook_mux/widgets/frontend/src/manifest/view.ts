/** One view of an object's YAML: it follows the object unless somebody is in the text, or edits it. */

import type { Model } from "../common/afm";
import { cutWords, idleWords } from "../common/condition";
import { change, CONFIRM_CSS } from "../common/confirm";
import { DIALOG_CSS } from "../common/dialog";
import { clock, element, hideCopy, setText } from "../common/dom";
import { randomId } from "../common/ids";
import { EDIT, kindWords, UNSAVED } from "../common/jump";
import type { Link } from "../common/link";
import { shadow } from "../common/style";
import { trouble } from "../common/trouble";
import { toClipboard } from "../common/clipboard";
import { MANIFEST_CSS } from "./css";
import type { Data } from "./data";
import { Editor } from "./editor";
import { identity, substance, withoutManaged } from "./text";

/** What a view needs of the page's copy. */
export interface Shared {
  readonly link: Link;
  readonly data: Data | undefined;
  /** Unix seconds by the kernel's clock. */
  now(): number;
}

/** What stands above the text, with what can be done about it. */
interface Note {
  text: string;
  tone?: "warn" | "bad";
  reload?: string;
}

interface Edit {
  base: string;
  clash: string;
  text: string;
  version: string;
  bare: boolean;
}

/** Edits whose widget the kernel has let go of, or which went with the kernel: the next view of the object goes on. */
const left = new Map<string, Edit>();

export class View {
  readonly id = randomId();
  #shared: Shared;
  #abort = new AbortController();
  #host: HTMLElement;
  #root = element("div", { class: "root", role: "region", tabindex: "-1" });
  #note = element("div", { class: "note", role: "status", hidden: "" });
  #noteText = element("span");
  #reload = element("button", { type: "button", hidden: "" });
  #said = element("span", { class: "dim", role: "status" });
  #version = element("span", { class: "dim" });
  #reveal: HTMLButtonElement;
  #edit: HTMLButtonElement;
  #review: HTMLButtonElement;
  #discard: HTMLButtonElement;
  #editor: Editor;
  /** The version that is shown, and whether with a Secret's values. */
  #shown = "";
  #bare = false;
  /** Of an edit: the text that it began with, and what stands against it where somebody else has changed the same. */
  #base = "";
  #clash = "";

  constructor(model: Model, el: HTMLElement, shared: Shared) {
    this.#shared = shared;
    const { signal } = this.#abort;
    const root = shadow(el, MANIFEST_CSS + DIALOG_CSS + CONFIRM_CSS);
    this.#host = root.host as HTMLElement;
    this.#root.setAttribute("data-lm-suppress-shortcuts", "true");
    const find = this.#button("Search", "Search in the text (Ctrl+F)", () => this.#editor.search());
    const copy = this.#button("Copy", "Copy the text, without the managed fields while they are folded", () => void this.#copy());
    this.#reveal = this.#button("Reveal values", "Show the values of this Secret", () => void this.#toggle());
    this.#edit = this.#button("Edit", "Change the text; nothing is changed in the cluster before you have seen what", () => void this.#begin());
    this.#review = this.#button("Review change", "See what would change in the cluster (Ctrl+S)", () => void this.#ask());
    this.#discard = this.#button("Stop editing", "Leave the edit", () => this.#end());
    this.#reload.addEventListener("click", () => this.#reloaded(), { signal });
    const bar = element("div", { class: "bar", role: "group", "aria-label": "YAML" });
    bar.append(this.#version, element("span", { class: "push" }), this.#said, this.#reveal, find, copy, this.#edit, this.#discard, this.#review);
    this.#note.append(this.#noteText, this.#reload);
    const into = element("div", { class: "text" });
    this.#root.append(bar, this.#note, into);
    root.append(this.#root);
    this.#editor = new Editor(into, root, "YAML", () => this.#changed(), () => void this.#ask());
    signal.addEventListener("abort", () => this.#editor.dispose());
    hideCopy(el, String(model.get("_copy")), signal);
    this.draw();
  }

  dispose(): void {
    // one that its user has discarded is not marked any more
    if (this.#host.hasAttribute(UNSAVED) && this.#shared.link.condition.kernel === "gone") {
      const [base, clash, version, bare] = [this.#base, this.#clash, this.#shown, this.#bare];
      left.set(identity(base), { base, clash, text: this.#editor.text, version, bare });
    }
    this.#abort.abort();
  }

  draw(): void {
    const { data } = this.#shared;
    if (data !== undefined) {
      this.#root.setAttribute("aria-label", `YAML of ${kindWords(data.ref.kind)} ${data.ref.name}`);
      const free = this.#shown === "" || (!this.#editor.used && !this.#editor.editing);
      if (data.text !== "" && data.version !== this.#shown && free) this.#take();
      if (data.write && !this.#editor.editing) this.#goOn(identity(data.text));
    }
    this.#say(data);
    const wish = this.#host.closest(`[${EDIT}]`);
    if (wish === null || data === undefined || this.#shown === "") return;
    wish.removeAttribute(EDIT);
    if (!this.#edit.hidden) void this.#begin();
  }

  // --- reading ------------------------------------------------------------------------------------------------------

  /** Show the newest. */
  #take(): void {
    const { data } = this.#shared;
    if (data === undefined || data.text === "") return;
    if (this.#bare) {
      void this.#bared();
      return;
    }
    this.#shown = data.version;
    this.#editor.show(data.text);
    this.#say(data);
  }

  async #copy(): Promise<void> {
    const text = this.#editor.managedFolded ? withoutManaged(this.#editor.text) : this.#editor.text;
    setText(this.#said, (await toClipboard(text)) ? "copied" : "the browser does not let it be copied");
  }

  /** Show a Secret's values, or hide them again. */
  async #toggle(): Promise<void> {
    if (!this.#bare) await this.#bared();
    else {
      this.#bare = false;
      this.#take();
    }
    this.#say(this.#shared.data);
  }

  /** The text with a Secret's values, which comes in no other way. */
  async #bared(): Promise<boolean> {
    this.#bare = true;
    const answer = await this.#shared.link.ask({ t: "do", what: "reveal", view: this.id });
    if (!this.#bare || this.#editor.editing) return false; // they were hidden again, or an edit began, meanwhile
    this.#bare = answer.ok;
    if (!answer.ok) {
      setText(this.#said, answer.error ?? "");
      return false;
    }
    this.#shown = String(answer["version"]);
    this.#editor.show(String(answer["text"]));
    this.#say(this.#shared.data);
    return true;
  }

  // --- editing ------------------------------------------------------------------------------------------------------

  async #begin(): Promise<void> {
    const { data } = this.#shared;
    // a Secret is edited with its values: what is hidden cannot be put back
    if (data === undefined || (data.veiled && !(await this.#bared()))) return;
    setText(this.#said, "");
    // the managed fields are the server's own, and nobody edits them
    this.#base = withoutManaged(this.#editor.text);
    this.#editor.show(this.#base);
    this.#clash = "";
    this.#editor.edit(true);
    this.#changed();
  }

  /** Go on with an edit of this object that was left, if there is one. */
  #goOn(object: string): void {
    const edit = left.get(object);
    if (object === "" || edit === undefined) return;
    left.delete(object);
    [this.#base, this.#clash, this.#shown, this.#bare] = [edit.base, edit.clash, edit.version, edit.bare];
    this.#editor.show(edit.text);
    this.#editor.edit(true);
    this.#changed();
  }

  #end(): void {
    this.#base = this.#clash = "";
    this.#editor.edit(false);
    this.#editor.show("");
    this.#shown = "";
    this.#take();
    this.#changed();
    this.#edit.focus();
  }

  get #unsaved(): boolean {
    return this.#editor.editing && this.#editor.text !== this.#base;
  }

  #changed(): void {
    this.#host.toggleAttribute(UNSAVED, this.#unsaved);
    this.#say(this.#shared.data);
  }

  /** Have the cluster say what would change, and do that where its user wants it; `over` what somebody else has changed. */
  async #ask(over = false): Promise<void> {
    const { data, link } = this.#shared;
    if (data === undefined || !this.#unsaved || this.#review.disabled) return;
    const ended = await change(
      this.#root,
      (message) => link.ask({ ...message, view: this.id }),
      { what: "apply", text: this.#editor.text, base: this.#base, over },
      `${kindWords(data.ref.kind).toLowerCase()} ${data.ref.name}`,
      this.#abort.signal,
    );
    if (this.#abort.signal.aborted) return;
    if (ended.done) this.#end();
    this.#clash = ended.clash ?? "";
    setText(this.#said, ended.done ? ended.said : "");
    this.#say(this.#shared.data);
  }

  /** What the note's button does: show the newest, or edit over it. */
  #reloaded(): void {
    if (this.#editor.editing) void this.#ask(true);
    else this.#take();
  }

  // --- words --------------------------------------------------------------------------------------------------------

  #say(data: Data | undefined): void {
    const { editing } = this.#editor;
    const live = this.#shared.link.condition.kernel === "live";
    const { text, tone, reload } = this.#standing(data);
    this.#note.className = `note ${tone ?? ""}`.trim();
    setText(this.#noteText, text);
    this.#note.hidden = text === "";
    this.#reload.hidden = reload === undefined;
    setText(this.#reload, reload ?? "");
    this.#root.classList.toggle("frozen", !live);
    this.#edit.hidden = editing || data?.write !== true || data.deleted !== null || this.#shown === "";
    this.#review.hidden = this.#discard.hidden = !editing;
    this.#review.disabled = !this.#unsaved || !live || data?.deleted !== null;
    setText(this.#discard, this.#unsaved ? "Discard my changes" : "Stop editing");
    this.#reveal.hidden = data?.veiled !== true || editing;
    this.#reveal.setAttribute("aria-pressed", String(this.#bare));
    setText(this.#reveal, this.#bare ? "Hide values" : "Reveal values");
    const hidden = data?.veiled === true && !this.#bare ? " · values are hidden" : "";
    setText(this.#version, this.#shown === "" ? "" : `${editing ? "editing " : ""}version ${this.#shown}${hidden}`);
  }

  #standing(data: Data | undefined): Note {
    const { condition } = this.#shared.link;
    const { editing } = this.#editor;
    const cut = cutWords(condition, `Run the cell again.${this.#unsaved ? " Your text is here to be copied." : ""}`);
    if (cut !== "") return { text: cut, tone: "bad" };
    const idle = idleWords(condition);
    if (idle !== "") return { text: idle, tone: "warn" };
    if (data === undefined) return { text: "reading …" };
    const { cluster, ref } = data;
    if (data.deleted !== null) {
      const kept = editing ? "Your text is here to be copied." : "This is how it was.";
      return { text: `Deleted at ${clock(data.deleted)}. ${kept}`, tone: "warn" };
    }
    if (data.closed) return { text: "Not live: the connection was closed.", tone: "warn" };
    if (cluster.state !== "live" && cluster.state !== "connecting") {
      return { text: `${cluster.name}: ${trouble(cluster, this.#shared.now())}`, tone: "warn" };
    }
    if (data.missing) return { text: `There is no ${kindWords(ref.kind)} ${ref.name} in ${cluster.name} now.`, tone: "warn" };
    if (data.text === "") return { text: "reading …" };
    if (editing && this.#clash !== "") {
      return { text: `${this.#clash}. Your text is kept; over theirs it would undo that, as the review shows.`, tone: "warn", reload: "Review it over theirs" };
    }
    if (editing && this.#overtaken(data)) {
      return { text: "It has been changed by somebody else since your edit began. What you change is made to the newer state, as the review shows.", tone: "warn" };
    }
    if (!editing && data.version !== this.#shown) {
      return { text: "It has changed since. The text stays while you are in it.", reload: "Reload" };
    }
    return { text: "" };
  }

  /** Whether somebody else has changed what is edited; a status that goes on is nobody. */
  #overtaken(data: Data): boolean {
    if (data.version === this.#shown || data.veiled) return false; // of a Secret the review says it
    return substance(data.text) !== substance(this.#base);
  }

  #button(text: string, title: string, go: () => void): HTMLButtonElement {
    const made = element("button", { type: "button", title }, text);
    made.addEventListener("click", go, { signal: this.#abort.signal });
    return made;
  }
}
