/** What a cell's words mean at a glance. The text is always there; tone adds a colour and a shape. */

export type Tone = "good" | "warn" | "bad" | "done" | "";

const GOOD = new Set([
  "running", "active", "bound", "ready", "available", "healthy", "approved,issued", "normal", "deployed", "established",
]);
const DONE = new Set(["completed", "complete", "succeeded", "released", "suspended"]);
const WARN = new Set([
  "pending", "terminating", "containercreating", "podinitializing", "unknown", "warning", "notready", "schedulinggated",
  "waiting", "progressing", "failuretarget", "successcriteriamet",
]);
const BAD = /backoff|^err|error|failed|^evicted$|oomkilled|^lost$|invalid|deadline|unhealthy|^exitcode|^signal:|denied/i;

/** Columns whose cells are states. */
const STATES = new Set(["Status", "Phase", "State", "Health", "Type", "Condition"]);

/** Columns such as `1/3`, ready of wanted. */
const RATIOS = new Set(["Ready", "Completions"]);

function statusTone(text: string): Tone {
  const lower = text.toLowerCase();
  if (GOOD.has(lower)) return "good";
  if (DONE.has(lower)) return "done";
  if (lower.startsWith("ready,")) return "warn"; // Ready,SchedulingDisabled
  if (lower.startsWith("notready")) return "bad"; // of a node; a pod's NotReady is rare, and no better
  if (BAD.test(text)) return "bad";
  if (WARN.has(lower) || lower.startsWith("init:")) return "warn";
  return "";
}

/** The tone of a cell; `state` is the row's Status: what has completed need not be ready. */
export function tone(title: string, cell: unknown, state: unknown = ""): Tone {
  if (typeof cell !== "string") return "";
  if (STATES.has(title)) return statusTone(cell);
  if (RATIOS.has(title)) {
    const parts = /^(\d+)\/(\d+)/.exec(cell);
    if (parts !== null && Number(parts[1]) < Number(parts[2])) {
      return typeof state === "string" && statusTone(state) === "done" ? "done" : "warn";
    }
  }
  return "";
}

/** Whether a column's tone is shown with a shape before the text. */
export function hasShape(title: string): boolean {
  return STATES.has(title) && title !== "Type";
}
