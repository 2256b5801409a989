/** HumanDuration of k8s.io/apimachinery/pkg/util/duration/duration.go, as notebook_mux/ages.py has it. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

function two(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)}${largeName}${rest ? `${rest}${smallName}` : ""}`;
}

/** A duration in seconds as kubectl prints it. */
export function humanDuration(seconds: number): string {
  const whole = Math.trunc(seconds);
  if (whole < -1) return "<invalid>";
  if (whole < 0) return "0s";
  if (whole < 2 * MINUTE) return `${whole}s`;
  if (whole < 10 * MINUTE) return two(whole, MINUTE, "m", 1, "s");
  if (whole < 3 * HOUR) return `${Math.floor(whole / MINUTE)}m`;
  if (whole < 8 * HOUR) return two(whole, HOUR, "h", MINUTE, "m");
  if (whole < 48 * HOUR) return `${Math.floor(whole / HOUR)}h`;
  if (whole < 8 * DAY) return two(whole, DAY, "d", HOUR, "h");
  if (whole < 2 * YEAR) return `${Math.floor(whole / DAY)}d`;
  if (whole < 8 * YEAR) return two(whole, YEAR, "y", DAY, "d");
  return `${Math.floor(whole / YEAR)}y`;
}

const PRINTED = /^(?:(\d+)y)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/;
const UNITS = [YEAR, DAY, HOUR, MINUTE, 1];

/** The least duration in seconds that prints as `text`; undefined if none does. */
export function parseDuration(text: string): number | undefined {
  const match = text ? PRINTED.exec(text) : null;
  if (match === null) return undefined;
  const seconds = UNITS.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * unit, 0);
  return humanDuration(seconds) === text ? seconds : undefined;
}
