/** What a filter is made of, as it was read: words with their places in the text; see notebook_mux/filtering/terms.py. */

import type { Pattern } from "./regexes";

/** What divides words, as the inside of a class of a regular expression: in Python and here the same. */
export const BLANK = "\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

export type Span = readonly [start: number, end: number];

/** A text with `*` in it, divided there: `we*b` is `["we", "b"]`, and `web` is `["web"]`. */
export type Alternative = readonly string[];

/** What cannot be read, and where; `open` where whoever types may just not be through yet. */
export interface Mistake {
  readonly start: number;
  readonly end: number;
  readonly what: string;
  readonly todo: string;
  readonly open: boolean;
}

/** One of a label selector's: `in`, `notin`, `exists`, `absent`, `<` or `>`. */
export interface Requirement {
  readonly key: string;
  readonly op: string;
  readonly values: readonly string[];
}

export interface Text {
  readonly t: "text";
  readonly span: Span;
  readonly text: string;
  readonly negated: boolean;
}

export interface Regex {
  readonly t: "regex";
  readonly span: Span;
  readonly source: string;
  readonly pattern: Pattern;
  readonly negated: boolean;
}

/** `key=value` and its kin; `op` is `=`, `~`, `<`, `<=`, `>` or `>=`. */
export interface Compared {
  readonly t: "compared";
  readonly span: Span;
  readonly key: string;
  readonly keySpan: Span;
  readonly op: string;
  readonly value: string;
  readonly valueSpan: Span;
  readonly alternatives: readonly Alternative[];
  readonly pattern: Pattern | undefined;
  readonly negated: boolean;
}

export interface Scope {
  readonly t: "scope";
  readonly span: Span;
  readonly what: "namespace" | "cluster";
  readonly alternatives: readonly Alternative[];
}

export interface Labels {
  readonly t: "labels";
  readonly span: Span;
  readonly requirements: readonly Requirement[];
}

export interface Faults {
  readonly t: "faults";
  readonly span: Span;
}

export type Term = Text | Regex | Compared | Scope | Labels | Faults;

export interface Parsed {
  readonly terms: Term[];
  readonly mistakes: Mistake[];
  /** Where the last word begins, with the flag before it if it is a flag's value. */
  readonly last: number;
}
