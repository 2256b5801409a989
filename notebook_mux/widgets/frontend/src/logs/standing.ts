/** How the log stands, in lines of words: what is wrong, since when, and what to do. */

import { cutWords, idleWords, WAITS } from "../common/condition";
import { count } from "../common/dom";
import type { Condition } from "../common/link";
import { trouble } from "../common/trouble";
import { type Head, type Kept, label, type Names, sourceTone, standing, type State } from "./data";

export interface Notice {
  name: string;
  text: string;
  tone: string;
}

/** Containers in trouble that have a line each; the rest are counted. */
const MOST = 3;
const NAMED = 3;

export function notices(state: State, names: Names, now: number): Notice[] {
  const made: Notice[] = [];
  if (state.problem !== null) {
    const { what, said, todo } = state.problem;
    const parts = [said !== "" && said !== what ? `${what}: ${said}` : what, todo];
    made.push({ name: "", text: parts.filter((part) => part !== "").join(" · "), tone: "bad" });
  }
  if (state.note !== "") made.push({ name: "", text: state.note, tone: "" });
  const troubled = state.sources.filter((source) => ["failed", "unreachable", "waiting"].includes(source.state));
  troubled.sort((a, b) => severity(a.state) - severity(b.state));
  for (const source of troubled.slice(0, troubled.length > MOST ? MOST - 1 : MOST)) {
    const name = label(source, { ...names, containers: true });
    made.push({ name, text: trouble(standing(source), now), tone: sourceTone(source.state) || "warn" });
  }
  const left = troubled.length - made.filter(({ name }) => name !== "").length;
  if (left > 0) {
    const words = `${count(left)} more containers wait or failed: their reasons are with the pods and containers above`;
    made.push({ name: "", text: words, tone: "warn" });
  }
  if (state.leftOut.length > 0) {
    const more = state.leftOut.length > NAMED ? " …" : "";
    const those = state.leftOut.slice(0, NAMED).join(", ") + more;
    const pods = state.leftOut.length === 1 ? "1 pod is left out" : `${count(state.leftOut.length)} pods are left out`;
    made.push({ name: "", text: `${pods}, for there are more than max_pods: ${those} · a higher max_pods= shows them too`, tone: "warn" });
  }
  return made;
}

function severity(state: string): number {
  return ["failed", "unreachable", "waiting"].indexOf(state);
}

/** What is to be said of the kernel and the way to it; undefined where all is well. */
export function kernelNotice(condition: Condition, closed: boolean, waits: boolean): Notice | undefined {
  const said = (text: string, tone: string): Notice => ({ name: "", text, tone });
  if (condition.kernel !== "gone" && closed) return said("Closed: no more lines come. Run the cell again to go on.", "bad");
  const cut = cutWords(condition, "The lines here stay. Run the cell again.");
  if (cut !== "") return said(cut, "bad");
  const still = idleWords(condition) || (waits ? WAITS : "");
  return still === "" ? undefined : said(still, "");
}

/** What stands where no line is. */
export function emptyWords(head: Head | undefined, state: State | undefined, lines: number): string {
  if (head === undefined || state === undefined) return "Waiting for the kernel …";
  if (lines > 0) return "No line passes the filters.";
  if (!state.settled) return "Looking for pods …";
  if (state.sources.length === 0) return "No pod matches. One that comes later joins by itself.";
  return "No lines yet.";
}

/** What is before the first line. */
export function topWords(low: number, { oldest, dropped }: Kept, loading: boolean, filtering: boolean): string {
  if (loading) return "Loading older lines …";
  if (low > oldest) return `${count(low - oldest)} older lines are with the kernel: scroll up to load them`;
  if (dropped > 0) return `The oldest ${count(dropped)} lines were dropped: the bound of what is kept is reached`;
  return filtering ? "The beginning, as filtered" : "The beginning of what was asked for";
}

/** How many lines there are, and are shown where that is fewer; and what is not there any more. */
export function footWords(lines: number, shown: number | undefined, progress: number, dropped: number): string {
  const all = `${count(lines)} ${lines === 1 ? "line" : "lines"}`;
  const scanning = progress < 1 ? ` · ${Math.floor(100 * progress)} % looked through` : "";
  const gone = dropped > 0 ? ` · the oldest ${count(dropped)} were dropped` : "";
  return (shown === undefined ? all : `${count(shown)} of ${all}`) + scanning + gone;
}
