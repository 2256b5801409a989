/** Copying: the cell and the command that make this view, and the names of what is selected. */

import { count } from "../common/dom";
import type { Entry } from "../common/menu";
import { toClipboard } from "../common/clipboard";

/** The kernel's answer: both texts, or why there are none. */
export interface Code {
  python: string;
  kubectl: string;
}

export interface CopyActions {
  code(): Promise<Code | string>;
  names(): string[];
  say(text: string): void;
}

const NOT_YET = "asking the kernel …";

export class Copying {
  #actions: CopyActions;
  #code: Code | string = NOT_YET;

  constructor(actions: CopyActions) {
    this.#actions = actions;
  }

  /** Ask for the texts while the menu is open, so that they are there at the click: a browser lets a page write then. */
  async ask(come: () => void): Promise<void> {
    this.#code = NOT_YET;
    this.#code = await this.#actions.code();
    come();
  }

  entries(): Entry[] {
    const code = this.#code;
    const text = (which: keyof Code) => (typeof code === "string" ? undefined : code[which]);
    const entry = (words: string, which: keyof Code): Entry => {
      const made = text(which);
      return {
        kind: "act",
        words,
        more: made === undefined ? String(code) : firstLine(made),
        disabled: made === undefined,
        act: () => void this.#write(made ?? "", words.toLowerCase()),
      };
    };
    const names = this.#actions.names();
    return [
      entry("Copy as Python", "python"),
      entry("Copy as kubectl", "kubectl"),
      {
        kind: "act",
        words: names.length > 0 ? `Copy ${count(names.length)} ${names.length === 1 ? "name" : "names"}` : "Copy names",
        more: names.length > 0 ? names.slice(0, 4).join(", ") : "select rows first",
        key: "c",
        disabled: names.length === 0,
        act: () => void this.names(),
      },
    ];
  }

  async names(): Promise<void> {
    const names = this.#actions.names();
    if (names.length === 0) this.#actions.say("no row is selected");
    else await this.#write(names.join("\n"), `${count(names.length)} ${names.length === 1 ? "name" : "names"}`);
  }

  async #write(text: string, what: string): Promise<void> {
    const done = await toClipboard(text);
    const words = what.replace(/^copy /, "").replace(/^as /, "");
    this.#actions.say(done ? `copied: ${words}` : "this page may not write to the clipboard");
  }
}

/** The line that says most: not an import, not a remark. */
export function firstLine(text: string): string {
  return text.split("\n").find((line) => line !== "" && !/^(import |#)/.test(line)) ?? "";
}
