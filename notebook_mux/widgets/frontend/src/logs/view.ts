/** One view of a log: what it shows of the page's lines, how far it is read, and what its user asks for. */

import type { Model } from "../common/afm";
import { Agreed } from "../common/agreed";
import { clock, count, element, hideCopy, setText } from "../common/dom";
import { randomId } from "../common/ids";
import { shadow } from "../common/style";
import { Grip } from "../terminal/grip";
import { rgb } from "../terminal/theme";
import { Bar } from "./bar";
import { type Paper, paperOn } from "./colors";
import { CSS } from "./css";
import { type Head, label, naming, type Settable, type Times } from "./data";
import { type Filter, Filters } from "./filters";
import { Finder } from "./finder";
import { listen } from "./hands";
import type { Drawing } from "./line";
import { List } from "./list";
import { Minimap } from "./minimap";
import { Pill } from "./pill";
import { Rows } from "./rows";
import type { Shared } from "./shared";
import { Sources } from "./sources";
import { emptyWords, footWords, kernelNotice, notices, topWords } from "./standing";
import type { Change } from "./store";
import { Taking } from "./taking";
import { datedBy, moment } from "./times";

const TICK_MS = 1000;
const MOST_LABEL = 30;
/** The height of a view of hardly any lines. */
const LEAST_PX = 130;

export class View {
  readonly id = randomId();
  #shared: Shared;
  #abort = new AbortController();
  #root = element("div", { class: "root", role: "region", tabindex: "-1", "data-dark": "false" });
  #frame = element("div", { class: "frame" });
  #notices = element("div", { role: "status", "aria-live": "polite" });
  #empty = element("div", { class: "empty" });
  #said = element("span", { role: "status" });
  #lines = element("span");
  #flow = element("span");
  #rows: Rows;
  #list: List;
  #bar: Bar;
  #finder: Finder;
  #filters: Filters;
  #sources: Sources;
  #minimap: Minimap;
  #pill: Pill;
  #taking: Taking;
  #grip: Grip;
  #drawing: Drawing;
  #agreed: Agreed<Settable>;
  #height = 0;
  /** The height grows with the first lines, until it is as high as it may be or somebody sets it. */
  #fitting = true;
  #tall = 0;
  #paused = false;
  /** Rows there were when it stopped following. */
  #base = 0;
  #labels = "";
  #scanning = 0;
  #drawnNotices = "";

  constructor(model: Model, el: HTMLElement, shared: Shared) {
    this.#shared = shared;
    const { signal } = this.#abort;
    const root = shadow(el, CSS);
    this.#root.setAttribute("data-lm-suppress-shortcuts", "true");
    this.#rows = new Rows(shared.store);
    this.#drawing = {
      store: shared.store, rows: this.#rows, sources: [], names: { clusters: false, namespaces: false, containers: false },
      labelled: false, times: "local", dated: 0, now: Date.now(), paper: { dark: false, back: [255, 255, 255] },
      find: undefined, highlight: undefined, current: undefined, version: 0,
    };
    this.#list = new List(shared.store, this.#rows, this.#drawing, {
      followed: () => this.#followed(),
      top: () => shared.older(this.id),
      drawn: (first, last) => this.#drawn(first, last),
    }, signal);
    this.#pill = new Pill(() => this.#goOn(), signal);
    this.#taking = new Taking(this.#root, this.#drawing, (text) => setText(this.#said, text));
    this.#minimap = new Minimap(shared.store, this.#rows, (millis) => this.#jump(millis), signal);
    this.#sources = new Sources({ hide: (hidden) => this.#hide(hidden), left: () => this.#focus() }, signal);
    this.#finder = new Finder({
      search: (regex) => this.#search(regex),
      step: (step) => this.#next(step),
      around: (lines) => this.#around(lines),
      left: () => this.#focus(),
    }, signal);
    this.#filters = new Filters({
      filter: (name, regex, text) => this.#filter(name, regex, text),
      jump: (text) => this.#jumpTo(text),
      left: () => this.#focus(),
    }, signal);
    this.#bar = new Bar({
      sources: () => this.#showSources(),
      levels: (mask) => this.#change(() => (this.#rows.levels = mask)),
      search: () => this.#finder.show(),
      filters: () => this.#filters.show("bar"),
      jump: () => this.#filters.show("jumper"),
      times: (mode) => this.#set("times", mode),
      wrap: (on) => this.#set("wrap", on),
      fold: (on) => this.#foldAll(on),
      copy: () => void this.#taking.copy(),
      download: (button) => this.#taking.download(button, shared.head?.title ?? "logs"),
      freeze: () => void this.#do("freeze"),
      pause: () => this.#pause(!this.#paused),
    }, signal);
    this.#agreed = new Agreed<Settable>({ wrap: false, times: "local", include: "", exclude: "", highlight: "" }, {
      set: (name, value) => this.#have(name, value),
      settings: () => shared.head?.settings,
      other: (changed) => {
        this.#look(changed);
        this.#filters.set(changed);
      },
    });
    this.#grip = new Grip((pixels) => {
      this.#fitting = false;
      this.#frame.style.height = `${pixels}px`;
    }, signal);
    listen(this.#root, this.#list, this.#drawing, {
      search: () => this.#finder.show(),
      copy: () => void this.#taking.copyLine(),
      pause: () => this.#pause(!this.#paused),
      next: (step) => this.#next(step),
      go: (place) => this.#go(place, "near"),
      toggle: (slot, what) => this.#toggle(slot, what),
    }, signal);
    this.#watch(signal);
    this.#frame.append(this.#list.element, this.#sources.panel, this.#empty, this.#pill.element);
    const foot = element("div", { class: "foot" }, this.#lines, element("span", { class: "push" }), this.#pill.announced, this.#said, this.#flow);
    this.#root.append(
      this.#bar.top, this.#finder.bar, this.#filters.bar, this.#filters.jumper, this.#notices, this.#minimap.element,
      this.#frame, foot, this.#grip.bar,
    );
    root.append(this.#root);
    hideCopy(el, String(model.get("_copy")), signal);
    if (shared.head !== undefined) this.head(shared.head);
    if (shared.state !== undefined) this.state();
    this.tick();
  }

  /** Whether it is read where lines must not go. */
  get pinned(): boolean {
    return this.#paused || !this.#list.follow;
  }

  dispose(): void {
    this.#abort.abort();
    cancelAnimationFrame(this.#scanning);
  }

  // --- from the kernel ----------------------------------------------------------------------------------------------

  head({ title, settings }: Head): void {
    this.#root.setAttribute("aria-label", `logs of ${title}`);
    this.#list.element.setAttribute("aria-label", `log lines of ${title}`);
    this.#bar.title(title);
    if (settings.height !== this.#height) {
      this.#height = settings.height;
      this.#fitting = true;
      this.#tall = 0;
    }
    this.#agreed.take(settings);
  }

  state(): void {
    const { state } = this.#shared;
    if (state === undefined) return;
    const names = naming(state.sources);
    const labels = state.sources.map((source) => label(source, names)).join("\n");
    const colors = state.sources.map(({ color }) => color).join();
    this.#drawing.sources = state.sources;
    if (`${labels} ${colors}` !== this.#labels) {
      this.#labels = `${labels} ${colors}`;
      this.#drawing.names = names;
      this.#drawing.labelled = state.sources.length > 1;
      this.#gutter();
      this.#list.renew();
    }
    this.tick();
  }

  take(change: Change): void {
    const before = this.#rows.count;
    this.#rows.take(change);
    this.#list.take(change);
    if (change.reset) this.#base = 0;
    else if (change.prepended > 0) this.#base += this.#rows.count - before; // older ones are not new
    if (change.reset || change.prepended > 0) this.#list.plan();
    else this.#list.grow();
    this.#minimap.plan();
  }

  tick(): void {
    const shared = this.#shared;
    const now = shared.now();
    this.#drawing.now = now * 1000;
    this.#paper();
    if (this.#drawing.times === "age") this.#list.tick();
    const { state, link, store } = shared;
    const sources = state?.sources ?? [];
    this.#bar.sources(sources, this.#sources.open);
    this.#sources.draw(sources, this.#drawing.names, store.bySource, now);
    this.#tellNotices(now);
    this.#root.classList.toggle("frozen", link.condition.kernel !== "live" || state?.closed === true);
    this.#counts();
    if (shared.rate < 1) setText(this.#flow, shared.lastLine > 0 ? `last line ${clock(shared.lastLine)}` : "");
    else setText(this.#flow, `${count(shared.rate)} lines/s`);
  }

  // --- drawing ------------------------------------------------------------------------------------------------------

  #drawn(first: number, last: number): void {
    this.#counts();
    if (this.#rows.count > 0) this.#minimap.seen(first, last);
    const { store, kept, loading, head, state } = this.#shared;
    setText(this.#list.top, store.count === 0 ? "" : topWords(store.low, kept, loading, this.#rows.filtering));
    this.#empty.hidden = this.#rows.count > 0;
    if (this.#rows.count === 0) setText(this.#empty, emptyWords(head, state, store.count));
    this.#date();
    this.#fit();
  }

  /** A few lines need no more room than they take; what has grown does not shrink under its reader's eyes. */
  #fit(): void {
    if (!this.#fitting || this.#height === 0) return;
    const wanted = this.#sources.open ? this.#height : Math.min(this.#height, Math.max(LEAST_PX, this.#list.wanted));
    if (wanted <= this.#tall) return;
    this.#tall = wanted;
    this.#grip.set(wanted);
    this.#fitting = wanted < this.#height;
  }

  /** With days only where there are several, or it is another one than today. */
  #date(): void {
    const { store } = this.#shared;
    if (store.count === 0) return;
    const first = store.millis(store.order[0] as number);
    const last = store.millis(store.order[store.count - 1] as number);
    const { times, now } = this.#drawing;
    const dated = datedBy(first, last, now, times);
    if (dated === this.#drawing.dated) return;
    this.#drawing.dated = dated;
    this.#gutter();
    this.#list.renew();
  }

  #look({ wrap = this.#list.wrap, times = this.#drawing.times }: Partial<Settable>): void {
    this.#bar.look(wrap, times);
    if (wrap === this.#list.wrap && times === this.#drawing.times) return;
    this.#list.wrap = wrap;
    this.#root.classList.toggle("wrapped", wrap);
    this.#drawing.times = this.#minimap.times = times;
    this.#gutter();
    this.#list.renew();
    this.#minimap.plan(0);
  }

  #gutter(): void {
    const { times, dated, labelled, sources, names } = this.#drawing;
    const widths: Record<Times, number> = { local: 13, utc: 13, age: 7, off: 0 };
    const at = widths[times] + (times !== "age" && times !== "off" ? dated : 0);
    const longest = sources.reduce((most, source) => Math.max(most, label(source, names).length), 0);
    this.#list.gutter(at, labelled ? Math.min(MOST_LABEL, longest) + 2 : 0);
  }

  #counts(): void {
    const { store, kept } = this.#shared;
    const rows = this.#rows;
    this.#bar.levels(store.levels);
    this.#bar.filtering(rows.include !== undefined || rows.exclude !== undefined || this.#drawing.highlight !== undefined);
    const shown = rows.filtering || rows.count < store.count ? rows.count : undefined;
    setText(this.#lines, footWords(store.count, shown, rows.progress, kept.dropped));
    this.#tellPill();
    if (rows.search !== undefined) {
      const current = this.#drawing.current;
      const place = current === undefined ? -1 : rows.placeOf(current);
      const { total, before } = rows.found(Math.max(0, place));
      const at = current !== undefined && rows.isFound(current) && place < rows.count && rows.slot(place) === current ? before + 1 : 0;
      this.#finder.tell({ total, current: at, progress: rows.progress });
    }
  }

  #tellPill(): void {
    const { store, kept } = this.#shared;
    const held = this.#paused ? store.count - this.#rows.stop : this.#rows.count - this.#base;
    const left = store.missed > 0 ? kept.end - store.next : 0;
    const stopped = !this.#list.follow && this.#rows.count > 0;
    this.#pill.tell(this.#paused ? "paused" : stopped ? "stopped" : "follows", Math.max(0, held) + left);
  }

  #tellNotices(now: number): void {
    const { state, link } = this.#shared;
    const kernel = kernelNotice(link.condition, state?.closed === true, link.waits);
    const made = [...(kernel === undefined ? [] : [kernel]), ...(state === undefined ? [] : notices(state, this.#drawing.names, now))];
    const shape = JSON.stringify(made);
    if (shape === this.#drawnNotices) return;
    this.#drawnNotices = shape;
    this.#notices.replaceChildren(...made.map(({ name, text, tone }) => {
      const said = element("div", { class: `line trouble ${tone}` }, element("span", {}, text));
      if (name !== "") said.prepend(element("strong", {}, name));
      return said;
    }));
  }

  /** The page's background may be another theme's now. */
  #paper(): void {
    const back = rgb(getComputedStyle(this.#root).backgroundColor);
    const paper: Paper = paperOn(back ?? [255, 255, 255]);
    const known = this.#drawing.paper;
    if (paper.dark === known.dark && paper.back.join() === known.back.join()) return;
    this.#drawing.paper = paper;
    this.#root.dataset["dark"] = String(paper.dark);
    this.#list.renew();
    this.#minimap.plan(0);
  }

  // --- what is asked for --------------------------------------------------------------------------------------------

  /** Something decides anew what is shown. */
  #change(change: () => void): void {
    change();
    this.#rows.again();
    this.#base = this.#rows.count;
    this.#list.plan();
    this.#minimap.plan(0);
  }

  #hide(hidden: ReadonlySet<number>): void {
    this.#change(() => {
      this.#rows.hidden.clear();
      for (const at of hidden) this.#rows.hidden.add(at);
    });
  }

  #filter(name: Filter, regex: RegExp | undefined, text: string): void {
    this.#agreed.say(name, text);
    if (name === "highlight") {
      this.#drawing.highlight = regex;
      this.#list.renew();
    } else {
      this.#rows.expressions({ [name]: regex });
      this.#base = this.#rows.count;
      this.#work();
    }
  }

  #search(regex: RegExp | undefined): void {
    if (regex === undefined && this.#rows.search === undefined) return;
    this.#drawing.find = regex;
    this.#rows.expressions({ search: regex });
    this.#list.renew();
    this.#work(() => {
      if (regex !== undefined && this.#rows.count > 0) this.#next(-1, true);
    });
  }

  /** Try expressions on the lines, a while in each frame. */
  #work(done?: () => void): void {
    cancelAnimationFrame(this.#scanning);
    const more = () => {
      if (this.#rows.progress < 1 && !this.#rows.work(() => performance.now())) {
        this.#counts();
        this.#scanning = requestAnimationFrame(more);
        return;
      }
      this.#base = this.#rows.count;
      this.#list.renew();
      this.#minimap.plan(0);
      done?.();
    };
    more();
  }

  #around(lines: number | undefined): void {
    if (this.#rows.around === lines) return;
    this.#change(() => (this.#rows.around = lines));
    const [{ current }, { count: many }] = [this.#drawing, this.#rows];
    if (current !== undefined && many > 0) this.#go(Math.min(many - 1, this.#rows.placeOf(current)), "middle");
  }

  /** To the next line that is found; `near`: the first at or above what is seen last. */
  #next(step: 1 | -1, near = false): void {
    if (this.#rows.count === 0) return;
    const { current } = this.#drawing;
    const [, last] = this.#list.seen;
    const from = current === undefined || near ? last : this.#rows.placeOf(current) + step;
    const found = this.#rows.next(from, step);
    if (found >= 0) this.#go(found, "middle");
    this.#counts();
  }

  #go(place: number, where: "middle" | "near"): void {
    const slot = this.#rows.slot(place);
    this.#drawing.current = slot;
    this.#list.element.setAttribute("aria-activedescendant", `r${slot}`);
    this.#list.show(place, where);
  }

  #jump(millis: number): void {
    if (this.#rows.count === 0) return;
    this.#go(Math.min(this.#rows.count - 1, this.#rows.placeAt(millis)), "middle");
  }

  #jumpTo(text: string): string {
    const millis = moment(text, this.#drawing.times, this.#shared.now() * 1000);
    if (millis === undefined) return "no time: such as 12:04:05, 5m for five minutes ago, or 2026-01-31 12:04";
    this.#jump(millis);
    return "";
  }

  #foldAll(on: boolean): void {
    this.#change(() => this.#rows.fold(on));
    this.#list.renew();
  }

  #toggle(slot: number, what: "fold" | "open"): void {
    this.#rows.toggle(slot, what);
    if (what === "open") this.#list.opened(slot, this.#rows.isOpen(slot));
    else this.#list.plan();
  }

  #showSources(): void {
    this.#sources.panel.hidden = this.#sources.open;
    this.#fit();
    this.tick();
  }

  #pause(on: boolean): void {
    if (on === this.#paused) return;
    this.#paused = on;
    this.#bar.paused(on);
    this.#change(() => (this.#rows.stop = on ? this.#shared.store.count : Infinity));
    this.#shared.pinned();
    this.#counts();
  }

  #followed(): void {
    this.#base = this.#rows.count;
    this.#shared.pinned();
    this.#counts();
  }

  async #do(what: string): Promise<void> {
    setText(this.#said, "…");
    const answer = await this.#shared.link.ask({ t: "do", what, view: this.id });
    setText(this.#said, String(answer.ok ? (answer["said"] ?? "") : answer.error));
  }

  /** Shown at once: the kernel may be long in answering. */
  #set<Name extends "wrap" | "times">(name: Name, value: Settable[Name]): void {
    this.#look({ [name]: value });
    this.#agreed.say(name, value);
  }

  /** Have the kernel set something; comes back with the number of that change, undefined where it was refused. */
  async #have(name: string, value: boolean | string): Promise<number | undefined> {
    const answer = await this.#shared.link.insist({ t: "set", name, value, view: this.id });
    if (answer.ok) return Number(answer["at"]);
    setText(this.#said, String(answer.error));
    return undefined;
  }

  #focus(): void {
    this.#list.element.focus({ preventScroll: true });
  }

  #goOn(): void {
    if (this.#paused) this.#pause(false);
    else this.#list.go(true);
    this.#focus();
  }

  /** The clock, and the page's theme. */
  #watch(signal: AbortSignal): void {
    const timer = setInterval(() => {
      if (document.visibilityState !== "hidden") this.tick();
    }, TICK_MS);
    const themes = new MutationObserver(() => requestAnimationFrame(() => this.#paper()));
    themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      themes.disconnect();
    });
  }
}
