/** One view of a terminal: toolbar, screen, and a session of its own. */

import type { Model } from "../common/afm";
import { clock, element, hideCopy } from "../common/dom";
import { randomId } from "../common/ids";
import type { Link } from "../common/link";
import { shadow } from "../common/style";
import { Asking } from "./asking";
import { Bar } from "./bar";
import { toClipboard } from "../common/clipboard";
import { Connector, type Memory } from "./connector";
import { CSS } from "./css";
import { Finder } from "./finder";
import { encode, type Item } from "./frames";
import { Grip } from "./grip";
import type { Head } from "./head";
import { Lines } from "./lines";
import { showMenu } from "./menu";
import { Pane } from "./pane";
import { asInput, asksFirst, clean, lines } from "./paste";
import { Session } from "./session";
import { isLimited, standing, troubleLine, type View as Stood } from "./standing";
import { surroundings } from "./surroundings";
import { plain, typed } from "./words";

const TICK_MS = 1000;
/** For a new size to go to the gateway and come back as the one in force. */
const SETTLED_MS = 800;
const FIRST_PX = 400;
/** What needs nothing to be done goes by itself. */
const SAID_MS = 8000;
const MAX_UNSENT = 4000;

/** What a view needs of the page's copy. */
export interface Shared {
  readonly link: Link;
  readonly head: Head | undefined;
  readonly memory: Memory;
  /** Whether this view is the one of the page's that answers. */
  answers(view: View): boolean;
}

export class View {
  readonly session: Session;
  #shared: Shared;
  #abort = new AbortController();
  #root = element("div", { class: "root", role: "region", tabindex: "-1", "data-lm-suppress-shortcuts": "true" });
  #frame = element("div", { class: "frame" });
  #screen = element("div", { class: "screen" });
  #grip: Grip;
  #bar: Bar;
  #lines = new Lines();
  #asking = new Asking(this.#root);
  #finder: Finder;
  #pane: Pane;
  #connector: Connector;
  #opened = false;
  /** When the room for it changed last, and what it was. */
  #roomed = { at: 0, size: "" };
  #unsent = "";
  #saying: ReturnType<typeof setTimeout> | undefined;
  #locked = false;
  #watching: boolean;

  constructor(model: Model, el: HTMLElement, shared: Shared) {
    this.#shared = shared;
    const { signal } = this.#abort;
    const { link } = shared;
    const back = () => this.#pane.focus();
    this.#bar = new Bar(
      {
        container: (name) => void this.#do({ t: "set", name: "container", value: name }),
        search: () => this.#find(),
        copy: () => void this.#copy(),
        paste: () => void this.#pasteClipboard(),
        font: (step) => this.#font(step),
        full: () => void this.#full(),
        lock: () => this.#lock(),
        record: () => void this.#do({ t: "do", what: "record" }),
        freeze: () => void this.#freeze(),
        end: () => void this.#end(),
      },
      signal,
    );
    this.#pane = new Pane(
      this.#screen,
      {
        key: (event) => this.#key(event),
        notSent: (text) => this.#notSent(text),
        refused: (bytes, why) => this.#say(`${bytes === 1 ? "1 byte" : `${bytes} bytes`} of what was typed went nowhere: ${plain(why)}`, "bad"),
        paste: (text) => void this.#paste(text),
        link: (target) => void this.#link(target),
        changed: () => this.#changed(),
        sized: () => this.tick(),
        answers: () => shared.answers(this) && shared.head?.answers === link.page,
      },
      signal,
    );
    this.#finder = new Finder(this.#pane.search, back, signal);
    this.session = this.#pane.session = new Session(randomId(), this.#pane);
    this.#connector = new Connector(this.session, surroundings(link, this.session.id), shared.memory);
    this.#watching = link.condition.attention === "watching";
    this.#grip = new Grip((pixels) => (this.#frame.style.height = `${pixels}px`), signal);
    this.#frame.append(this.#screen);
    this.#root.append(this.#bar.top, this.#lines.box, this.#finder.bar, this.#frame, this.#grip.bar);
    shadow(el, CSS).append(this.#root);
    this.#listen(signal);
    hideCopy(el, String(model.get("_copy")), signal);
    this.#grip.set(Number(model.get("height")) || FIRST_PX);
    const seen = new ResizeObserver(() => this.#fitted());
    seen.observe(this.#frame);
    const timer = setInterval(() => this.tick(), TICK_MS);
    signal.addEventListener("abort", () => {
      seen.disconnect();
      clearInterval(timer);
      clearTimeout(this.#saying);
      this.#connector.stop();
    });
    if (shared.head !== undefined) this.head(shared.head);
    this.tick();
  }

  dispose(): void {
    this.#abort.abort();
  }

  // --- from the kernel ----------------------------------------------------------------------------------------------

  head(head: Head): void {
    this.#root.setAttribute("aria-label", `terminal: ${head.title}`);
    this.#pane.label = `Terminal input, ${head.title}. Ctrl+Shift+Up leaves it.`;
    this.#pane.convertEol = !head.tty;
    this.#bar.head(head);
    this.#others(head);
    // it was lost with its gateway and has been started anew: the view that was ended then begins again
    if (this.session.phase === "refused" && head.state === "running") this.#connector.renew();
    this.#lines.set("note", head.note === "" ? undefined : { text: plain(head.note), tone: "bad" });
    this.tick();
  }

  receive(number: number, items: Item[]): void {
    this.#connector.receive(number, items);
  }

  /** Another terminal is in this one's place. */
  renew(): void {
    this.#lines.set("said", undefined);
    this.#connector.renew();
  }

  /** The kernel or the page's attention has changed. */
  condition(): void {
    const { kernel, attention } = this.#shared.link.condition;
    const watching = attention === "watching";
    if (watching !== this.#watching) {
      this.#watching = watching;
      // nobody looks: nothing comes, and this view's size limits nobody
      if (!watching) this.#connector.stop();
      else if (this.#opened) this.#connector.start();
    } else if (kernel !== "reconnecting") this.#connector.kernel();
    this.tick();
  }

  tick(): void {
    const { head, link } = this.#shared;
    this.session.readonly = this.#locked || head?.readonly === true || head?.state === "closed";
    const stood: Stood = {
      session: this.session, head, way: this.#connector.way, locked: this.#locked, room: this.#room(),
    };
    this.#bar.tick(standing(stood));
    this.#lines.set("trouble", troubleLine(stood, link.condition, link.waits, { "Go on": () => link.touch() }));
    this.#frame.classList.toggle("away", this.session.phase !== "shown");
    this.#screen.classList.toggle("limited", isLimited(this.session, stood.room));
    this.#root.dataset["state"] = this.session.open ? "open" : this.session.phase;
    this.#pane.retheme();
  }

  // --- the way ------------------------------------------------------------------------------------------------------

  #changed(): void {
    this.#connector.check();
    this.tick();
  }

  // --- size ---------------------------------------------------------------------------------------------------------

  #fitted(): void {
    if (this.#frame.clientWidth === 0) return;
    if (!this.#opened) {
      this.#opened = true;
      this.#pane.open(this.#abort.signal);
      if (this.#shared.head !== undefined) this.head(this.#shared.head);
    }
    const room = this.#pane.room();
    if (room === undefined) return;
    this.#pane.presize(room.columns, room.rows);
    const size = `${room.columns}×${room.rows}`;
    if (size !== this.#roomed.size) this.#roomed = { at: performance.now(), size };
    this.session.resize(room.columns, room.rows);
    if (this.#watching) this.#connector.start();
    this.tick();
  }

  /** The room that the gateway knows of by now. */
  #room(): Stood["room"] {
    return this.#opened && performance.now() - this.#roomed.at > SETTLED_MS ? this.#pane.room() : undefined;
  }

  #font(step: 1 | -1): void {
    this.#pane.fontSize += step;
    this.#fitted();
  }

  async #full(): Promise<void> {
    try {
      if (document.fullscreenElement !== null) await document.exitFullscreen();
      else await this.#root.requestFullscreen();
    } catch {
      this.#say("This page does not allow full screen.", "warn");
    }
    this.#pane.focus();
  }

  // --- keys, mouse and clipboard ------------------------------------------------------------------------------------

  #listen(signal: AbortSignal): void {
    this.#root.addEventListener("focus", () => this.#pane.focus(), { signal });
    this.#frame.addEventListener(
      "contextmenu",
      (event) => {
        event.preventDefault();
        event.stopPropagation();
        if (this.#pane.mouseTaken && !event.shiftKey) return;
        const at = this.#root.getBoundingClientRect();
        const entries = [
          { words: "Copy", act: () => void this.#copy(), enabled: this.#pane.selection !== "" },
          { words: "Paste", act: () => void this.#pasteClipboard(), enabled: this.session.open },
          { words: "Select all", act: () => this.#pane.selectAll(), enabled: true },
          { words: "Search", act: () => this.#find(), enabled: true },
          {
            words: this.#pane.readable ? "Not for a screen reader" : "For a screen reader",
            act: () => (this.#pane.readable = !this.#pane.readable),
            enabled: true,
          },
        ];
        showMenu(this.#root, event.clientX - at.left, event.clientY - at.top, entries, () => this.#pane.focus());
      },
      { signal },
    );
    document.addEventListener("fullscreenchange", () => this.#fitted(), { signal });
    const theme = new MutationObserver(() => this.#pane.retheme());
    theme.observe(document.body, { attributes: true });
    signal.addEventListener("abort", () => theme.disconnect());
  }

  /** Keys that are this view's and not the program's. */
  #key(event: KeyboardEvent): boolean {
    const shifted = event.ctrlKey && event.shiftKey && !event.altKey;
    const act = !shifted
      ? undefined
      : { KeyC: () => void this.#copy(), KeyV: () => void this.#pasteClipboard(), KeyF: () => this.#find(),
          ArrowUp: () => this.#bar.focus() }[event.code];
    if (act !== undefined) {
      event.preventDefault();
      act();
      return true;
    }
    if (event.key !== "Enter") return false;
    const shown = this.session.phase === "shown";
    const state = shown ? this.session.run?.state : this.#shared.head?.state;
    if ((state !== "ended" && state !== "lost") || this.#locked || this.#shared.link.condition.kernel !== "live") return false;
    event.preventDefault();
    void this.#do({ t: "do", what: "again" });
    return true;
  }

  async #copy(): Promise<void> {
    if (this.#pane.selection === "") this.#say("Nothing is selected.", "");
    else if (!(await this.#pane.copy())) this.#say("The browser does not let this page use the clipboard: press Ctrl+C in its own menu.", "warn");
    this.#pane.focus();
  }

  async #pasteClipboard(): Promise<void> {
    try {
      await this.#paste(await navigator.clipboard.readText());
    } catch {
      this.#say("The browser does not let this page read the clipboard: paste with Shift+Insert.", "warn");
      this.#pane.focus();
    }
  }

  async #paste(raw: string): Promise<void> {
    const text = clean(raw);
    if (text === "") return;
    if (asksFirst(text)) {
      const bracketed = this.#pane.bracketed;
      const go = await this.#asking.ask(
        {
          title: `Paste ${lines(text)} ${lines(text) === 1 ? "line with its end" : "lines"}?`,
          text,
          note: bracketed ? "The program is told that this is pasted." : "Each line may run as a command.",
          yes: "Paste",
        },
        () => this.#pane.focus(),
      );
      if (!go) return;
    }
    this.#pane.toEnd();
    if (!this.session.type(encode(asInput(text, this.#pane.bracketed)))) this.#notSent(text);
  }

  async #link(target: URL): Promise<void> {
    const copy = { "Copy it": () => void toClipboard(target.href) };
    const go = await this.#asking.ask(
      { title: `Open a page of ${target.host}?`, text: target.href, note: "A program in the terminal printed this.", yes: "Open", more: copy },
      () => this.#pane.focus(),
    );
    if (go) window.open(target.href, "_blank", "noopener,noreferrer");
  }

  #find(): void {
    this.#finder.show(this.#pane.selection);
  }

  // --- what was not sent, and other words ---------------------------------------------------------------------------

  #notSent(text: string): void {
    if (this.session.run?.state === "ended" || this.session.run?.state === "lost") return; // its line says what to do
    this.#unsent = (this.#unsent + text).slice(-MAX_UNSENT);
    this.#lines.set("unsent", {
      text: `Not sent, and not kept to be sent: ${typed(this.#unsent)}`,
      tone: "warn",
      actions: {
        Copy: () => void toClipboard(this.#unsent),
        Dismiss: () => {
          this.#unsent = "";
          this.#lines.set("unsent", undefined);
        },
      },
    });
  }

  #say(text: string, tone: "" | "warn" | "bad"): void {
    clearTimeout(this.#saying);
    if (tone === "") this.#saying = setTimeout(() => this.#lines.set("said", undefined), SAID_MS);
    this.#lines.set("said", { text, tone, actions: { Dismiss: () => this.#lines.set("said", undefined) } });
  }

  #others(head: Head): void {
    const other = head.others[0];
    if (other === undefined || head.state === "closed") {
      this.#lines.set("others", undefined);
      return;
    }
    this.#lines.set("others", {
      text: `An earlier kernel of this notebook left ${plain(other.title)} running, since ${clock(other.since)}.`,
      tone: "",
      actions: { "Take it over": () => void this.#do({ t: "do", what: `take ${this.#shared.head?.others[0]?.terminal ?? ""}` }) },
    });
  }

  // --- what the kernel does -----------------------------------------------------------------------------------------

  async #do(message: Record<string, unknown>): Promise<void> {
    const answer = await this.#shared.link.ask({ ...message, view: this.session.id });
    if (!answer.ok) this.#say(plain(String(answer.error)), "bad");
    else if (typeof answer["said"] === "string" && message["what"] !== "again") this.#say(plain(answer["said"]), "");
  }

  #lock(): void {
    this.#locked = !this.#locked;
    this.tick();
    this.#pane.focus();
  }

  async #freeze(): Promise<void> {
    const text = this.#pane.text();
    if (this.#shared.head?.saveOutput === true) return this.#do({ t: "keep", text });
    let alone = false;
    const go = await this.#asking.ask(
      {
        title: "Save what the terminal shows into the notebook?",
        note: `${lines(text)} lines, readable by everyone who gets the notebook. Without them the copy says only what this is and how it stands.`,
        yes: "Save with output",
        more: { "Save without output": () => (alone = true) },
      },
      () => this.#pane.focus(),
    );
    if (go) await this.#do({ t: "keep", text });
    else if (alone) await this.#do({ t: "do", what: "freeze" });
  }

  async #end(): Promise<void> {
    const go = await this.#asking.ask(
      { title: "End the program and close the terminal?", note: "For all its views. What it does is lost.", yes: "End it" },
      () => this.#pane.focus(),
    );
    if (go) await this.#do({ t: "do", what: "hangup" });
  }
}
