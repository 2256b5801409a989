/**
 * A change before it is made: who allows it, what exactly would be another, what the server warns of. Only what was
 * shown is done. Nothing that takes something away is a single press of Enter: the focus is on Cancel then.
 */

import { Dialog } from "./dialog";
import { element, setText } from "./dom";
import { kindWords, type Ref } from "./jump";
import { waitLine } from "./waits";

export type What = "scale" | "restart" | "delete" | "apply";

/** What is wished for: of rows of a table, of an object by its name, or (neither) of what the widget shows. */
export interface Wish {
  what: What;
  /** As `Deployment.apps`. */
  kind?: string;
  rows?: readonly (readonly [cluster: number, uid: string])[];
  ref?: Ref;
  /** Of an edit: the text, the text that it began with, and whether it counts where somebody else has changed the same. */
  text?: string;
  base?: string;
  over?: boolean;
}

/** How it ended: done, or why not; `clash` says what somebody else has changed meanwhile, of what an edit changes. */
export interface Ended {
  done: boolean;
  said: string;
  clash?: string;
}

interface Change {
  ref: Ref;
  result: string;
  diff: string;
  said: string[];
  cut?: boolean;
  error?: string;
  changed?: boolean;
}

interface Allowed {
  ref: Ref;
  /** null where the cluster does not say. */
  allowed: boolean | null;
  rights: string;
  why: string;
}

interface Answer {
  ok: boolean;
  error?: string;
  token?: string;
  current?: (number | null)[];
  changes?: Change[];
  allowed?: Allowed[];
  typed?: string;
  done?: Change[];
  changed?: boolean;
  conflict?: boolean;
}

export type Ask = (message: Record<string, unknown>) => Promise<unknown>;

const VERBS: Record<What, string> = { scale: "Scale", restart: "Restart", delete: "Delete", apply: "Apply" };
const CASCADES = [
  ["background", "is deleted after it"],
  ["foreground", "is deleted before it"],
  ["orphan", "is left"],
] as const;
const MOST_REPLICAS = 2 ** 31 - 1;
/** Objects that are listed; of more, the number of the others is said. */
const LISTED = 100;

/** Ask for changes in front of a view. `words` is what it is about, such as `deployment web` or `5 pods`. */
export function change(root: HTMLElement, ask: Ask, wish: Wish, words: string, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => new Confirm(root, ask, wish, words, signal, resolve));
}

class Confirm {
  #ask: Ask;
  #wish: Wish;
  #dialog: Dialog;
  #end = new AbortController();
  #resolve: (ended: Ended) => void;
  #ended: Ended = { done: false, said: "" };
  #form = element("form", { class: "wishes" });
  #status = element("div", { class: "standing", role: "status" });
  #shown = element("div", { class: "changes" });
  #typing = element("label", { class: "typing", hidden: "" });
  #typed = element("input", { type: "text", autocomplete: "off", spellcheck: "false" });
  #no = element("button", { type: "button" }, "Cancel");
  #again = element("button", { type: "button", hidden: "" }, "Look again");
  #yes: HTMLButtonElement;
  #replicas = element("input", { type: "number", min: "0", max: String(MOST_REPLICAS), step: "1", "aria-label": "Replicas" });
  #cascade = element("select", { "aria-label": "What it owns" });
  #grace = element("input", { type: "number", min: "0", step: "1", placeholder: "its own", "aria-label": "Seconds to end" });
  #token = "";
  #wanted = "";
  /** Of the questions: what an earlier one is answered comes too late. */
  #asking = 0;
  #busy = false;

  constructor(root: HTMLElement, ask: Ask, wish: Wish, words: string, signal: AbortSignal, resolve: (ended: Ended) => void) {
    this.#ask = ask;
    this.#wish = wish;
    this.#resolve = resolve;
    const verb = VERBS[wish.what];
    this.#dialog = new Dialog(root, `${verb} ${words}`, signal);
    this.#yes = element("button", { type: "button", class: wish.what === "delete" ? "yes danger" : "yes" }, verb);
    this.#dialog.element.classList.add("confirm");
    this.#dialog.element.setAttribute("data-lm-suppress-shortcuts", "true");
    this.#typing.append(element("span"), this.#typed);
    this.#form.hidden = !this.#makeForm();
    const answers = element("div", { class: "answers" }, this.#again, this.#no, this.#yes);
    this.#dialog.body.append(this.#form, this.#status, waitLine(), this.#shown, this.#typing);
    this.#dialog.element.append(answers);
    this.#listen();
    this.#ready();
    this.#dialog.show();
    (wish.what === "scale" ? this.#replicas : this.#no).focus();
    void (wish.what === "scale" ? this.#current() : this.#look());
  }

  #listen(): void {
    const { signal } = this.#end;
    const on = (target: HTMLElement, name: string, go: (event: Event) => void) => target.addEventListener(name, go, { signal });
    on(this.#no, "click", () => this.#dialog.close());
    on(this.#yes, "click", () => void this.#do());
    on(this.#again, "click", () => void this.#look());
    on(this.#typed, "input", () => this.#ready());
    on(this.#typed, "keydown", (event) => {
      if ((event as KeyboardEvent).key === "Enter" && !this.#yes.disabled) void this.#do();
    });
    on(this.#form, "submit", (event) => {
      event.preventDefault();
      // the number and Enter, and once it is shown Enter again; not where all pods would go
      if (this.#yes.disabled) void this.#look();
      else if (this.#replicas.value !== "0") void this.#do();
    });
    on(this.#form, "input", () => {
      this.#forget();
      this.#sayWished();
    });
    on(this.#form, "change", () => void this.#look());
    this.#dialog.element.addEventListener("close", () => {
      this.#end.abort();
      this.#resolve(this.#ended);
    });
  }

  /** What can be chosen besides; false for nothing. */
  #makeForm(): boolean {
    if (this.#wish.what === "scale") {
      const review = element("button", { type: "submit" }, "Show the change");
      this.#form.append(element("label", {}, element("span", {}, "Replicas"), this.#replicas), review);
      return true;
    }
    if (this.#wish.what !== "delete") return false;
    for (const [value, words] of CASCADES) this.#cascade.append(element("option", { value }, words));
    if (this.#wish.kind === "Pod") this.#form.append(element("label", {}, element("span", {}, "Seconds to end"), this.#grace));
    else this.#form.append(element("label", {}, element("span", {}, "What it owns"), this.#cascade));
    return true;
  }

  /** How many there are now, to begin with. */
  async #current(): Promise<void> {
    this.#say("reading how many there are …");
    const answer = await this.#put(this.#message("ask"));
    if (this.#end.signal.aborted) return;
    if (!answer.ok) {
      this.#say(answer.error ?? "", true);
      return;
    }
    const counts = [...new Set(answer.current ?? [])];
    const [one] = counts;
    if (counts.length === 1 && typeof one === "number" && this.#replicas.value === "") {
      this.#replicas.value = String(one);
      this.#replicas.select();
    }
    this.#sayWished();
  }

  #sayWished(): void {
    this.#say(this.#wish.what === "scale" ? "Nothing is changed until you have seen what would change." : "");
  }

  #forget(): void {
    this.#asking += 1;
    this.#token = "";
    this.#shown.replaceChildren();
    this.#typing.hidden = true;
    this.#ready();
  }

  /** Ask the cluster what would change. */
  async #look(note = ""): Promise<void> {
    if (this.#wish.what === "scale" && !/^\d+$/.test(this.#replicas.value)) {
      this.#say("How many? A whole number, 0 or more.", true);
      this.#replicas.focus();
      return;
    }
    this.#forget();
    const asking = this.#asking;
    this.#again.hidden = true;
    this.#say("asking the cluster what would change …");
    const answer = await this.#put(this.#message("ask"));
    if (this.#end.signal.aborted || asking !== this.#asking) return;
    if (!answer.ok) {
      this.#refused(answer);
      return;
    }
    this.#token = answer.token ?? "";
    this.#draw(answer);
    const changes = answer.changes ?? [];
    const idle = changes.length > 0 && changes.every(({ result, error }) => error === undefined && result === "unchanged");
    const none = this.#token === "" ? (idle ? "It is so already: there is nothing to do." : "It cannot be done.") : "";
    const refused = changes.filter(({ error }) => error !== undefined).length;
    const some = refused > 0 && this.#token !== "" ? `${refused} of ${changes.length} cannot be done; the others can.` : "";
    this.#say([note, none || some || "Nothing has been changed yet. This is what would change:"].filter((part) => part !== "").join(" "), none !== "" && !idle);
    this.#type(answer.typed ?? "");
    this.#ready();
  }

  #refused(answer: Answer): void {
    this.#say(answer.error ?? "", true);
    if (answer.conflict === true && this.#wish.what === "apply") {
      const said = answer.error ?? "";
      this.#ended = { done: false, said, clash: said.split("\n")[0] ?? "" };
      setText(this.#no, "Back to the text");
    } else this.#again.hidden = false;
    this.#ready();
  }

  /** Do what was shown. */
  async #do(): Promise<void> {
    if (this.#token === "" || this.#busy) return;
    this.#busy = true;
    this.#say("doing it …");
    this.#ready();
    const token = this.#token;
    this.#token = "";
    const { what } = this.#wish;
    const answer = await this.#put({ t: "change", what, stage: "do", token });
    this.#busy = false;
    if (this.#end.signal.aborted) return;
    if (answer.changed === true) {
      await this.#look("It has changed since it was shown, and nothing was done.");
      return;
    }
    if (!answer.ok) {
      this.#refused(answer);
      return;
    }
    const done = answer.done ?? [];
    const failed = done.filter(({ error }) => error !== undefined);
    const said = summary(done);
    this.#ended = { done: failed.length < done.length, said };
    if (failed.length === 0) {
      this.#dialog.close();
      return;
    }
    this.#form.hidden = this.#typing.hidden = this.#yes.hidden = true;
    setText(this.#no, "Close");
    this.#say(said, true);
    this.#shown.replaceChildren(list(done));
    this.#no.focus();
  }

  #draw(answer: Answer): void {
    const parts: HTMLElement[] = [];
    const rights = allowed(answer.allowed ?? []);
    if (rights !== undefined) parts.push(rights);
    parts.push(list(answer.changes ?? []));
    this.#shown.replaceChildren(...parts);
  }

  /** What has to be typed first. */
  #type(wanted: string): void {
    this.#wanted = wanted;
    this.#typed.value = "";
    this.#typing.hidden = wanted === "" || this.#token === "";
    setText(this.#typing.firstChild as Node, `To go on, type  ${wanted}`);
    this.#typed.setAttribute("aria-label", `Type ${wanted} to go on`);
  }

  #ready(): void {
    const typed = this.#typing.hidden || this.#typed.value.trim() === this.#wanted;
    this.#yes.disabled = this.#token === "" || this.#busy || !typed;
    this.#dialog.element.setAttribute("aria-busy", String(this.#busy));
  }

  #say(text: string, bad = false): void {
    this.#status.className = bad ? "standing bad" : "standing";
    setText(this.#status, text);
  }

  async #put(message: Record<string, unknown>): Promise<Answer> {
    return (await this.#ask(message)) as Answer;
  }

  #message(stage: "ask"): Record<string, unknown> {
    const { what, rows, ref, text, base, over } = this.#wish;
    const message: Record<string, unknown> = { t: "change", what, stage };
    if (rows !== undefined) message["rows"] = rows;
    if (ref !== undefined) message["ref"] = ref;
    if (text !== undefined) message["text"] = text;
    if (base !== undefined) message["base"] = base;
    if (over === true) message["over"] = true;
    if (what === "scale" && this.#replicas.value !== "") message["replicas"] = Math.min(Number(this.#replicas.value), MOST_REPLICAS);
    if (what === "delete") {
      message["cascade"] = this.#cascade.value;
      if (/^\d+$/.test(this.#grace.value)) message["grace"] = Number(this.#grace.value);
    }
    return message;
  }
}

/** Such as `scaled 2 → 3`, or `4 deleted, 1 not done`. */
export function summary(done: readonly { ref: Ref; result: string; error?: string }[]): string {
  const [one] = done;
  if (done.length === 1 && one !== undefined) return `${refWords(one.ref)}: ${one.error ?? one.result}`;
  const counts = new Map<string, number>();
  for (const { result, error } of done) {
    const word = error !== undefined ? "not done" : result;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, many]) => `${many} ${word}`).join(", ");
}

function refWords({ kind, namespace, name }: Ref): string {
  return `${kindWords(kind).toLowerCase()} ${namespace === "" ? "" : `${namespace}/`}${name}`;
}

/** Who says that it is allowed, or not; each sentence once. */
function allowed(answers: readonly Allowed[]): HTMLElement | undefined {
  const lines = new Map<string, [mark: string, tone: string, words: string]>();
  for (const { ref, allowed: may, rights, why } of answers) {
    const mark = may === true ? "✓" : may === false ? "✗" : "?";
    const words =
      may === true ? `Cluster ${ref.cluster} allows you to ${rights}` :
      may === false ? `Cluster ${ref.cluster}: ${rights}` :
      `Cluster ${ref.cluster} does not say whether you may ${rights}`;
    const text = may === false && why !== "" ? `${words} (${why})` : words;
    lines.set(text, [mark, may === true ? "good" : may === false ? "bad" : "warn", text]);
  }
  if (lines.size === 0) return undefined;
  const box = element("ul", { class: "rights", "aria-label": "Who allows it" });
  for (const [mark, tone, words] of [...lines.values()].slice(0, LISTED)) {
    box.append(element("li", { class: tone }, element("span", { class: "mark", "aria-hidden": "true" }, mark), words));
  }
  return box;
}

function list(changes: readonly Change[]): HTMLElement {
  const box = element("div", { class: "objects" });
  for (const { ref, result, diff, said, cut, error } of changes.slice(0, LISTED)) {
    const head = element("div", { class: "object" }, element("strong", {}, refWords(ref)), element("span", { class: "dim" }, ref.cluster));
    if (error !== undefined) head.append(element("span", { class: "result bad" }, "✗ not done"));
    else if (result !== "") head.append(element("span", { class: "result" }, result));
    box.append(head);
    if (error !== undefined) box.append(element("div", { class: "words bad" }, error));
    for (const words of said) box.append(element("div", { class: "words warn" }, element("span", { class: "mark", "aria-hidden": "true" }, "▲"), words));
    if (diff !== "") box.append(difference(diff, refWords(ref)));
    if (cut === true && changes.length === 1) box.append(element("div", { class: "words dim" }, "The difference is too long to be shown here."));
  }
  const left = changes.length - LISTED;
  if (left > 0) box.append(element("div", { class: "words dim" }, `and ${left} more`));
  return box;
}

const LINES: Record<string, "ins" | "del" | "span"> = { "+": "ins", "-": "del" };

/** A unified diff: what comes and goes is marked by its sign, and by a colour too. */
export function difference(text: string, words: string): HTMLElement {
  const box = element("pre", { class: "diff", tabindex: "0", role: "group", "aria-label": `the exact difference of ${words}` });
  const lines = text.split("\n");
  // the first two name what it is of, which stands above
  for (const line of lines.slice(lines[0]?.startsWith("--- ") ? 2 : 0)) {
    const tag = LINES[line.charAt(0)] ?? "span";
    box.append(element(tag, line.startsWith("@@") ? { class: "at" } : {}, `${line}\n`));
  }
  return box;
}

export const CONFIRM_CSS = `
.confirm { width: min(760px, calc(100vw - 32px)); max-width: none; }
.confirm .body { display: flex; flex-direction: column; gap: 8px; }
.confirm .wishes { display: flex; flex-wrap: wrap; gap: 6px 16px; align-items: center; }
.confirm .wishes[hidden], .confirm .typing[hidden] { display: none; }
.confirm .wishes label, .confirm .typing { display: inline-flex; gap: 8px; align-items: center; }
.confirm input, .confirm select { font: inherit; color: var(--text); background: var(--back); border: 1px solid var(--line);
  border-radius: 3px; height: 24px; padding: 0 6px; box-sizing: border-box; }
.confirm input[type="number"] { width: 96px; }
.confirm select:focus-visible, .confirm pre:focus-visible { outline: 2px solid var(--accent); outline-offset: -1px; }
.confirm .standing { white-space: pre-wrap; overflow-wrap: anywhere; min-height: 1.2em; }
.confirm .bad { color: var(--bad); }
.confirm .rights { list-style: none; margin: 0; padding: 0; }
.confirm .rights .mark, .confirm .words .mark { display: inline-block; width: 18px; font-weight: 700; }
.confirm .rights .good .mark { color: var(--good); }
.confirm .rights .warn .mark, .confirm .words.warn .mark { color: var(--warn); }
.confirm .objects { display: flex; flex-direction: column; gap: 3px; margin-top: 4px; }
.confirm .object { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: baseline; }
.confirm .object .result { margin-left: auto; font-weight: 600; }
.confirm .words { overflow-wrap: anywhere; white-space: pre-wrap; }
.confirm .diff { margin: 2px 0 8px; padding: 4px 0; max-height: 42vh; overflow: auto; border: 1px solid var(--line); border-radius: 3px;
  font-family: var(--mono); font-size: 12px; line-height: 1.45; color: var(--text); background: var(--back); }
.confirm .diff > * { display: block; text-decoration: none; padding: 0 8px; width: max-content; min-width: 100%; box-sizing: border-box; }
.confirm .diff ins { background: color-mix(in srgb, #2ea043 22%, var(--back)); }
.confirm .diff del { background: color-mix(in srgb, #f85149 20%, var(--back)); }
.confirm .diff .at { color: var(--dim); }
.confirm .answers { display: flex; justify-content: flex-end; gap: 8px; padding: 8px 16px; border-top: 1px solid var(--line); }
.confirm .answers button, .confirm .wishes button { height: 26px; padding: 0 12px; }
.confirm .answers button:focus { outline: 2px solid var(--accent); outline-offset: 1px; }
.confirm .answers button:disabled { opacity: .55; cursor: default; }
.confirm .answers .yes:not(:disabled) { border-color: var(--accent); font-weight: 600; }
.confirm .answers .danger:not(:disabled) { border-color: var(--bad); color: var(--bad); }
`;
