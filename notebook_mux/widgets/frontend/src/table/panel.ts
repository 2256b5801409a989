/** The pane below the rows: one object in full, its YAML, events, logs and a shell, each a widget of the kernel's. */

import type { Cleanup, Model } from "../common/afm";
import { element, setText } from "../common/dom";
import { EDIT, kindWords, onJump, type Ref, UNSAVED } from "../common/jump";
import { type Entry, Menu } from "../common/menu";
import { showPart } from "../common/part";
import { Grip } from "../terminal/grip";
import { type Place, placeWords, sameObject, type Tab, tabsOf, TITLES, Trail } from "./places";
import type { Row } from "./rows";
import { Tabs } from "./tabs";

export { PANEL_CSS } from "./panel_css";

/** The pane's height to begin with; the last that was set by hand in this page, afterwards. */
let height = 360;

/** Where a shell takes keys, within its own shadow root; it is there when a program runs, for which a page waits a minute. */
const KEYS_TO = "textarea";
const FRAMES = 3600;

/** Said before anything is done, for a tab alone starts no pod. */
const NODE_SHELL = "A shell on a node needs a pod there that may do everything on it; it is deleted with the shell.";

/** The kernel's answer to what was asked for: the widget that shows it, or what there is to say instead. */
interface Answer {
  ok: boolean;
  error?: string;
  model?: string;
  said?: string;
  bad?: boolean;
}

export interface PanelActions {
  /** The object of a row; its kind is "" while that is not known. */
  place(row: Row): Place;
  /** Where it is, in words, as far as the table does not say it. */
  where(place: Place): string;
  /** Whether a cluster may be changed from here. */
  writes(cluster: string): boolean;
  ask(what: Tab, place: Place): Promise<Answer>;
  /** It has been closed here: let go of what it showed. */
  left(key: string): void;
  /** The menu of what can be changed of an object; `edit` shows its YAML. */
  changes(place: Place, edit: () => void): Entry[];
  /** Show an object among others of its kind in the table; undefined where that cannot be done. */
  pick?: (place: Place) => void;
}

export class Panel {
  readonly element = element("section", { class: "panel", role: "region", tabindex: "-1", hidden: "" });
  #way = element("ol", { class: "way" });
  #where = element("span", { class: "dim" });
  #back = element("button", { type: "button", class: "step", title: "Back (Alt+Left)", "aria-label": "Back" }, "‹");
  #forward = element("button", { type: "button", class: "step", title: "Forward (Alt+Right)", "aria-label": "Forward" }, "›");
  #pick = element("button", { type: "button", title: "Show it in the table, among others of its kind" }, "In the table");
  #changes = element("button", { type: "button", title: "Change this object" }, "Actions");
  #close = element("button", { type: "button", title: "Close (Escape)" }, "Close");
  #asks = element("div", { class: "asks", role: "alert", hidden: "" });
  #body = element("div", { class: "body" });
  #grip: Grip;
  #tabs: Tabs;
  #model: Model;
  #actions: PanelActions;
  #signal: AbortSignal;
  #key = "";
  #trail = new Trail();
  #shown = new Set<Tab>();
  #removers: Cleanup[] = [];
  /** Of the openings: what an earlier one asked for comes too late. */
  #opening = 0;

  constructor(model: Model, actions: PanelActions, signal: AbortSignal) {
    this.#model = model;
    this.#actions = actions;
    this.#signal = signal;
    const chosen = (tab: Tab, into: boolean) => {
      this.#choose(tab);
      if (into) this.focus();
    };
    this.#tabs = new Tabs(this.#body, chosen, signal);
    this.#grip = new Grip((pixels) => this.#high(pixels), signal);
    const on = (button: HTMLElement, go: () => void) => button.addEventListener("click", go, { signal });
    on(this.#close, () => this.close());
    on(this.#back, () => this.#step(-1));
    on(this.#forward, () => this.#step(1));
    on(this.#pick, () => this.#inTable());
    const bar = element("div", { class: "bar" }, this.#back, this.#forward);
    bar.append(element("nav", { "aria-label": "The way here" }, this.#way), this.#where);
    bar.append(element("span", { class: "ends" }, this.#pick, this.#changes, this.#close));
    new Menu(this.#changes, () => this.#offers(), signal);
    this.element.append(bar, this.#tabs.element, this.#asks, this.#body, this.#grip.bar);
    this.element.addEventListener("keydown", (event) => this.#keys(event), { signal });
    onJump(this.#body, (ref) => this.#jump(ref), signal);
    signal.addEventListener("abort", () => this.#end());
  }

  /** The key of the row that it was opened for; "" for none. */
  get key(): string {
    return this.#key;
  }

  /** Show a row's object, in place of another; `byKey` gives it the focus. */
  open(row: Row, tab: Tab = "details", byKey = false): void {
    const place = this.#actions.place(row);
    const { here } = this.#trail;
    const same = here !== undefined && this.#key === row.key && sameObject(here, place);
    this.#unlessUnsaved(same, () => {
      if (!same) {
        this.#key = row.key;
        this.#trail.begin(place);
        this.#object();
      }
      this.#choose(tab);
      if (byKey) this.focus();
    });
  }

  /** Show a row's YAML, to be edited. */
  edit(row: Row): void {
    this.open(row, "yaml", true);
    if (this.#key === row.key) this.#edit();
  }

  close(): void {
    if (this.#key !== "") this.#unlessUnsaved(false, () => this.#end());
  }

  focus(): void {
    // when whoever had the key is through with it
    setTimeout(() => {
      if (this.element.hidden || this.#elsewhere) return;
      this.#tabs.button.focus();
      if (this.#tabs.now === "shell") this.#intoShell(FRAMES);
    });
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  #end(): void {
    const key = this.#key;
    if (key === "") return;
    this.#clear();
    this.#key = "";
    this.#trail.clear();
    this.element.hidden = true;
    this.#actions.left(key);
  }

  #clear(): void {
    this.#opening += 1;
    this.#shown.clear();
    this.#asks.hidden = true;
    this.#tabs.panel("yaml").removeAttribute(EDIT);
    for (const remove of this.#removers.splice(0)) remove();
    this.#tabs.clear();
  }

  /** Another object than before is here. */
  #object(): void {
    const { here } = this.#trail;
    if (here === undefined) return;
    this.#clear();
    this.#grip.set(height);
    const words = placeWords(here);
    this.element.setAttribute("aria-label", words);
    this.#close.setAttribute("aria-label", `Close ${words}`);
    this.#back.disabled = !this.#trail.canBack;
    this.#forward.disabled = !this.#trail.canForward;
    this.#back.hidden = this.#forward.hidden = !this.#trail.canBack && !this.#trail.canForward;
    this.#pick.hidden = this.#actions.pick === undefined || here.kind === "" || !this.#trail.canBack;
    setText(this.#where, this.#actions.where(here));
    this.#crumbs();
    this.#changes.hidden = here.kind === "" || !this.#actions.writes(here.cluster);
    this.element.hidden = false;
  }

  #offers(): Entry[] {
    const { here } = this.#trail;
    return here === undefined ? [] : this.#actions.changes(here, () => this.#edit());
  }

  #crumbs(): void {
    const { way } = this.#trail;
    this.#way.replaceChildren(
      ...way.map((place, at) => {
        const words = placeWords(place);
        if (at === way.length - 1) {
          const kind = element("span", { class: "dim" }, kindWords(place.kind));
          return element("li", { "aria-current": "true" }, kind, element("span", { class: "title" }, place.name));
        }
        const button = element("button", { type: "button", title: `Back to ${words}` }, words);
        button.addEventListener("click", () => this.#step(at - (way.length - 1)));
        return element("li", {}, button);
      }),
    );
  }

  #edit(): void {
    this.#choose("yaml");
    this.#tabs.panel("yaml").setAttribute(EDIT, "");
  }

  #jump(ref: Ref): void {
    this.#unlessUnsaved(false, () => {
      if (!this.#trail.go(ref)) return;
      this.#arrive();
    });
  }

  #step(by: number): void {
    this.#unlessUnsaved(false, () => {
      if (this.#trail.step(by)) this.#arrive();
    });
  }

  #arrive(): void {
    const tab = this.#tabs.now;
    this.#object();
    this.#choose(tab);
    this.#tabs.button.focus();
  }

  #inTable(): void {
    const { here } = this.#trail;
    if (here !== undefined) this.#actions.pick?.(here);
  }

  #choose(wanted: Tab): void {
    const { here } = this.#trail;
    if (here === undefined) return;
    const offered = tabsOf(here.kind, this.#actions.writes(here.cluster));
    const tab = offered.includes(wanted) ? wanted : "details";
    this.#tabs.show(offered, tab);
    if (this.#shown.has(tab)) return;
    this.#shown.add(tab);
    if (tab === "shell" && here.kind === "Node") this.#again(tab, here, NODE_SHELL, false, "Start it");
    else void this.#fill(tab, here);
  }

  async #fill(tab: Tab, place: Place): Promise<void> {
    const opening = this.#opening;
    const title = TITLES[tab];
    this.#tabs.say(tab, tab === "shell" ? "starting a shell …" : `reading: ${title} …`);
    const answer = await this.#actions.ask(tab, place);
    if (opening !== this.#opening) return;
    if (!answer.ok || answer.model === undefined) {
      this.#again(tab, place, answer.said ?? answer.error ?? "", !answer.ok || answer.bad === true, "Try again");
      return;
    }
    const ended = () => {
      if (opening !== this.#opening) return;
      const kept = tab === "yaml" && this.#edited !== null ? " Your changes are kept." : "";
      this.#again(tab, place, `It was let go of, for nobody looked for some minutes, or it was closed.${kept}`, false, "Show it again");
    };
    try {
      const remove = await showPart(this.#model, answer.model, this.#tabs.panel(tab), ended);
      if (opening === this.#opening) this.#removers.push(remove);
      else remove();
    } catch (error) {
      if (opening === this.#opening) this.#again(tab, place, error instanceof Error ? error.message : String(error), true, "Try again");
    }
  }

  /** Say why there is nothing, with a button that asks anew. */
  #again(tab: Tab, place: Place, text: string, bad: boolean, verb: string): void {
    const button = element("button", { type: "button" }, verb);
    button.addEventListener("click", () => void this.#fill(tab, place), { signal: this.#signal });
    this.#tabs.say(tab, text, bad).append(button);
  }

  #high(pixels: number): void {
    height = pixels;
    this.element.style.setProperty("--part-height", `${pixels}px`);
  }

  #keys(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.composedPath().includes(this.#tabs.panel("shell"))) return; // a terminal's own
    if (event.altKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      event.preventDefault();
      event.stopPropagation();
      this.#step(event.key === "ArrowLeft" ? -1 : 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    }
  }

  /** Do something that lets go of what is shown; where there is text that was not applied, ask before. */
  #unlessUnsaved(harmless: boolean, go: () => void): void {
    this.#asks.hidden = true;
    if (harmless || this.#edited === null) {
      go();
      return;
    }
    const leave = element("button", { type: "button" }, "Discard my changes");
    const stay = element("button", { type: "button" }, "Keep editing");
    leave.addEventListener("click", () => this.#edited?.removeAttribute(UNSAVED));
    leave.addEventListener("click", go);
    leave.addEventListener("click", () => (this.#asks.hidden = true));
    stay.addEventListener("click", () => {
      this.#asks.hidden = true;
      this.#choose("yaml");
    });
    this.#asks.replaceChildren(element("span", {}, "The YAML has changes of yours that are not applied."), stay, leave);
    this.#asks.hidden = false;
    stay.focus();
  }

  /** What has text that is not applied. */
  get #edited(): Element | null {
    return this.#tabs.panel("yaml").querySelector(`[${UNSAVED}]`);
  }

  /** What has the focus in this view. */
  get #within(): Element | null {
    return (this.element.getRootNode() as ShadowRoot).activeElement;
  }

  /** Whether something outside of this view has the focus; nothing has it where it is the document's body. */
  get #elsewhere(): boolean {
    return this.#within === null && document.activeElement !== document.body;
  }

  /** Keys go to the shell when it is drawn, unless somebody has gone elsewhere meanwhile. */
  #intoShell(frames: number): void {
    const panel = this.#tabs.panel("shell");
    if (frames === 0 || panel.hidden || !panel.isConnected) return;
    const within = this.#within;
    if (this.#elsewhere || (within !== null && within !== this.#tabs.button)) return;
    for (const one of panel.querySelectorAll("*")) {
      const into = one.shadowRoot?.querySelector<HTMLElement>(KEYS_TO);
      if (into) {
        into.focus();
        return;
      }
    }
    requestAnimationFrame(() => this.#intoShell(frames - 1));
  }
}
