/**
 * Look again and again, gently: one question every two seconds while somebody sees the page, none while nobody does,
 * and ever fewer while the gateway is away.
 */

import { Away } from "./ask.js";
import { tellAway, tellLive, tellPaused } from "./standing.js";

const EVERY_MS = 2000;
const LONGEST_MS = 60000;

/**
 * Call `look(signal)` until stopped.  What it throws but `Away` ends the watch and goes to `refused`.
 * It may return how many milliseconds the next look can wait.
 */
export function watch(look, refused) {
  const end = new AbortController();
  const bell = { ring: () => {} };
  run(look, refused, end.signal, bell);
  return { stop: () => end.abort(), now: () => bell.ring() };
}

/** How long to wait after so many failures in a row. */
export function backOff(failures) {
  return Math.min(LONGEST_MS, EVERY_MS * 2 ** (failures - 1));
}

async function run(look, refused, signal, bell) {
  let failures = 0;
  while (!signal.aborted) {
    await seen(signal);
    if (signal.aborted) return;
    let wait = EVERY_MS;
    try {
      wait = (await look(signal)) ?? EVERY_MS;
      failures = 0;
      if (!signal.aborted) tellLive();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Away)) return refused(error);
      failures += 1;
      wait = backOff(failures);
      tellAway(error.message, wait);
    }
    await pause(wait, signal, bell);
  }
}

function pause(milliseconds, signal, bell) {
  return new Promise((go) => {
    const over = () => { clearTimeout(timer); signal.removeEventListener("abort", over); go(); };
    const timer = setTimeout(over, milliseconds);
    signal.addEventListener("abort", over);
    bell.ring = over;
  });
}

/** Return once the tab is to be seen. */
function seen(signal) {
  if (!document.hidden) return Promise.resolve();
  tellPaused();
  return new Promise((go) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      signal.removeEventListener("abort", look);
      go();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
  });
}
