/** From a part to the pane that shows it: another object is wanted in its place. */

/** An object by its name; `kind` as `Pod` or `Deployment.apps`, `namespace` "" for what is in none. */
export interface Ref {
  cluster: string;
  namespace: string;
  name: string;
  kind: string;
}

const NAME = "notebook-mux-jump";

/** An attribute of what holds text that its user has not applied yet. */
export const UNSAVED = "data-unsaved";

/** An attribute of what holds a part that is to let its text be edited, as soon as it is there. */
export const EDIT = "data-edit";

/** Ask for an object, from within a part; whoever holds the part hears it, and nobody else need. */
export function jump(from: Element, ref: Ref): void {
  from.dispatchEvent(new CustomEvent<Ref>(NAME, { detail: ref, bubbles: true, composed: true }));
}

export function onJump(holder: Element, go: (ref: Ref) => void, signal: AbortSignal): void {
  holder.addEventListener(
    NAME,
    (event) => {
      event.stopPropagation();
      go((event as CustomEvent<Ref>).detail);
    },
    { signal },
  );
}

/** `Deployment.apps` as people say it. */
export function kindWords(kind: string): string {
  return kind.split(".", 1)[0] ?? kind;
}
