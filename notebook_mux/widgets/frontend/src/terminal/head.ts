/** What the kernel says of a terminal, whole each time. */

export interface Other {
  terminal: string;
  title: string;
  since: number;
}

export interface Head {
  title: string;
  cluster: string;
  namespace: string;
  pod: string;
  container: string;
  containers: [name: string, kind: string][];
  /** Whether another container can be chosen. */
  choose: boolean;
  state: string;
  reason: string;
  returncode: number | null;
  others: Other[];
  kept: number;
  /** The program takes no input. */
  readonly: boolean;
  tty: boolean;
  /** What went wrong with what was asked last; "" for nothing. */
  note: string;
  /** The file's name while it is recorded. */
  recording: string;
  height: number;
  saveOutput: boolean;
  /** The page that answers what programs ask of a terminal. */
  answers: string;
}
