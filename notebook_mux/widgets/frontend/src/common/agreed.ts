/**
 * What kernel and view agree on of settings that both may change: a view's own change is not set back while its user
 * goes on, and what others have set meanwhile is not missed.
 */

/** Settings as the kernel says them, with the number of their last change. */
export type Numbered<Values> = Values & { at: number };

export interface AgreedHooks<Values> {
  /** Have the kernel set something; comes back with the number of that change, undefined where it was refused. */
  set<Name extends keyof Values>(name: Name, value: Values[Name]): Promise<number | undefined>;
  /** What the kernel said last. */
  settings(): Numbered<Values> | undefined;
  /** Others have set these. */
  other(changed: Partial<Values>): void;
}

export class Agreed<Values extends object> {
  #hooks: AgreedHooks<Values>;
  #told: Values;
  #names: (keyof Values)[];
  /** How many changes of each the kernel was told and has not answered yet. */
  #open = new Map<keyof Values, number>();
  /** The number of the last change of each that was this view's: what the kernel said before it is older. */
  #mine = new Map<keyof Values, number>();

  /** `values`: what is agreed on, as a view shows it before the kernel has said anything. */
  constructor(values: Values, hooks: AgreedHooks<Values>) {
    this.#told = { ...values };
    this.#names = Object.keys(values) as (keyof Values)[];
    this.#hooks = hooks;
  }

  /** Tell the kernel, unless it was told. */
  say<Name extends keyof Values>(name: Name, value: Values[Name]): void {
    if (this.#told[name] === value) return;
    this.#told[name] = value;
    this.#open.set(name, (this.#open.get(name) ?? 0) + 1);
    void this.#hooks.set(name, value).then((at) => this.#answered(name, at));
  }

  /** The kernel says how they are set now. */
  take(said: Numbered<Values>): void {
    const changed: Partial<Values> = {};
    for (const name of this.#names) {
      const older = (this.#open.get(name) ?? 0) > 0 || said.at < (this.#mine.get(name) ?? 0);
      if (!older && said[name] !== this.#told[name]) this.#told[name] = changed[name] = said[name];
    }
    if (Object.keys(changed).length > 0) this.#hooks.other(changed);
  }

  #answered<Name extends keyof Values>(name: Name, at: number | undefined): void {
    const open = (this.#open.get(name) ?? 1) - 1;
    this.#open.set(name, open);
    const now = this.#hooks.settings();
    if (at !== undefined) this.#mine.set(name, Math.max(this.#mine.get(name) ?? 0, at));
    else if (now !== undefined && open === 0) this.#told[name] = now[name]; // the kernel's is as it was, and what was typed stays
    // what others have set was not taken in while this was on its way
    if (now !== undefined) this.take(now);
  }
}
