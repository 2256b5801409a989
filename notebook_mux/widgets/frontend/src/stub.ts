/**
 * Each widget's own module: waits in the page for the bundle of its kind and keeps what the kernel says meanwhile.
 * Nothing here waits in `initialize`: anywidget gives a model up whose initialisation takes two seconds.
 */

import type { Cleanup, Model, RenderContext } from "./common/afm";
import { hearAgain } from "./common/deaf";
import { type Copy, type Incoming, slot } from "./common/registry";

const PATIENCE_MS = 8000;

export default (): unknown => {
  let copy: Promise<Copy> | undefined;

  function attach(model: Model): Cleanup {
    const early: Incoming[] = [];
    let attached: Copy | undefined;
    let ended = false;
    const listen = (content: Record<string, unknown>, buffers?: DataView[]) => {
      const message: Incoming = [content, buffers ?? []];
      if (attached) attached.receive(message);
      else early.push(message);
    };
    model.on("msg:custom", listen);
    void hearAgain(model);
    copy = slot(String(model.get("_bundle"))).bundle.then((bundle) => {
      attached = bundle.attach(model);
      for (const message of early.splice(0)) attached.receive(message);
      if (ended) attached.dispose();
      return attached;
    });
    return () => {
      ended = true;
      model.off("msg:custom", listen);
      attached?.dispose();
    };
  }

  return {
    initialize: ({ model }: { model: Model }) => attach(model),
    render({ model, el }: RenderContext) {
      if (copy === undefined) attach(model);
      const note = document.createElement("div");
      note.textContent = "Waiting for the widget's code …";
      note.setAttribute("role", "status");
      note.style.cssText = "padding:6px;opacity:.7;font-size:var(--jp-ui-font-size1,13px)";
      el.append(note);
      const timer = setTimeout(() => {
        note.textContent = "The widget's code has not come from the kernel: run the cell again.";
      }, PATIENCE_MS);
      let cleanup: Cleanup | undefined;
      let removed = false;
      void copy?.then((ready) => {
        clearTimeout(timer);
        if (removed) return;
        note.remove();
        cleanup = ready.render({ model, el });
      });
      return () => {
        removed = true;
        clearTimeout(timer);
        cleanup?.();
      };
    },
  };
};
