/** What the views of a log share: the page's one copy of it. */

import type { Link } from "../common/link";
import type { Head, Kept, State } from "./data";
import type { Store } from "./store";

/** What a view needs of the page's copy. */
export interface Shared {
  readonly link: Link;
  readonly store: Store;
  readonly head: Head | undefined;
  readonly state: State | undefined;
  readonly kept: Kept;
  readonly rate: number;
  readonly lastLine: number;
  readonly loading: boolean;
  now(): number;
  /** Whether a view is read where lines must not go has changed. */
  pinned(): void;
  /** Have older lines from the kernel, if it has some. */
  older(view: string): void;
}
