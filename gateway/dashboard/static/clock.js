/**
 * What time it is for the gateway: ages are told by its clock, because the reader's own may be minutes off.
 */

const NEAR_MS = 2000;  // its header has whole seconds, and an answer takes a moment

let ahead = 0;

/** Learn from the Date header of an answer. */
export function learnTheTime(header) {
  const told = Date.parse(header ?? "");
  if (Number.isNaN(told)) return;
  const difference = told - Date.now();
  ahead = Math.abs(difference) > NEAR_MS ? difference : 0;
}

/** Milliseconds, as Date.now() counts them. */
export function now() {
  return Date.now() + ahead;
}
