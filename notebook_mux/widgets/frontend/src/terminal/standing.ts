/** How a view stands, in words: its toolbar's and the lines below it. */

import { sinceHeard } from "../common/condition";
import { clock } from "../common/dom";
import type { Condition } from "../common/link";
import type { Standing } from "./bar";
import type { Head } from "./head";
import type { Line } from "./lines";
import type { Session } from "./session";
import { AGAIN, plain, span } from "./words";

export interface View {
  session: Session;
  head: Head | undefined;
  way: string;
  locked: boolean;
  /** The size that this view has room for. */
  room: { columns: number; rows: number } | undefined;
}

const WAYS: Record<string, [words: string, title: string]> = {
  direct: ["direct", "Keys and output go between this page and the gateway, whatever the kernel does."],
  comm: ["through the kernel", "Keys and output go through the kernel: a running cell may hold them up."],
};

export function standing({ session, head, way, locked, room }: View): Standing {
  const [tone, stands] = state(session, head);
  const words = locked || head?.readonly === true ? `${stands} · look only` : stands;
  const [badge, wayTitle] = session.phase === "shown" ? (WAYS[way] ?? ["", ""]) : ["", ""];
  const limited = isLimited(session, room);
  const size = session.columns > 0 ? `${session.columns}×${session.rows}` : "";
  return {
    tone, words, way: badge, wayTitle, locked,
    size: limited ? `${size} · another view is smaller` : size,
    sizeTitle: limited ? `Here is room for ${room?.columns}×${room?.rows}; the smallest view decides.` : "Columns and rows",
  };
}

/** Whether another view makes the terminal smaller than it could be here. */
export function isLimited(session: Session, room: View["room"]): boolean {
  return room !== undefined && session.columns > 0 && (session.columns < room.columns || session.rows < room.rows);
}

function state(session: Session, head: Head | undefined): [tone: string, words: string] {
  if (head?.state === "closed") return ["", "closed"];
  if (session.phase !== "shown" && head?.state === "lost") return ["bad", "lost"];
  if (session.phase === "refused") return ["bad", "not shown"];
  if (session.phase === "away") return ["warn", "away"];
  if (session.phase === "asked") return ["", "connecting"];
  const { run } = session;
  if (run?.state === "ended") return run.code === 0 ? ["", "exit 0"] : ["warn", `exit ${run.code ?? "?"}`];
  if (run?.state === "lost") return ["bad", "lost"];
  if (run?.state === "starting") return ["", "starting"];
  return ["good", "running"];
}

/** What is between this page and the program, if anything is. */
export function troubleLine(view: View, condition: Condition, waits: boolean, again: Line["actions"]): Line | undefined {
  const { session, head, way } = view;
  const { kernel, attention } = condition;
  const kept = session.kept > 0 ? ` It is kept for ${span(session.kept)} when nobody looks.` : "";
  if (head?.state === "closed") return { text: `Closed: ${plain(head.reason) || "it has ended for good"}. Run the cell again.`, tone: "" };
  if (kernel === "gone" && way === "direct" && session.phase === "shown") {
    return { text: `The kernel has gone, and the shell is still there.${kept} Run the cell again to have it in Python.`, tone: "warn" };
  }
  if (kernel === "gone") {
    return { text: `Not live${sinceHeard(condition)}: the kernel has gone.${kept} Run the cell again to see it.`, tone: "bad" };
  }
  if (attention === "idle") {
    return { text: "Paused: no input here for half an hour.", tone: "", ...(again === undefined ? {} : { actions: again }) };
  }
  if (session.phase !== "shown" && head?.state === "lost") {
    return { text: `Lost: ${plain(head.reason)} · ${AGAIN}`, tone: "bad" };
  }
  if (session.phase === "refused") return { text: plain(session.reason) || "The terminal cannot be shown.", tone: "bad" };
  if (kernel === "reconnecting" && way === "comm") {
    return { text: "Not live: connecting to the Jupyter server again …", tone: "warn" };
  }
  if (session.phase === "away" && session.reason !== "") {
    const next = session.retryAt > 0 ? ` · next try at ${clock(session.retryAt)}` : "";
    return { text: `Not live: ${plain(session.reason)}${next}. The shell goes on meanwhile; nothing is typed.`, tone: "warn" };
  }
  if (waits && way === "comm") {
    return { text: "Keys wait: this kernel hears the page when the running cell is through.", tone: "warn" };
  }
  return undefined;
}
