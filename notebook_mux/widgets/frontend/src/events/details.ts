/** All of one event: the whole message, how often and from when to when, who said it, and what its object belongs to. */

import { humanDuration } from "../common/age";
import { count, element, setText } from "../common/dom";
import { type Happened, type Thing, thingWords } from "./data";
import { oneLine, often } from "./list";
import { LogPane } from "./log";
import { moment } from "./timeline";

/** What can turn the direction of writing, or has no look; line breaks and tabs stay. */
const TURNING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** What was written around an event, or why that cannot be read. */
export interface Written {
  ok: boolean;
  error?: string;
  lines?: [number, string][];
  said?: string;
}

export interface DetailsActions {
  close(): void;
  around(one: Happened): Promise<Written>;
  /** All there is, to stand between the lines. */
  happened(): Iterable<Happened>;
}

export class Details {
  readonly element = element("div", { class: "details", role: "region", "aria-label": "the event in full", hidden: "" });
  #mark = element("strong");
  #about = element("span");
  #often = element("span", { class: "dim" });
  #said = element("span", { class: "dim" });
  #text = element("div", { class: "text", tabindex: "0" });
  #log = new LogPane();
  #around = element("button", { type: "button", "aria-pressed": "false", title: "What the pod wrote around this event" }, "Log around it");
  #actions: DetailsActions;
  #one: Happened | undefined;

  constructor(actions: DetailsActions, signal: AbortSignal) {
    this.#actions = actions;
    const button = element("button", { type: "button", title: "Close the details" }, "Close");
    button.addEventListener("click", () => actions.close(), { signal });
    this.#around.addEventListener(
      "click",
      () => {
        this.#around.setAttribute("aria-pressed", String(this.#around.getAttribute("aria-pressed") !== "true"));
        this.#look();
      },
      { signal },
    );
    const push = element("span", { class: "push" });
    const first = element("div", { class: "first" }, this.#mark, this.#about, this.#often, push, this.#around, button);
    this.element.append(first, this.#said, this.#text, this.#log.element);
  }

  /** Read what the pod wrote around the event, where that is wanted. */
  #look(): void {
    const one = this.#one;
    if (one === undefined || one.kind !== "Pod" || this.#around.getAttribute("aria-pressed") !== "true") {
      this.#log.hide();
      return;
    }
    this.#log.say("reading the log …");
    void this.#actions.around(one).then((answer) => {
      if (this.#one?.key !== one.key || this.#around.getAttribute("aria-pressed") !== "true") return;
      if (!answer.ok) this.#log.say(oneLine(answer.error ?? ""));
      else this.#log.show(answer.lines ?? [], this.#actions.happened(), one, answer.said ?? "");
    });
  }

  draw(one: Happened | undefined, owners: readonly Thing[], where: string, now: number): void {
    this.element.hidden = one === undefined;
    const another = this.#one?.key !== one?.key;
    this.#one = one;
    this.#around.hidden = one?.kind !== "Pod";
    if (another) this.#look();
    if (one === undefined) return;
    setText(this.#mark, `${one.warning ? "▲ " : ""}${oneLine(one.reason)}`);
    const container = one.container === "" ? "" : `, container ${one.container}`;
    const way = owners.map((owner) => ` ‹ ${thingWords(owner)}`).join("");
    setText(this.#about, oneLine(`${where}${thingWords(one)}${container}${way}`));
    const last = `${humanDuration(now - one.last)} ago (${moment(one.last, now)})`;
    setText(this.#often, one.count > 1 ? `${often(one)}, first ${moment(one.first, now)}, last ${last}` : last);
    const objects = one.objects > 1 ? `${count(one.objects)} Event objects` : "";
    setText(this.#said, oneLine([one.type, one.source === "" ? "" : `by ${one.source}`, objects].filter((text) => text !== "").join(" · ")));
    setText(this.#text, one.message.replace(TURNING, "\ufffd"));
  }
}
