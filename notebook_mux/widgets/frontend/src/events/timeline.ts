/** The time line: a lane for each object, its events as dots, a pod's states as bars. Only the lanes in sight are drawn. */

import { clock, element } from "../common/dom";
import { AXIS_PX, LANE_PX } from "./css";
import { type Happened, thingWords } from "./data";
import { barsOf, type Dot, dotsOf, type Lane, type Scale, scaleOf, spansOf, ticksOf } from "./lanes";
import { Hold } from "./hold";
import { oneLine, often } from "./list";

const SVG = "http://www.w3.org/2000/svg";
const LABEL_SHARE = 0.26;
const LABEL_MOST = 270;
const INDENT_PX = 12;
const RIGHT_PX = 12;
const BAR_PX = 9;
const TICK_GAP = 90;
/** What the words "now" take, and half of a time before them. */
const NOW_PX = 58;
const MOST_TITLES = 4;
/** Lanes in sight at once; more are scrolled to. */
export const LANES = 8;
const SEEN_PX = 0.75;
const LEAST_RADIUS = 3.2;
const MOST_RADIUS = 6;

export interface Chosen {
  /** Another one whenever anything but the time has changed. */
  stamp: string;
  /** The event that is picked in the list, or "". */
  key: string;
  fresh: ReadonlySet<string>;
}

export interface TimelineActions {
  pick(key: string): void;
  lane(lane: Lane): void;
}

function svg(name: string, attributes: Record<string, string | number> = {}, title = ""): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (title !== "") {
    const words = document.createElementNS(SVG, "title");
    words.textContent = title;
    made.append(words);
  }
  return made;
}

/** A dot's outline; a warning's is a triangle, so that colour is not all there is. */
function outline(x: number, y: number, radius: number, warning: boolean): string {
  if (!warning) return `M${x - radius} ${y}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0Z`;
  const half = radius * 1.2;
  return `M${x} ${y - half}L${x + half} ${y + half * 0.85}L${x - half} ${y + half * 0.85}Z`;
}

const MARKS: Record<string, (x: number, y: number) => string> = {
  restarted: (x, y) => `M${x} ${y - 7}V${y + 7}`,
  killed: (x, y) => `M${x - 4} ${y - 4}L${x + 4} ${y + 4}M${x + 4} ${y - 4}L${x - 4} ${y + 4}`,
  failed: (x, y) => `M${x - 4} ${y - 4}L${x + 4} ${y + 4}M${x + 4} ${y - 4}L${x - 4} ${y + 4}`,
  gone: (x, y) => `M${x} ${y - 5}V${y + 5}`,
};

const LEGEND: [state: string, words: string][] = [
  ["pending", "pending"], ["started", "started"], ["ready", "ready"], ["unready", "not ready"], ["failing", "failing"],
];

/** A moment with its date where it is not of today, and with its year where it is not of this one. */
export function moment(at: number, now: number): string {
  const [day, today] = [new Date(at * 1000), new Date(now * 1000)];
  if (day.toDateString() === today.toDateString()) return clock(at);
  const year = day.getFullYear() === today.getFullYear() ? undefined : "numeric";
  return `${day.toLocaleDateString([], { year, month: "short", day: "numeric" })} ${clock(at)}`;
}

export class Timeline {
  readonly element = element("div", { class: "time", hidden: "" });
  readonly legend = element("div", { class: "legend", hidden: "" });
  #axis = svg("svg", { class: "axis", "aria-hidden": "true" });
  #scroll = element("div", { class: "scroll", role: "img" });
  #sizer = element("div", { class: "sizer" });
  #pane = element("div", { class: "pane" });
  #labels = element("div");
  #svg = svg("svg", { class: "lanes" });
  #actions: TimelineActions;
  #lanes: readonly Lane[] = [];
  #byKey = new Map<string, Happened>();
  #chosen: Chosen = { stamp: "", key: "", fresh: new Set() };
  #from = 0;
  #now = 0;
  #most = 0;
  #hold: Hold;

  constructor(actions: TimelineActions, signal: AbortSignal) {
    this.#actions = actions;
    this.#pane.append(this.#labels, this.#svg);
    this.#sizer.append(this.#pane);
    this.#scroll.append(this.#sizer);
    this.element.append(this.#axis, this.#scroll);
    this.#scroll.addEventListener("scroll", () => this.#hold.later(), { signal, passive: true });
    this.#svg.addEventListener(
      "click",
      (event) => {
        const key = (event.target as Element).closest("[data-key]")?.getAttribute("data-key");
        if (key !== null && key !== undefined) actions.pick(key);
      },
      { signal },
    );
    this.#hold = new Hold(this.#pane, () => this.#draw(), signal);
    const size = new ResizeObserver(() => this.#hold.later());
    size.observe(this.element);
    signal.addEventListener("abort", () => size.disconnect());
    for (const [state, words] of LEGEND) {
      const picture = svg("svg", { viewBox: "0 0 14 10" });
      picture.append(svg("rect", { class: `state ${state}`, x: 0, y: 1, width: 14, height: 8, rx: 1 }));
      this.legend.append(element("span", {}, picture, words));
    }
    for (const [what, words] of [["restarted", "restarted"], ["killed", "killed"]] as const) {
      const picture = svg("svg", { viewBox: "0 0 14 10" });
      picture.append(svg("path", { class: `mark ${what}`, d: MARKS[what]?.(7, 5) ?? "" }));
      this.legend.append(element("span", {}, picture, words));
    }
    for (const warning of [false, true]) {
      const picture = svg("svg", { viewBox: "0 0 14 10" });
      picture.append(svg("path", { class: `happened${warning ? " warning" : ""}`, d: outline(7, 5, 3.6, warning) }));
      this.legend.append(element("span", {}, picture, warning ? "warning" : "event"));
    }
  }

  /** Show lanes from `from` until now. */
  draw(lanes: readonly Lane[], from: number, now: number, chosen: Chosen): void {
    // what stands under the pointer stays, with its words, until it has moved by what one can see
    const moved = ((now - this.#now) / Math.max(1, now - from)) * this.#scroll.clientWidth;
    if (lanes === this.#lanes && chosen.stamp === this.#chosen.stamp && moved < SEEN_PX) return;
    this.#lanes = lanes;
    this.#from = from;
    this.#now = now;
    this.#chosen = chosen;
    this.#byKey.clear();
    for (const lane of lanes) for (const one of lane.happened) this.#byKey.set(one.key, one);
    this.element.hidden = lanes.length === 0;
    this.legend.hidden = !lanes.some((lane) => lane.pod !== undefined);
    this.#scroll.setAttribute("aria-label", `time line of ${lanes.length} objects, the same events as in the list below`);
    this.#hold.later();
  }

  /** Bring a lane into sight. */
  reveal(thing: string): void {
    const index = this.#lanes.findIndex((lane) => lane.key === thing);
    if (index < 0) return;
    const top = index * LANE_PX;
    const { scrollTop, clientHeight } = this.#scroll;
    if (top < scrollTop) this.#scroll.scrollTop = top;
    else if (top + LANE_PX > scrollTop + clientHeight) this.#scroll.scrollTop = top + LANE_PX - clientHeight;
    this.#hold.later();
  }

  #draw(): void {
    if (this.element.hidden) return;
    const whole = this.#scroll.clientWidth;
    if (whole === 0) return;
    const left = Math.round(Math.min(LABEL_MOST, whole * LABEL_SHARE));
    const scale = scaleOf(this.#from, this.#now, Math.max(20, whole - left - RIGHT_PX));
    const height = `${this.#lanes.length * LANE_PX}px`;
    if (this.#sizer.style.height !== height) this.#sizer.style.height = height;
    // it grows with its lanes and does not shrink: what is below must not jump
    const least = `${Math.min(LANES, Math.max(this.#most, this.#lanes.length)) * LANE_PX}px`;
    if (this.#scroll.style.minHeight !== least) this.#scroll.style.minHeight = least;
    this.#most = Math.max(this.#most, this.#lanes.length);
    const high = this.#scroll.clientHeight;
    this.#pane.style.height = `${high}px`;
    const top = this.#scroll.scrollTop;
    const first = Math.max(0, Math.floor(top / LANE_PX));
    const end = Math.min(this.#lanes.length, Math.ceil((top + high) / LANE_PX));
    for (const [name, value] of [["width", whole - left], ["height", high]] as const) this.#svg.setAttribute(name, String(value));
    this.#svg.style.left = `${left}px`;
    const ticks = ticksOf(scale, TICK_GAP, -new Date(this.#now * 1000).getTimezoneOffset() * 60);
    const parts: SVGElement[] = ticks.map((at) => line("grid", scale.x(at), 0, high));
    const labels: HTMLElement[] = [];
    for (let index = first; index < end; index++) {
      const lane = this.#lanes[index];
      if (lane === undefined) continue;
      const y = index * LANE_PX - top;
      parts.push(...this.#lane(lane, y, index, scale));
      labels.push(this.#label(lane, y, left));
    }
    parts.push(line("now", scale.x(this.#now), 0, high));
    this.#svg.replaceChildren(...parts);
    this.#labels.replaceChildren(...labels);
    this.#drawAxis(ticks, scale, left);
  }

  #drawAxis(ticks: readonly number[], scale: Scale, left: number): void {
    this.#axis.setAttribute("width", String(left + scale.width + RIGHT_PX));
    const whole = scale.to - scale.from;
    const texts = ticks
      .filter((at) => scale.x(at) > 18 && scale.x(at) < scale.width - NOW_PX)
      .map((at) => {
        const day = new Date(at * 1000);
        const words = whole > 86400 * 2 ? day.toLocaleDateString([], { month: "short", day: "numeric" })
          : whole > 900 ? clock(at).slice(0, 5) : clock(at);
        const text = svg("text", { x: left + scale.x(at), y: AXIS_PX - 6, "text-anchor": "middle" });
        text.textContent = words;
        return text;
      });
    const now = svg("text", { x: left + scale.width, y: AXIS_PX - 6, "text-anchor": "end" });
    now.textContent = "now";
    this.#axis.replaceChildren(...texts, now);
  }

  #label(lane: Lane, top: number, width: number): HTMLElement {
    const words = oneLine(thingWords(lane.thing));
    const own = lane.happened.some((one) => one.key === this.#chosen.key);
    const made = element("div", { class: `label${own ? " picked" : ""}${lane.happened.length === 0 ? " above" : ""}`, title: words }, words);
    made.style.cssText = `top:${top}px;width:${width}px;padding-left:${8 + Math.min(5, lane.depth) * INDENT_PX}px`;
    made.addEventListener("click", () => this.#actions.lane(lane));
    return made;
  }

  #lane(lane: Lane, top: number, index: number, scale: Scale): SVGElement[] {
    const middle = top + LANE_PX / 2;
    const parts: SVGElement[] = [];
    const band = { x: 0, y: top, width: scale.width, height: LANE_PX };
    if (lane.happened.some((one) => one.key === this.#chosen.key)) parts.push(svg("rect", { class: "chosen", ...band }));
    else if (index % 2 === 1) parts.push(svg("rect", { class: "stripe", ...band }));
    if (lane.pod !== undefined) {
      for (const bar of barsOf(lane.pod, scale, this.#now)) {
        const until = bar.until === undefined ? "now" : moment(bar.until, this.#now);
        const words = oneLine(bar.words);
        const said = `${bar.state}${words === "" ? "" : ` (${words})`}, ${moment(bar.since, this.#now)} to ${until}`;
        const place = { x: bar.x, y: middle - BAR_PX / 2, width: bar.width, height: BAR_PX, rx: 1.5 };
        parts.push(svg("rect", { class: `state ${bar.state}`, ...place }, said));
      }
    }
    for (const warning of [false, true]) {
      for (const { from, to } of spansOf(lane.happened, scale, warning)) {
        parts.push(svg("line", { class: `span${warning ? " warning" : ""}`, x1: from, x2: to, y1: middle, y2: middle }));
      }
    }
    for (const [at, what, words] of lane.pod?.marks ?? []) {
      const shape = MARKS[what];
      if (at < scale.from || shape === undefined) continue;
      parts.push(svg("path", { class: `mark ${what}`, d: shape(scale.x(at), middle) }, oneLine(`${words}, ${moment(at, this.#now)}`)));
    }
    for (const dot of dotsOf(lane.happened, scale)) parts.push(this.#dot(dot, middle));
    return parts;
  }

  #dot(dot: Dot, middle: number): SVGElement {
    const names = dot.keys.slice(-MOST_TITLES).reverse().map((key) => this.#byKey.get(key)).filter((one) => one !== undefined);
    const words = names.map((one) => oneLine([one.reason, often(one), one.message.slice(0, 160)].filter((text) => text !== "").join(" · ")));
    if (dot.keys.length > MOST_TITLES) words.push(`and ${dot.keys.length - MOST_TITLES} more`);
    const picked = dot.keys.includes(this.#chosen.key);
    const radius = Math.min(MOST_RADIUS, LEAST_RADIUS + Math.log2(dot.count) * 0.5) + (picked ? 1.5 : 0);
    const fresh = dot.keys.some((key) => this.#chosen.fresh.has(key));
    const kind = `happened${dot.warning ? " warning" : ""}${picked ? " picked" : ""}${fresh ? " fresh" : ""}`;
    const key = picked ? this.#chosen.key : dot.key;
    return svg("path", { class: kind, d: outline(dot.x, middle, radius, dot.warning), "data-key": key }, words.join("\n"));
  }
}

function line(kind: string, x: number, from: number, to: number): SVGElement {
  return svg("line", { class: kind, x1: x, x2: x, y1: from, y2: to });
}
