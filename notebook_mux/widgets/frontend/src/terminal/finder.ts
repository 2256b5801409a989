/** The search over a terminal's lines: next, previous, case, regular expression. */

import type { ISearchOptions, SearchAddon } from "@xterm/addon-search";

import { element, setText } from "../common/dom";

const COLORS: NonNullable<ISearchOptions["decorations"]> = {
  matchBackground: "#8a6d1f",
  matchOverviewRuler: "#e0b000",
  activeMatchBackground: "#b3541e",
  activeMatchColorOverviewRuler: "#ff7f2a",
};

export class Finder {
  readonly bar = element("div", { class: "line finder", role: "search", hidden: "" });
  #search: SearchAddon;
  #left: () => void;
  #words = element("input", { type: "search", placeholder: "Search", "aria-label": "Search in the terminal" });
  #regex = element("button", { type: "button", "aria-pressed": "false", title: "Regular expression", "aria-label": "Regular expression" }, ".*");
  #case = element("button", { type: "button", "aria-pressed": "false", title: "Match case", "aria-label": "Match case" }, "Aa");
  #found = element("span", { class: "dim", role: "status" });

  constructor(search: SearchAddon, left: () => void, signal: AbortSignal) {
    this.#search = search;
    this.#left = left;
    const previous = element("button", { type: "button", title: "Previous (Shift+Enter)" }, "Previous");
    const next = element("button", { type: "button", title: "Next (Enter)" }, "Next");
    const close = element("button", { type: "button", title: "Close (Escape)", "aria-label": "Close the search" }, "×");
    this.bar.append(this.#words, this.#case, this.#regex, previous, next, this.#found, close);
    for (const toggle of [this.#regex, this.#case]) {
      toggle.addEventListener(
        "click",
        () => {
          toggle.setAttribute("aria-pressed", String(toggle.getAttribute("aria-pressed") !== "true"));
          this.#find("next", true);
        },
        { signal },
      );
    }
    previous.addEventListener("click", () => this.#find("previous"), { signal });
    next.addEventListener("click", () => this.#find("next"), { signal });
    close.addEventListener("click", () => this.close(), { signal });
    this.#words.addEventListener("input", () => this.#find("next", true), { signal });
    this.bar.addEventListener(
      "keydown",
      (event) => {
        if (event.key === "Escape") this.close();
        else if (event.key === "Enter" && event.target === this.#words) this.#find(event.shiftKey ? "previous" : "next");
        else return;
        event.preventDefault();
        event.stopPropagation();
      },
      { signal },
    );
    search.onDidChangeResults(({ resultIndex, resultCount }) => {
      // after output the addon looks again for what it found last, a moment later
      if (this.#words.hasAttribute("aria-invalid")) return;
      const at = resultIndex >= 0 ? `${resultIndex + 1} of ${resultCount}` : `${resultCount} found`;
      setText(this.#found, this.#words.value === "" ? "" : resultCount === 0 ? "not found" : at);
    });
  }

  get open(): boolean {
    return !this.bar.hidden;
  }

  show(words: string): void {
    this.bar.hidden = false;
    if (words !== "" && !words.includes("\n")) this.#words.value = words;
    this.#words.focus();
    this.#words.select();
    this.#find("next", true);
  }

  close(): void {
    this.bar.hidden = true;
    this.#search.clearDecorations();
    this.#left();
  }

  #find(way: "next" | "previous", incremental = false): void {
    const words = this.#words.value;
    const options: ISearchOptions = {
      regex: this.#regex.getAttribute("aria-pressed") === "true",
      caseSensitive: this.#case.getAttribute("aria-pressed") === "true",
      incremental: incremental && way === "next",
      decorations: COLORS,
    };
    this.#words.removeAttribute("aria-invalid");
    if (words === "") {
      this.#search.clearDecorations();
      setText(this.#found, "");
      return;
    }
    try {
      if (options.regex === true) new RegExp(words);
      const { findNext, findPrevious } = this.#search;
      // where nothing is found the addon does not say so
      if (!(way === "next" ? findNext : findPrevious).call(this.#search, words, options)) setText(this.#found, "not found");
    } catch {
      this.#words.setAttribute("aria-invalid", "true");
      this.#search.clearDecorations();
      setText(this.#found, "no regular expression");
    }
  }
}
