/** What a view says of the kernel and of the way to it, whatever it shows besides. */

import { clock } from "./dom";
import type { Condition } from "./link";

/** What was asked is not heard yet. */
export const WAITS = "What you asked waits: this kernel hears the page when the running cell is through.";

/** How a view that goes on by itself is woken. */
const MOVE = "Move the mouse to go on.";

/** Since when nothing was heard, as ` since 12:00:01`; "" where nothing ever was. */
export function sinceHeard({ heard }: Condition): string {
  return heard > 0 ? ` since ${clock(heard / 1000)}` : "";
}

/** Why nothing comes from the kernel; "" where it does. `todo` is said where it has gone. */
export function cutWords(condition: Condition, todo = "Run the cell again."): string {
  const since = sinceHeard(condition);
  if (condition.kernel === "gone") return `Not live${since}: the kernel has gone. ${todo}`;
  return condition.kernel === "reconnecting" ? `Not live${since}: connecting to the Jupyter server again …` : "";
}

/** That nothing is sent, for nobody is there; "" where somebody is. */
export function idleWords(condition: Condition, todo = MOVE): string {
  if (condition.attention !== "idle") return "";
  return `Paused${sinceHeard(condition)}: no input here for half an hour.${todo === "" ? "" : ` ${todo}`}`;
}

/** The first of all these that holds; "" where all is well. */
export function conditionWords(condition: Condition, waits: boolean): string {
  return cutWords(condition) || idleWords(condition) || (waits ? WAITS : "");
}
