/**
 * Numbers, lengths and times in words, the same way everywhere on the page.
 */

import { now } from "./clock.js";

const NUMBER = new Intl.NumberFormat("en-GB");
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

/** 1,234 */
export function count(number) {
  return NUMBER.format(number);
}

/** "1 letter", "12 letters" */
export function many(number, thing, things = `${thing}s`) {
  return `${count(number)} ${number === 1 ? thing : things}`;
}

/** Seconds as people say them: 62 ms, 1.4 s, 3 min 20 s, 2 h 5 min. */
export function length(seconds) {
  if (seconds < 0.0995) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1).replace(".0", "")} s`;
  const whole = Math.round(seconds);
  const first = UNITS.findIndex(([size]) => whole >= size);
  const [size, unit] = UNITS[first];
  const rest = UNITS[first + 1];
  const small = rest ? Math.floor((whole % size) / rest[0]) : 0;
  return small ? `${Math.floor(whole / size)} ${unit} ${small} ${rest[1]}` : `${Math.floor(whole / size)} ${unit}`;
}

/** Between two instants. */
export function between(began, ended) {
  return length((Date.parse(ended) - Date.parse(began)) / 1000);
}

/**
 * How long a job took, from the claim to the end; how long its function alone was at work is how long it "ran".
 * Only of one that completed: another may have ended long after its last attempt, when somebody cancelled it, say.
 */
export function took(job) {
  return job.state === "completed" && job.started_at ? between(job.started_at, job.finished_at) : null;
}

/** How far from now: "just now", "12 s ago", "in 3 min". */
export function age(instant) {
  const seconds = (now() - Date.parse(instant)) / 1000;
  if (Math.abs(seconds) < 1) return "just now";
  const told = length(Math.round(Math.abs(seconds)));
  const first = told.split(" ").slice(0, 2).join(" ");  // "3 min", not "3 min 12 s"
  return seconds > 0 ? `${first} ago` : `in ${first}`;
}

/** The moment itself, in the reader's zone. */
export function moment(instant) {
  return MOMENT.format(new Date(instant));
}

/** 12.3, 123, or 0 */
export function rate(perSecond) {
  return perSecond >= 100 ? count(Math.round(perSecond)) : perSecond.toFixed(1).replace(".0", "");
}

/** 1.2 MB */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let left = bytes;
  let step = 0;
  while (left >= 1000 && step < units.length - 1) { left /= 1000; step += 1; }
  return step ? `${left.toFixed(1)} ${units[step]}` : `${count(bytes)} B`;
}

/** A UUID's end, which tells jobs of one moment apart; its beginning is the time. */
export function shortId(id) {
  return `…${id.slice(-12)}`;
}

/** The first letters of a long text. */
export function cut(text, most = 160) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
