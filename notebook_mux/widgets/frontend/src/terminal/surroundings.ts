/** A view's page, as its connector needs it: the widget's comm, and the server that the page came from. */

import type { Link } from "../common/link";
import type { Surroundings, Ticket } from "./connector";
import type { Socket } from "./ways";

export function surroundings(link: Link, view: string): Surroundings {
  let asking = false;
  const ask = async (content: Record<string, unknown>, buffers: ArrayBuffer[]) => {
    asking = true;
    await link.ask({ ...content, ask: true }, buffers);
    asking = false;
  };
  return {
    // one question at a time is enough to know whether the kernel hears the page
    tell: (content, buffers) => {
      if (asking) link.tell(content, buffers);
      else void ask(content, buffers);
    },
    ticket: async () => {
      const answer = await link.ask({ t: "ticket", view, origin: location.origin });
      return answer.ok ? (answer["ticket"] as Ticket) : undefined;
    },
    socket: (url, protocol) => new WebSocket(url, protocol) as unknown as Socket,
    origin: location.origin,
    config: document.getElementById("jupyter-config-data")?.textContent ?? null,
    get kernel() {
      return link.condition.kernel !== "gone";
    },
  };
}
