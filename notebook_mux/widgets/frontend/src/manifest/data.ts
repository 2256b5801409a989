/** What the kernel says of an object's YAML; see notebook_mux/widgets/manifest.py. */

import type { Clock } from "../common/clock";
import type { Standing } from "../common/trouble";

export interface Data {
  ref: { kind: string; namespace: string; name: string };
  cluster: Standing & { name: string; synced: boolean; clock: Clock };
  missing: boolean;
  /** Unix seconds. */
  deleted: number | null;
  closed: boolean;
  /** "" until it is written out. */
  text: string;
  /** The resourceVersion that the text is of. */
  version: string;
  /** Whether values are left out of the text: a Secret's. */
  veiled: boolean;
  /** Whether the cluster may be changed from here. */
  write: boolean;
}
