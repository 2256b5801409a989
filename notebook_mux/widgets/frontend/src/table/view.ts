/** One view of a table: its own sort, scroll and selection over the rows of the page's copy. */

import type { Model } from "../common/afm";
import { CONFIRM_CSS } from "../common/confirm";
import { element, hideCopy } from "../common/dom";
import { randomId } from "../common/ids";
import { plain } from "../common/plain";
import { shadow } from "../common/style";
import { sayWaits, WAITS_CSS } from "../common/waits";
import { Actions } from "./actions";
import { type Ahead, Foremost, type Look, type Places, placesOf } from "./ahead";
import { Arrangement, isGroup, type Shown } from "./arrangement";
import { AROUND_CSS, Bar } from "./bar";
import { Beat } from "./beat";
import { COLUMN_MENU_CSS } from "./column_menu";
import { ACT, liveTitles } from "./columns";
import { ColumnsShown } from "./columns_shown";
import { Filtering } from "./filtering";
import { Focus } from "./focus";
import { Frame } from "./frame";
import { Hands } from "./hands";
import { Grid, GRID_CSS } from "./grid";
import { groupTitle, labelKeys } from "./groups";
import type { Head } from "./head";
import { Help } from "./help";
import { type Act, actOf, isOthers } from "./keys";
import { Ledger } from "./ledger";
import { Order } from "./order";
import { PAINT_CSS, Painter } from "./painting";
import { Panel, PANEL_CSS } from "./panel";
import { PAUSE_CSS, PauseLine } from "./pausing";
import { Picks } from "./picks";
import { placeOf, type Tab, whereWords } from "./places";
import type { Changes, Row } from "./rows";
import type { Shared } from "./shared";
import { Show } from "./show";
import { mayBeTwice, names, Wishes } from "./wishes";

const TICK_MS = 1000;
const SELECT_LIMIT = 1000;

export class View {
  readonly id = randomId();
  #shared: Shared;
  #abort = new AbortController();
  #root = element("div", { class: "root", role: "region", tabindex: "-1" });
  #frame: Frame;
  #bar: Bar;
  #filtering: Filtering;
  #order: Order;
  #actions: Actions;
  #wishes: Wishes;
  #grid: Grid;
  #panel: Panel;
  #pauseLine: PauseLine;
  #columns: ColumnsShown;
  #ledger = new Ledger();
  #foremost = new Foremost(() => [this.#asItIs(), this.#order.rules(this.#shared.head), this.#shared.rows.byKey]);
  #picks = new Picks();
  #show: Show;
  #beat: Beat;
  #focus: Focus;
  #hands: Hands;
  #help: Help;
  #painter: Painter;
  /** The time at which a paused view stands still, in milliseconds of this page. */
  #still: number | undefined;
  #clusters: string[] = [];
  #most = "";

  constructor(model: Model, el: HTMLElement, shared: Shared) {
    this.#shared = shared;
    const { signal } = this.#abort;
    const root = shadow(el, GRID_CSS + PAINT_CSS + COLUMN_MENU_CSS + PAUSE_CSS + PANEL_CSS + AROUND_CSS + CONFIRM_CSS + WAITS_CSS);
    this.#root.setAttribute("data-lm-suppress-shortcuts", "true");
    this.#wishes = new Wishes((message) => this.#ask(message), () => this.#bar, () => this.#order.text);
    this.#filtering = new Filtering(
      {
        head: () => shared.head,
        rows: () => this.#show?.arrangement.rows() ?? [],
        timeOf: this.#timeOf,
        filtered: (chosen) => this.#filtered(chosen),
        through: () => this.#focus.enter(),
        set: (name, value) => this.#wishes.set(name, value),
      },
      signal,
    );
    this.#order = new Order(this.#filtering, this.#timeOf);
    this.#bar = new Bar(
      this.#filtering.field,
      {
        ...this.#wishes.actions,
        pause: () => this.#turn(),
        help: () => this.#help.show(),
        code: () => this.#wishes.code(this.#order.text),
        names: () => names(this.selected, shared.head),
        changes: () => this.#actions.entries(),
        resume: () => shared.link.touch(),
      },
      signal,
    );
    this.#actions = new Actions(
      {
        root: this.#root,
        head: () => shared.head,
        rows: () => this.#meant(),
        ask: (message) => this.#ask(message),
        edit: (row) => {
          this.#frame.fit();
          this.#panel.edit(row);
        },
        say: (text) => this.#bar.say(text),
      },
      signal,
    );
    this.#columns = new ColumnsShown(
      {
        head: () => shared.head,
        rows: () => shared.rows.byKey.values(), // the page's: they have the new columns when the head says them
        rowAt: (place) => this.#rowAt(place),
        timeOf: this.#timeOf,
        say: (layout) => this.#wishes.layout({ kind: shared.head?.question.kind ?? "", ...layout, sort: this.#order.text }),
        open: (place, byKey) => this.#lookAt(place, byKey),
        drawn: () => {
          this.#grid.showSorts(this.#order.sorts);
          this.#painter?.soon();
        },
      },
      signal,
    );
    this.#bar.labels = () => labelKeys(this.#show.arrangement.rows());
    this.#bar.more = () => this.#columns.entries();
    this.#pauseLine = new PauseLine(() => this.resume(), signal);
    this.#frame = new Frame(this.#columns.menu.button, this.#root, signal);
    const { host } = this.#frame;
    this.#panel = new Panel(
      model,
      {
        place: (row) => placeOf(row, shared.head),
        where: (place) => whereWords(place, shared.head),
        writes: (cluster) => shared.head?.write[this.#clusters.indexOf(cluster)] ?? false,
        ask: (what, { row, ...ref }) => this.#ask({ t: "look", what, ...(row && { row }), ...(ref.kind !== "" && { ref }) }),
        left: (key) => this.#left(key),
        pick: (place) => void this.#wishes.among(place, shared.head).then((filter) => filter !== undefined && this.#filtering.set(filter)),
        changes: (place, edit) => this.#actions.entriesOf(place, edit),
      },
      signal,
    );
    this.#root.append(this.#bar.top, this.#bar.troubles, this.#columns.menu.element, this.#pauseLine.element, this.#frame.element);
    this.#root.append(this.#bar.foot, this.#panel.element);
    const styles = element("div");
    root.append(styles, this.#root);
    this.#show = new Show(new Arrangement(this.#order.rules(shared.head)));
    this.#beat = new Beat(() => this.#draw(), signal);
    this.#grid = new Grid(host, styles, shared.head?.title ?? "table", {
      at: (place) => this.#at(place),
      groupTitle: (name) => this.#groupTitle(name),
      sorted: (sorts) => {
        this.#order.sort(sorts);
        this.#arrange();
        this.#columns.layout.say(); // with the order: a saved copy follows it
      },
      moved: (titles) => this.#columns.layout.moved(titles),
      resized: (title, width) => this.#columns.layout.resized(title, width),
      clicked: (place, event) => this.#hands.click(place, event),
      key: (place, event) => this.#hands.key(place, event),
      focused: () => this.#focus.look(),
      enter: () => this.#focus.enter(),
      scrolled: () => this.#painter.soon(),
      sized: () => this.#columns.fit(),
    });
    this.#columns.grid = this.#grid;
    this.#hands = new Hands(this.#picks, this.#show, {
      at: (place) => this.#at(place),
      focused: () => this.#focus.shown,
      picked: () => this.#picked(),
      toggled: () => {
        this.#redraw();
        this.#frame.follow();
      },
      entered: (row) => this.#look(row, true),
    });
    this.#focus = new Focus(this.#root, this.#grid, this.#show.arrangement);
    this.#painter = new Painter(host, this.#show.marks, {
      at: (place) => this.#at(place),
      picked: (key) => this.#picks.keys.has(key),
      opened: () => this.#panel.key,
      groupTitle: (name) => this.#groupTitle(name),
      grouped: () => this.#show.arrangement.grouped,
      now: () => performance.now(),
    });
    this.#help = new Help(this.#root, signal);
    this.#root.addEventListener("keydown", (event) => this.#key(event), { signal });
    const timer = setInterval(() => this.tick(), TICK_MS);
    document.addEventListener("visibilitychange", () => this.#seen(), { signal });
    const seeing = new IntersectionObserver((entries) => this.#seen(entries[entries.length - 1]?.isIntersecting === true));
    seeing.observe(this.#frame.element);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      seeing.disconnect();
      this.#grid.destroy();
    });
    hideCopy(el, String(model.get("_copy")), signal);
    if (shared.head !== undefined) {
      this.head(shared.head);
      this.#show.arrangement.arrange(this.#order.rules(shared.head), shared.rows.byKey.values());
      this.#show.quiet = !shared.settled;
      this.#beat.now();
    }
    this.tick();
  }

  dispose(): void {
    this.#abort.abort();
  }

  // --- from the kernel ----------------------------------------------------------------------------------------------

  head(head: Head): void {
    this.#root.setAttribute("aria-label", `table of ${head.title}`);
    this.#grid.label(head.title);
    this.#clusters = head.clusters.map((cluster) => cluster.name);
    this.#columns.head(head);
    if (this.#order.told(head)) this.#grid.showSorts(this.#order.sorts);
    this.#filtering.head(head);
    this.#arrange();
    this.#said();
    this.tick();
  }

  /**
   * @param quiet What comes is the rows' first state, or so much that marks would say nothing.
   * @param more Whether further changes are on their way already; undefined for the parts of a first state.
   */
  change(changes: Changes, quiet: boolean, more: boolean | undefined): void {
    this.#ledger.add(changes);
    if (changes.size > 0 && quiet) this.#show.quiet = true;
    const stood = more !== true && this.#foremost.done();
    if (stood || this.#ledger.size > 0) this.#beat.ask(more);
  }

  /** What it has on its screen, where its user looks at it and it goes on. */
  places(): Places | undefined {
    return this.#beat.seen && !this.paused ? placesOf(this.id, this.#asItIs()) : undefined;
  }

  /** These rows came ahead of others: show them where it is certain that they are what will be there. */
  ahead(ahead: Ahead): void {
    if (this.paused || !this.#foremost.came(ahead)) return;
    this.#beat.wait();
    this.#redraw();
  }

  /** What comes next are the rows of another question. */
  clear(): void {
    this.#ledger.drain();
    this.#columns.clear();
    this.#frame.clear();
    this.#show.clear();
    this.#picks.clear();
    this.resume();
    this.#redraw();
  }

  tick(): void {
    const { head, link, changes } = this.#shared;
    const now = this.#shared.now();
    this.#root.classList.toggle("frozen", link.condition.kernel !== "live" || head?.closed === true);
    if (link.condition.attention === "hidden") this.#fold();
    if (head === undefined || document.visibilityState === "hidden") return;
    this.#shared.settle();
    this.#bar.tick(head, link, now);
    sayWaits(this.#root, link.waits);
    this.#bar.rate(changes.rate, changes.last, now);
    if (!this.paused) this.#filtering.tick();
    if (link.condition.kernel === "live" && !this.paused) {
      this.#grid.api.refreshCells({ columns: liveTitles(head, this.#show.arrangement.rows()) });
    }
    this.#said();
  }

  // --- for keys, bar, details and actions -----------------------------------------------------------------------------

  get paused(): boolean {
    return this.#still !== undefined;
  }

  /** Let the view stand still while the page's copy of the rows goes on. */
  pause(): void {
    if (this.paused) return;
    this.#beat.now();
    this.#still = performance.now();
    this.#bar.paused(true);
    this.#pauseLine.show(this.#ledger.missed());
  }

  /** Show what the rows have become. */
  resume(): void {
    if (!this.paused) return;
    this.#still = undefined;
    this.#bar.paused(false);
    this.#pauseLine.show(undefined);
    this.#beat.now();
  }

  /** The row that has the focus; undefined where none has it. */
  get focused(): Row | undefined {
    const shown = this.#focus.shown;
    return isGroup(shown) ? undefined : shown;
  }

  /** The rows that are selected, in the order shown. */
  get selected(): Row[] {
    return this.#show.arrangement.rows().filter((row) => this.#picks.keys.has(row.key));
  }

  /** The rows that something is done with: those selected, else the one with the focus. */
  #meant(): Row[] {
    const { selected, focused } = this;
    return selected.length > 0 || focused === undefined ? selected : [focused];
  }

  // --- keys ---------------------------------------------------------------------------------------------------------------

  #key(event: KeyboardEvent): void {
    const path = event.composedPath();
    if (event.defaultPrevented || path.includes(this.#panel.element) || isOthers(path as HTMLElement[])) return;
    const act = actOf(event);
    if (act === undefined && !(event.key === "ArrowDown" && path[0] === this.#root && this.#focus.enter())) return;
    event.preventDefault();
    event.stopPropagation();
    if (act !== undefined) this.#do(act);
  }

  #do(act: Act): void {
    const { head } = this.#shared;
    if (head === undefined) return;
    const { settings } = head;
    if (act === "filter") this.#bar.focusFilter();
    else if (act === "wide") void this.#wishes.set("wide", !settings.wide);
    else if (act === "usage") void this.#wishes.set("usage", !settings.usage);
    else if (act === "faults") this.#filtering.field.turnFaults();
    else if (act === "group") this.#bar.openView();
    else if (act === "help") this.#help.show();
    else if (act === "copy") void this.#bar.copying.names();
    else if (act === "kind" || act === "namespace" || act === "cluster") this.#bar.pickers.open(act);
    else if (act === "pause") this.#turn();
    else this.#lookAtFocused(act);
  }

  #turn(): void {
    if (this.paused) this.resume();
    else this.pause();
  }

  #lookAtFocused(tab: Tab): void {
    const row = this.focused ?? this.selected[0];
    if (row !== undefined) this.#look(row, true, tab);
    else this.#bar.say("no row has the focus");
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  #at(place: number): Shown | undefined {
    return this.#show.arrangement.shown[place];
  }

  #asItIs = (): Look => ({ sort: this.#order.text, drawn: this.#grid.drawn, arrangement: this.#show.arrangement, filter: this.#filtering });

  #rowAt(place: number): Row | undefined {
    const shown = this.#at(place);
    return isGroup(shown) ? undefined : shown;
  }

  /** The time in a cluster: the one of now, or that at which the view stands still. */
  #timeOf = (cluster: number): number => {
    const ago = this.#still === undefined ? 0 : (performance.now() - this.#still) / 1000;
    return this.#shared.timeOf(cluster) - ago;
  };

  /** Sort, group and filter anew, where what that depends on has changed. */
  #arrange(): void {
    const { head } = this.#shared;
    if (head === undefined || !this.#order.anew(head)) return;
    this.#show.arrangement.arrange(this.#order.rules(head));
    this.#grid.grouped(this.#show.arrangement.grouped);
    this.#redraw();
  }

  /** Draw what changed, unless the view is paused. */
  #draw(): void {
    const { head, rows } = this.#shared;
    if (head === undefined) return;
    if (this.paused) {
      this.#pauseLine.show(this.#ledger.missed());
      return;
    }
    const [first, last] = this.#grid.drawn;
    const changes = this.#ledger.drain();
    this.#show.take(changes, first, last, head);
    this.#foremost.stay();
    if (changes.size > 0 && this.#picks.keep((key) => rows.byKey.has(key)) && this.#shared.picker === this.id) this.#picked();
    this.#columns.measure();
    if (changes.size > 0) this.#filtering.count();
    this.#redraw();
    if (this.#show.marks.any) this.#beat.ask();
  }

  /** The page is told no more while it is hidden: what it has been told is drawn by now, when it comes back for the rest. */
  #fold(): void {
    const stood = this.#foremost.done();
    if ((!stood && this.#ledger.size === 0) || this.paused) return;
    this.#show.quiet = true;
    this.#beat.now();
  }

  /** Draw what is shown. */
  #redraw(): void {
    this.#focus.keep(() => this.#grid.draw(this.#show.arrangement.shown.length));
    this.#painter.paint();
    this.#said();
  }

  /** The page, or the view in it, is looked at again, or not any more. */
  #seen(inside: boolean = this.#beat.seen): void {
    const before = this.#beat.seen;
    this.#beat.seen = inside;
    if (document.visibilityState === "hidden" || !inside) return;
    this.#beat.hurry();
    if (this.#ledger.size > 0 || this.#show.marks.any || !before) this.#beat.now();
    this.tick();
  }

  #filtered(chosen: boolean): void {
    if (this.#show === undefined || this.#shared.head === undefined) return;
    this.#show.arrangement.filter(this.#order.rules(this.#shared.head));
    this.#redraw();
    if (chosen) this.#frame.follow();
  }

  // --- what the user does with rows -----------------------------------------------------------------------------------

  #picked(): void {
    this.#shared.picker = this.id;
    const chosen = this.selected.slice(0, SELECT_LIMIT).map((row) => [row.cluster, row.uid]);
    void this.#ask({ t: "select", rows: chosen });
    const first = this.#picks.size > SELECT_LIMIT ? `Python has the first ${SELECT_LIMIT} of them` : "";
    if (first !== this.#most) this.#bar.say((this.#most = first));
    this.#painter.paint();
    this.#said();
  }

  #lookAt(place: number, byKey: boolean): void {
    const row = this.#rowAt(place);
    if (row !== undefined) this.#look(row, byKey);
  }

  /** Show what a row has below the rows; without a tab no more, where it is shown already. */
  #look(row: Row, byKey: boolean, tab?: Tab): void {
    const { head } = this.#shared;
    if (head === undefined || !head.looks) return;
    if (tab === undefined && this.#panel.key === row.key) {
      this.#panel.close();
      return;
    }
    this.#frame.fit(); // the pane stands below the rows
    this.#panel.open(row, tab, byKey);
    this.#painter.paint();
  }

  #left(key: string): void {
    void this.#ask({ t: "do", what: "leave" });
    if (this.#abort.signal.aborted) return;
    this.#painter.paint();
    const found = this.#show.arrangement.find(key);
    if (found !== undefined) this.#focus.give(found[1], ACT);
  }

  #ask(message: Record<string, unknown>) {
    const { link } = this.#shared;
    const asked = { ...message, view: this.id };
    return mayBeTwice(message) ? link.insist(asked) : link.ask(asked);
  }

  // --- what is said around the rows -----------------------------------------------------------------------------------

  #groupTitle(name: string): string {
    return plain(groupTitle(this.#shared.head?.settings.group ?? "", name));
  }

  #said(): void {
    const { head, rows } = this.#shared;
    if (head === undefined) return;
    const { arrangement } = this.#show;
    this.#bar.counts(arrangement.passing, arrangement.size, this.#picks.size);
    this.#bar.head(head, rows.counts);
    this.#frame.show(head, arrangement.size, arrangement.shown.length);
  }
}
