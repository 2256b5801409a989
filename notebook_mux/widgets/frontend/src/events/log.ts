/** A pod's log around an event: its lines, with what happened to the pod between them. */

import { element } from "../common/dom";
import type { Happened } from "./data";
import { oneLine } from "./list";

/** What a line of the pane is: a line of the log, or something that happened. */
export type Part = { at: number; text: string } | { at: number; one: Happened };

/** How much is shown before the first line and behind the last one, in seconds. */
const ROOM = 5;

/** Escape codes of terminals: colours and all else that is no text. */
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_a-z])/g;

/** Lines and events in the order of time; an event stands behind the lines of its second, which led to it. */
export function partsOf(lines: readonly (readonly [number, string])[], happened: Iterable<Happened>, chosen: Happened): Part[] {
  const first = lines[0]?.[0] ?? chosen.last;
  const last = lines.at(-1)?.[0] ?? chosen.last;
  const from = Math.min(first, chosen.last) - ROOM;
  const to = Math.max(last, chosen.last) + ROOM;
  const parts: Part[] = lines.map(([at, text]) => ({ at, text: text.replace(ESCAPES, "") }));
  for (const one of happened) {
    if (one.thing !== chosen.thing) continue;
    for (const at of one.moments) if (at >= from && at <= to) parts.push({ at, one });
  }
  // an event has whole seconds, and so it is of a moment within its second
  const place = (part: Part): number => ("one" in part && Number.isInteger(part.at) ? part.at + 0.999999 : part.at);
  return parts.sort((a, b) => place(a) - place(b));
}

function time(at: number): string {
  const day = new Date(at * 1000);
  return `${day.toLocaleTimeString([], { hour12: false })}.${String(day.getMilliseconds()).padStart(3, "0")}`;
}

export class LogPane {
  readonly element = element("div", { class: "log", hidden: "", role: "log", tabindex: "0", "aria-label": "the pod's log around the event" });

  hide(): void {
    this.element.hidden = true;
    this.element.replaceChildren();
  }

  say(words: string): void {
    this.element.hidden = false;
    this.element.replaceChildren(element("div", { class: "said" }, words));
  }

  show(lines: readonly (readonly [number, string])[], happened: Iterable<Happened>, chosen: Happened, said: string): void {
    const parts = partsOf(lines, happened, chosen);
    const rows = parts.map((part) => {
      if (!("one" in part)) {
        const text = oneLine(part.text);
        return element("div", { class: "line" }, element("time", {}, time(part.at)), text);
      }
      const { one } = part;
      const kind = `line mark${one.warning ? " warning" : ""}${one.key === chosen.key ? " own" : ""}`;
      const words = `${one.warning ? "▲" : "●"} ${oneLine(one.reason)}: ${oneLine(one.message)}`;
      return element("div", { class: kind }, element("time", {}, time(part.at)), words);
    });
    this.element.hidden = false;
    this.element.replaceChildren(...rows, ...(said === "" ? [] : [element("div", { class: "said" }, said)]));
    const own = this.element.querySelectorAll<HTMLElement>(".own");
    const last = own[own.length - 1];
    if (last !== undefined) this.element.scrollTop = last.offsetTop - this.element.offsetTop - this.element.clientHeight / 2;
  }
}
