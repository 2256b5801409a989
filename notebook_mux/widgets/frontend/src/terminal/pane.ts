/** xterm.js in a view: what a session draws into, what is typed, selected, pasted and clicked there. */

import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";

import { toClipboard } from "../common/clipboard";
import { drawEvent, drawSkipped, RESET } from "./drawing";
import { encode, latin1, type RunEvent } from "./frames";
import { putGates, safeTarget } from "./gates";
import { Pace, type Switch } from "./pace";
import type { Screen, Session } from "./session";
import { CONTRAST, themeAt } from "./theme";

const SCROLLBACK_LINES = 10_000;

/** DEC private mode 2026, synchronized output. */
const SYNCHRONIZED = 2026;

/** What xterm.js 6 has inside; it has no public way to draw less often. */
interface Inner {
  _core?: {
    coreService?: { decPrivateModes?: Switch };
    _selectionService?: { refresh?(): void };
    _syncTextArea?(): void;
    _viewport?: { _sync?(): void };
  };
}

/** Keys are told apart from the terminal's own answers by what happened in the page this short a while ago. */
const USERS_MS = 50;

export const FONT_SIZES = { least: 8, most: 28, first: 13 };

/** What a pane asks of its view. */
export interface Wishes {
  /** A key that the view takes for itself: true if it did. */
  key(event: KeyboardEvent): boolean;
  /** Keys came that are not sent. */
  notSent(text: string): void;
  refused(bytes: number, why: string): void;
  paste(text: string): void;
  link(target: URL): void;
  changed(): void;
  sized(): void;
  /** Whether this view answers what programs ask. */
  answers(): boolean;
}

export class Pane implements Screen {
  readonly host: HTMLElement;
  readonly search = new SearchAddon({ highlightLimit: 2_000 });
  session!: Session;
  #terminal: Terminal;
  #pace: Pace;
  #fit = new FitAddon();
  #wishes: Wishes;
  #users = 0;
  #theme = "";

  constructor(host: HTMLElement, wishes: Wishes, signal: AbortSignal) {
    this.host = host;
    this.#wishes = wishes;
    this.#terminal = new Terminal({
      allowProposedApi: true, // unicode versions and the search's decorations
      cursorBlink: false,
      fontFamily: this.#font(),
      fontSize: FONT_SIZES.first,
      logLevel: "off", // what a program writes that is no text is its own matter, and no error of the page
      minimumContrastRatio: CONTRAST,
      rightClickSelectsWord: false,
      scrollback: SCROLLBACK_LINES,
      windowOptions: {},
      linkHandler: { activate: (_event, text) => this.#clicked(text), allowNonHttpProtocols: false },
    });
    const { parser } = this.#terminal;
    this.#pace = new Pace(this.#terminal, () => (this.#terminal as Inner)._core?.coreService?.decPrivateModes);
    for (const final of ["h", "l"]) {
      parser.registerCsiHandler({ prefix: "?", final }, (modes) => {
        if (modes.includes(SYNCHRONIZED)) this.#pace.program(final === "h");
        return false;
      });
    }
    putGates(parser, () => this.session.open && wishes.answers());
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.loadAddon(this.search);
    this.#terminal.loadAddon(new Unicode11Addon());
    this.#terminal.loadAddon(new WebLinksAddon((_event, uri) => this.#clicked(uri)));
    this.#terminal.unicode.activeVersion = "11";
    this.#terminal.attachCustomKeyEventHandler((event) => this.#key(event));
    this.#terminal.onData((data) => this.#input(encode(data)));
    this.#terminal.onBinary((data) => this.#input(latin1(data)));
    signal.addEventListener("abort", () => {
      this.#pace.dispose();
      this.#terminal.dispose();
    });
  }

  /** Put it into the page; the host must be in the document. */
  open(signal: AbortSignal): void {
    this.#terminal.open(this.host);
    this.#calm();
    Object.assign(this.host, { terminal: this.#terminal }); // where tests and benchmarks look at what is drawn
    const { textarea } = this.#terminal;
    const users = () => (this.#users = performance.now());
    for (const name of ["input", "compositionend"]) textarea?.addEventListener(name, users, { capture: true, signal });
    textarea?.addEventListener("focus", () => this.#pace.inHand(true), { signal });
    textarea?.addEventListener("blur", () => this.#pace.inHand(false), { signal });
    for (const name of ["mousedown", "mouseup", "wheel"]) {
      this.host.addEventListener(name, users, { capture: true, passive: true, signal });
    }
    this.host.addEventListener(
      "paste",
      (event) => {
        // before xterm.js has it: more than one line is asked for
        event.preventDefault();
        event.stopImmediatePropagation();
        this.#wishes.paste(event.clipboardData?.getData("text/plain") ?? "");
      },
      { capture: true, signal },
    );
    this.host.addEventListener("mouseup", () => void this.copy(), { signal });
    this.retheme();
  }

  /**
   * With each line the scroll bar moves, the field that takes keys goes with the cursor, and a selection is drawn anew:
   * with all rows, even where there is none. In a flood that is done with each picture.
   */
  #calm(): void {
    const core = (this.#terminal as Inner)._core;
    const calm = <Name extends string>(of: { [name in Name]?: () => void } | undefined, name: Name, wanted = () => true) => {
      const move = of?.[name];
      if (of === undefined || move === undefined) return;
      of[name] = (...given: []) => {
        if (!this.#pace.still) move.apply(of, given);
      };
      this.#terminal.onRender(() => wanted() && move.call(of));
    };
    calm(core, "_syncTextArea");
    calm(core?._viewport, "_sync");
    let changed = false; // one that was taken back has to go from the rows as well
    this.#terminal.onSelectionChange(() => (changed = true));
    calm(core?._selectionService, "refresh", () => {
      const wanted = changed || this.#terminal.hasSelection();
      changed = false;
      return wanted;
    });
  }

  // --- what the session draws ---------------------------------------------------------------------------------------

  write(data: Uint8Array | string, done: () => void): void {
    this.#pace.write(data, done);
  }

  clear(): void {
    this.#pace.write(RESET, () => undefined);
  }

  event(event: RunEvent): void {
    drawEvent(this.#terminal, event); // all before it is drawn
  }

  skipped(bytes: number): void {
    drawSkipped(this.#terminal, bytes);
  }

  sized(columns: number, rows: number): void {
    if (columns !== this.#terminal.cols || rows !== this.#terminal.rows) this.#terminal.resize(columns, rows);
    this.#wishes.sized();
  }

  notSent(text: string): void {
    this.#wishes.notSent(text);
  }

  refused(bytes: number, why: string): void {
    this.#wishes.refused(bytes, why);
  }

  changed(): void {
    this.#wishes.changed();
  }

  // --- size, font and colours ---------------------------------------------------------------------------------------

  /** The size that the host has room for; undefined while it is not laid out. */
  room(): { columns: number; rows: number } | undefined {
    const found = this.#fit.proposeDimensions();
    if (found === undefined || !(found.cols > 1) || !(found.rows > 0)) return undefined;
    return { columns: found.cols, rows: found.rows };
  }

  /** Before the gateway has said a size: the host's own. */
  presize(columns: number, rows: number): void {
    if (this.session.columns === 0) this.#terminal.resize(columns, rows);
  }

  get fontSize(): number {
    return this.#terminal.options.fontSize ?? FONT_SIZES.first;
  }

  set fontSize(size: number) {
    this.#terminal.options.fontSize = Math.min(FONT_SIZES.most, Math.max(FONT_SIZES.least, size));
  }

  set convertEol(on: boolean) {
    this.#terminal.options.convertEol = on;
  }

  /** Whether lines are also there as text that a screen reader finds. */
  get readable(): boolean {
    return this.#terminal.options.screenReaderMode === true;
  }

  set readable(on: boolean) {
    this.#terminal.options.screenReaderMode = on;
  }

  set label(text: string) {
    this.#terminal.textarea?.setAttribute("aria-label", text);
  }

  /** Follow the page's theme; cheap where it has not changed. */
  retheme(): void {
    const theme = themeAt(this.host);
    const key = JSON.stringify(theme);
    if (key === this.#theme) return;
    this.#theme = key;
    this.#terminal.options.theme = theme;
  }

  #font(): string {
    const font = getComputedStyle(document.body).getPropertyValue("--jp-code-font-family").trim();
    return font || "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
  }

  // --- what is done there -------------------------------------------------------------------------------------------

  focus(): void {
    this.#terminal.focus();
  }

  get selection(): string {
    return this.#terminal.getSelection();
  }

  get bracketed(): boolean {
    return this.#terminal.modes.bracketedPasteMode;
  }

  get mouseTaken(): boolean {
    return this.#terminal.modes.mouseTrackingMode !== "none";
  }

  /** Put what is selected on the clipboard; false where nothing is selected, or the page may not. */
  async copy(): Promise<boolean> {
    return this.selection !== "" && (await toClipboard(this.selection));
  }

  selectAll(): void {
    this.#terminal.selectAll();
  }

  toEnd(): void {
    this.#terminal.scrollToBottom();
  }

  /** All lines, or the screen's alone, as text. */
  text(): string {
    const buffer = this.#terminal.buffer.active;
    const found: string[] = [];
    for (let at = 0; at < buffer.length; at += 1) {
      const line = buffer.getLine(at);
      const words = line?.translateToString(true) ?? "";
      if (line?.isWrapped === true && found.length > 0) found[found.length - 1] += words;
      else found.push(words);
    }
    return found.join("\n").trimEnd();
  }

  #clicked(text: string): void {
    const target = safeTarget(text);
    if (target !== undefined) this.#wishes.link(target);
  }

  #key(event: KeyboardEvent): boolean {
    this.#users = performance.now();
    if (event.type !== "keydown") return true;
    return !this.#wishes.key(event);
  }

  /** Keys, and what the terminal answers by itself; the one may wait for a new way, the other may not. */
  #input(bytes: Uint8Array): void {
    if (this.session.reply(bytes)) return;
    if (performance.now() - this.#users > USERS_MS) return;
    if (!this.session.type(bytes)) this.#wishes.notSent(new TextDecoder().decode(bytes));
  }
}
