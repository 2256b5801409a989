/** The part of anywidget's front-end module interface that is used here. */

export interface Model {
  get(name: string): unknown;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(name: string, callback: (...args: never[]) => void): void;
  off(name: string | null, callback?: ((...args: never[]) => void) | null): void;
  widget_manager?: unknown;
}

export type Cleanup = () => void;

export interface RenderContext {
  model: Model;
  el: HTMLElement;
}
