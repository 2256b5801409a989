/**
 * What a cell says at a glance: its tone, its meaning in words, and whether a row is a fault; the same as in Python
 * (notebook_mux/printing/tones.py). The text is always there; a tone adds a colour and a shape.
 */

import data from "../../../../printing/meanings.json";
import * as rules from "./tone_rules";
import { NOTHING, type Read, type Rule, type Said, type Tone } from "./tone_rules";

export type { Tone } from "./tone_rules";

/** A tone's sign, for those who do not see its colour. */
export const SHAPES: Record<string, string> = data.shapes;

/** A tone in words. */
export const NAMES: Record<string, string> = data.names;

const ALIASES: Record<string, string> = { "events.events.k8s.io": "events" };

type Words = Map<string, Said>;

const COLUMNS = new Map(
  Object.entries(data.columns).map(([kind, columns]): [string, Map<string, Rule>] => [
    kind,
    new Map(Object.entries(columns).map(([title, rule]) => [title.toLowerCase(), rule as Rule])),
  ]),
);
const WORDS = new Map(
  Object.entries(data.words).map(([kind, words]): [string, Words] => [kind, new Map(Object.entries(words) as [string, Said][])]),
);
const KNOWN = new Set([...COLUMNS.keys(), ...WORDS.keys()]);
const STATES = new Set(data.states.map((title) => title.toLowerCase()));
const FAILING = new RegExp(data.failing, "i");
const GOOD_CONDITIONS = new Set(data.conditions.good);
const DONE_CONDITIONS = new Set(data.conditions.done);
const NEUTRAL_CONDITIONS = new Set(data.conditions.neutral);
const BAD_CONDITION = new RegExp(data.conditions.bad);
const TRUTHS = new Set(["true", "false", "unknown"]);

/** What the tables of tones know a kind by, such as `pods` and `deployments.apps`; "" where it is not known. */
export function kindKey(kind: { resource: string; group: string } | null | undefined): string {
  if (!kind) return "";
  const whole = kind.group ? `${kind.resource}.${kind.group}` : kind.resource;
  return ALIASES[whole] ?? whole;
}

/** The tone of a cell; `state` is the cell of the column that this one is read with, see `partner`. */
export function tone(kind: string, title: string, cell: unknown, state: unknown = ""): Tone {
  return look(kind, title, cell, state)[0];
}

/** What a cell says in words; "" where the cell says it all. */
export function meaning(kind: string, title: string, cell: unknown, state: unknown = ""): string {
  return look(kind, title, cell, state)[1];
}

export function look(kind: string, title: string, cell: unknown, state: unknown = ""): Said {
  const read = reader(kind, title);
  return read === undefined ? NOTHING : read(asText(cell), asText(state));
}

/** The title of the column whose cell is this one's `state`: of a pod's Ready its Status, and the other way. */
export function partner(kind: string, title: string): string | undefined {
  return ruleOf(kindOf(kind), title.toLowerCase())?.partner;
}

/** Whether cells of a column have their tone's shape before them at all times, so that all begin alike. */
export function hasShape(title: string): boolean {
  const lower = title.toLowerCase();
  return STATES.has(lower) && lower !== "type";
}

/** Whether cells of a column ever have a tone. */
export function mayTone(kind: string, title: string): boolean {
  return reader(kind, title) !== undefined;
}

/** Whether a row is a fault: what needs somebody's look. */
export function fault(kind: string, titles: readonly string[], cells: readonly unknown[]): boolean {
  return faults(kind, titles)(cells);
}

/** `fault` for many rows of one table. */
export function faults(kind: string, titles: readonly string[]): (cells: readonly unknown[]) => boolean {
  const lower = titles.map((title) => title.toLowerCase());
  const looks: [number, number, Read][] = [];
  lower.forEach((title, index) => {
    const read = reader(kind, title);
    const rule = ruleOf(kindOf(kind), title);
    if (read === undefined || rule?.quiet) return;
    looks.push([index, rule?.partner === undefined ? -1 : lower.indexOf(rule.partner.toLowerCase()), read]);
  });
  return (cells) => {
    for (const [index, beside, read] of looks) {
      const [found] = read(asText(cells[index]), beside < 0 ? "" : asText(cells[beside]));
      if (found === "bad" || found === "warn") return true;
    }
    return false;
  };
}

/** The tone of an object's condition, such as `("Ready", "False")`. */
export function condition(name: string, status: string): Tone {
  return ofCondition(name.toLowerCase(), status.toLowerCase());
}

function asText(cell: unknown): string {
  if (typeof cell === "string") return cell;
  if (cell === null || cell === undefined) return "";
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

// --- how a column is read --------------------------------------------------------------------------------------------

const kinds = new Map<string, string>();

/** The kind as the tables have it; kubectl's short `deployments` is `deployments.apps`. */
function kindOf(asked: string): string {
  let found = kinds.get(asked);
  if (found === undefined) {
    const lower = asked.toLowerCase();
    found = ALIASES[lower] ?? lower;
    if (found !== "" && !KNOWN.has(found) && !found.includes(".")) {
      for (const known of KNOWN) if (known.split(".")[0] === lower) { found = known; break; }
    }
    kinds.set(asked, found);
  }
  return found;
}

function ruleOf(kind: string, title: string): Rule | undefined {
  const own = kind !== "" ? COLUMNS.get(kind) : title === "ready" || title === "status" ? COLUMNS.get("pods") : undefined;
  return own?.get(title) ?? COLUMNS.get("*")?.get(title);
}

const readers = new Map<string, Map<string, Read | undefined>>();

function reader(kind: string, title: string): Read | undefined {
  let ofKind = readers.get(kind);
  if (ofKind === undefined) readers.set(kind, (ofKind = new Map()));
  let found = ofKind.get(title);
  if (found === undefined && !ofKind.has(title)) ofKind.set(title, (found = make(kindOf(kind), title)));
  return found;
}

function make(kind: string, shown: string): Read | undefined {
  const title = shown.toLowerCase();
  const rule = ruleOf(kind, title);
  const words = wordsOf(kind);
  switch (rule?.rule) {
    case "ratio": {
      const read = rules.ratio(rule, (state) => words(state, "")[0]);
      // Ready is `1/3` of some kinds, and `True` of others
      return title === "ready" ? (cell, state) => (/^\d/.test(cell) ? read(cell, state) : truth(shown, cell)) : read;
    }
    case "cells":
      return rules.cells(rule);
    case "holds":
      return rules.holds(rule);
    case "most":
      return rules.most(rule);
    case "percent":
      return rules.percent(rule);
    case "quota":
      return rules.quota;
    case "restarts":
      return rules.restarts;
    case "words":
      return words;
  }
  if (STATES.has(title)) return words;
  if (GOOD_CONDITIONS.has(title) || BAD_CONDITION.test(title)) return (cell) => truth(shown, cell);
  return undefined;
}

/** A condition's status in a column: `True`, `Unknown`, `False (MissingEndpoints)`. */
function truth(title: string, cell: string): Said {
  const space = cell.indexOf(" ");
  const status = (space < 0 ? cell : cell.slice(0, space)).toLowerCase();
  const found = ofCondition(title.toLowerCase(), status);
  if (found === "") return NOTHING;
  const words = status === "true" ? title : status === "false" ? `not ${title}` : `nobody can tell whether it is ${title}`;
  return [found, space < 0 ? words : `${words} ${cell.slice(space + 1)}`];
}

function ofCondition(name: string, status: string): Tone {
  if (status === "unknown") return "warn";
  if (!TRUTHS.has(status) || NEUTRAL_CONDITIONS.has(name)) return "";
  if (DONE_CONDITIONS.has(name)) return status === "true" ? "done" : "";
  if (BAD_CONDITION.test(name)) return status === "true" ? "bad" : "";
  return status === "true" ? "good" : "bad";
}

const NONE: Words = new Map();

/** Of a state: the kind's own words, those of all kinds, and what sounds of failure. */
function wordsOf(kind: string): Read {
  const own = WORDS.get(kind) ?? NONE;
  const general = WORDS.get("*") ?? NONE;
  const last = kind === "" ? (WORDS.get("pods") ?? NONE) : NONE; // of an unknown kind only what no other kind says

  function one(cell: string): Said {
    const lower = cell.toLowerCase();
    const said = own.get(lower) ?? general.get(lower) ?? last.get(lower);
    if (said !== undefined) return said;
    if (lower.startsWith("init:")) return init(cell.slice("init:".length));
    // a sentence is no state; one that begins so tells of a failure
    if (cell.includes(" ")) return lower.startsWith("fail") || lower.startsWith("error") ? ["bad", ""] : NOTHING;
    return rules.ended(cell) ?? (FAILING.test(cell) ? ["bad", ""] : NOTHING);
  }

  function init(rest: string): Said {
    if (rules.RATIO.test(rest)) return ["warn", `waiting: ${rest.replace("/", " of ")} init containers are through`];
    const [found, words] = one(rest);
    return [found || "warn", `in an init container: ${words || rest}`];
  }

  return (cell, state) => {
    const lower = cell.toLowerCase();
    const said = own.get(lower);
    if (said === undefined && cell.includes(",") && !general.has(lower) && (kind === "" || kind === "nodes")) {
      return rules.worst(cell.split(",").map(one));
    }
    const found = said ?? one(cell);
    if (found[0] === "good" && rules.isShort(state)) {
      return ["warn", `${found[1]}, and ${state.replace("/", " of ")} containers are ready`];
    }
    return found;
  };
}
