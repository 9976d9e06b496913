/**
 * Follow what a job logs, as it does: server-sent events, read by hand.
 *
 * A browser's EventSource could not send the API key but in the address.  It stops while nobody sees the tab, because
 * a browser has only six connections to a host, and goes on behind the last line that was seen.
 */

import { answerTo, Away } from "./ask.js";

const AGAIN_MS = 3000;

/** Call `line(entry)` for each line and `ended()` once, until stopped. */
export function follow(id, { line, ended }) {
  const end = new AbortController();
  run(id, { line, ended, last: "" }, end.signal);
  return { stop: () => end.abort() };
}

async function run(id, reader, signal) {
  while (!signal.aborted) {
    const over = await listen(id, reader, signal);
    if (over) return;
    await new Promise((go) => { setTimeout(go, AGAIN_MS); });
  }
}

/** True: there is no more to come. */
async function listen(id, reader, signal) {
  if (document.hidden) return false;
  const cut = new AbortController();
  const hide = () => document.hidden && cut.abort();
  document.addEventListener("visibilitychange", hide);
  try {
    const headers = { Accept: "text/event-stream", ...(reader.last && { "Last-Event-ID": reader.last }) };
    const both = AbortSignal.any([signal, cut.signal]);
    const answer = await answerTo("logs", { id, follow: true, limit: 200 }, { headers, signal: both, patience: 0 });
    if (answer.status === 204) return true;
    return await read(answer.body.pipeThrough(new TextDecoderStream()).getReader(), reader);
  } catch (error) {
    return !(error instanceof Away || cut.signal.aborted || error instanceof TypeError);  // it broke off: again
  } finally {
    document.removeEventListener("visibilitychange", hide);
  }
}

async function read(chunks, reader) {
  let left = "";
  for (;;) {
    const { value, done } = await chunks.read();
    if (done) return false;
    const events = (left + value).split("\n\n");
    left = events.pop();
    for (const event of events) {
      if (take(parse(event), reader)) return true;
    }
  }
}

function take({ id, event, data }, reader) {
  if (id) reader.last = id;
  if (event === "line") reader.line(JSON.parse(data));
  if (event === "end") reader.ended();
  return event === "end";
}

/** The fields of one event; the gateway writes each on one line. */
function parse(event) {
  return Object.fromEntries(event.split("\n").filter((one) => !one.startsWith(":"))
    .map((one) => [one.slice(0, one.indexOf(":")), one.slice(one.indexOf(":") + 2)]));
}
