/**
 * JSON shown as it was sent: a number that JavaScript cannot hold keeps its digits.
 *
 * The gateway keeps `12345678901234567890` and `1.10` as they came; read into numbers they would be shown as others.
 * Browsers before 2025 may not know how, and show what they can hold.
 */

/** These fields of an answer's text, indented. */
export function shownExactly(text, names) {
  const answer = JSON.parse(text, keepDigits);
  return Object.fromEntries(names.map((name) => [name, JSON.stringify(answer[name], null, 2)]));
}

function keepDigits(_, value, context) {
  const known = typeof value === "number" && context?.source && JSON.rawJSON;
  return known && context.source !== String(value) ? JSON.rawJSON(context.source) : value;
}
