/**
 * One job: what keeps it from running or became of it, its facts, its past, its attempts, its log, and what it carries.
 *
 * Its row is asked for every two seconds while it lives; the rest only when the row has changed.  The sentence is asked
 * for now and then: it counts jobs ahead and seconds left.
 */

import { ask, askForText } from "./ask.js";
import { el } from "./build.js";
import { decide } from "./decide.js";
import { shownExactly } from "./exact.js";
import { logOf } from "./log.js";
import { savedFiles } from "./files.js";
import { badge, bar, button, facts, headline, nothing, panel, source, table, when } from "./parts.js";
import { settle } from "./settle.js";
import { between, length, took } from "./words.js";

export const title = "Job";
const FINAL = new Set(["completed", "failed", "cancelled", "expired"]);
const CALM_MS = 10000;  // one that has ended changes only when somebody sends it again
const SENTENCE_EVERY = 5;
const PHASES = [["delayed", "scheduled", "delayed by its submitter"], ["queued", "queued", "waited for a worker"],
  ["running", "running", "ran"], ["retry_wait", "retrying", "waited for its next attempt"]];

export function open(place) {
  const { id } = place.name;
  const known = { text: "", looks: 0, log: null, logIsLive: null };
  const watching = place.watch(async (signal) => {
    const text = await askForText("job", { id }, { signal });
    known.looks += 1;
    if (text !== known.text) await learn(known, id, text, signal);
    else if (known.looks % SENTENCE_EVERY === 0) known.why = await ask("why", { id }, { signal });
    logFor(place, known);
    settle(place.main, drawn(known, watching));
    return FINAL.has(known.job.state) ? CALM_MS : undefined;
  });
}

async function learn(known, id, text, signal) {
  const [why, timeline, attempts, artifacts] = await Promise.all([
    ask("why", { id }, { signal }), ask("timeline", { id }, { signal }),
    ask("attempts", { id }, { signal }), ask("artifacts", { id }, { signal }),
  ]);
  Object.assign(known, { text, job: JSON.parse(text), shown: shownExactly(text, ["payload", "result"]) });
  Object.assign(known, { why, timeline, attempts: attempts.items, artifacts: artifacts.items });
}

/** The log is one element that lives on between looks; it begins anew when the job does. */
function logFor(place, known) {
  const live = !FINAL.has(known.job.state);
  if (known.log && (known.logIsLive === live || !live)) {
    known.logIsLive = live;
    return;
  }
  known.logIsLive = live;
  known.log = panel("Log", {}, logOf(place, known.job.id, live));
  known.log.dataset.key = `log-${Date.now()}`;
}

function drawn({ job, why, timeline, attempts, artifacts, shown, log }, watching) {
  return [
    headline([job.type, " ", badge(job.state)], el("p", { class: "id whole" }, job.id), actions(job, watching)),
    el("div", { class: "why" }, el("p", null, why.sentence), why.also.map((one) => el("p", { class: "quiet" }, one.sentence)),
      job.progress && job.state === "running" ? progress(job.progress) : null),
    el("div", { class: "columns even" },
      panel("Facts", {}, factsOf(job)),
      panel("Where its time went", {}, spent(timeline.spent_seconds), past(timeline.events))),
    el("div", { class: "columns even" },
      panel("Payload", {}, source(shown.payload)),
      panel(job.state === "failed" ? "Error" : "Result", {}, result(job, shown))),
    panel("Attempts", {}, attempts.length ? attemptTable(attempts) : nothing("None has ended yet.")),
    log,
    artifacts.length ? panel("Files it has left", {}, savedFiles(artifacts)) : null,
  ];
}

function result(job, shown) {
  if (job.result_artifact) return nothing("It is large, and kept as a file below.");
  if (job.error && job.state !== "completed") return source(`${job.error.type ?? "error"}: ${job.error.message ?? ""}`);
  return job.state === "completed" ? source(shown.result) : nothing("There is none yet.");
}

function progress({ fraction, note }) {
  return [bar([fraction ?? 0, "running"]),
    el("p", { class: "quiet" }, [fraction === null ? "" : `${Math.round(fraction * 100)} %`, note].filter(Boolean).join(" · "))];
}

function factsOf(job) {
  return facts([
    ["Queue", el("a", { href: `#/jobs?queue=${encodeURIComponent(job.queue)}` }, job.queue)],
    ["Priority", `${job.priority} of 10`],
    ["Attempt", `${job.attempt} of ${job.max_retries + 1}`],
    ["Time limit", length(job.timeout_seconds)],
    ["Accepted", when(job.created_at)],
    ["Due", job.scheduled_for && when(job.scheduled_for)],
    ["Started", job.started_at && when(job.started_at)],
    ["Ended", job.finished_at && when(job.finished_at)],
    ["Took", took(job) && `${took(job)}, the claim included`],
    ["Next attempt", job.next_attempt_at && when(job.next_attempt_at)],
    ["Asked to end", job.cancel_requested_at && when(job.cancel_requested_at)],
    ["Expires", job.expires_at && when(job.expires_at)],
    ["Failed as", job.reason?.replaceAll("_", " ")],
    ["Worker", job.worker],
    ["Tags", job.tags.length ? job.tags.map((tag) => [tagLink(tag), " "]) : null],
    ["Batch", job.batch_id && el("a", { class: "id", href: `#/jobs?batch_id=${job.batch_id}` }, job.batch_id)],
    ["Schedule", job.schedule_id && el("a", { class: "id", href: `#/schedules/${job.schedule_id}` }, job.schedule_id)],
    ["Dead letter", job.redriven_from && el("a", { href: `#/dead-letters/${job.redriven_from}` }, job.redriven_from)],
    ["Answers to", job.reply_to],
    ["Trace", traceOf(job)],
  ]);
}

function tagLink(tag) {
  return el("a", { class: "chip", href: `#/jobs?tag=${encodeURIComponent(tag)}` }, tag);
}

/** The address is made from a setting; what is no web address is not followed. */
function traceOf(job) {
  const web = /^https?:\/\//.test(job.trace_url ?? "");
  return web ? el("a", { class: "id", href: job.trace_url, rel: "noopener noreferrer", target: "_blank" }, job.trace_id)
    : el("span", { class: "id" }, job.trace_id);
}

function spent(seconds) {
  const whole = Math.max(0.001, PHASES.reduce((sum, [phase]) => sum + seconds[phase], 0));
  const told = PHASES.filter(([phase]) => seconds[phase] > 0);
  return [bar(...told.map(([phase, kind]) => [seconds[phase] / whole, kind])),
    el("p", { class: "legend" }, told.map(([phase, kind, words]) =>
      [el("span", { class: `key is-${kind}` }, `${words} ${length(seconds[phase])}`), " "]))];
}

function past(events) {
  return el("ol", { class: "past" }, events.map((event, index) => el("li", { "data-key": `e${index}` },
    el("span", { class: "after" }, index ? `+${length(event.after_seconds)}` : when(event.at)),
    el("span", null, event.sentence))));
}

function attemptTable(attempts) {
  const columns = [
    ["Outcome", (one) => badge(one.outcome), "bare"],
    ["Attempt", (one) => one.attempt, "number"],
    ["Worker", (one) => one.worker],
    ["Started", (one) => when(one.started_at)],
    ["Ran", (one) => between(one.started_at, one.finished_at), "number"],
    ["Error", errorOf, "grow bare"],
  ];
  return table("Attempts", columns, attempts, (one) => `a${one.lease}`);
}

function errorOf({ error, reason }) {
  if (!error) return reason?.replaceAll("_", " ") ?? "–";
  const line = `${error.type ?? "error"}: ${error.message ?? ""}`;
  return error.traceback ? el("details", null, el("summary", null, line), source(error.traceback)) : line;
}

function actions(job, watching) {
  const done = FINAL.has(job.state);
  return el("div", { class: "row" },
    done ? null : button("Cancel", () => cancel(job, watching)),
    done && job.state !== "completed" ? button("Retry", () => again(job, watching)) : null,
    done ? button("Delete", () => remove(job), "danger") : null);
}

function cancel(job, watching) {
  decide({
    title: "Cancel this job?",
    text: job.state === "running" ? "It runs: it is asked to end, and may still complete." : "It waits, and will not start.",
    button: "Cancel it",
    danger: true,
    act: async () => {
      const now = await ask("cancelJob", { id: job.id });
      watching.now();
      return now.state === "cancelled" ? "It is cancelled." : "It was asked to end.";
    },
  });
}

function again(job, watching) {
  decide({
    title: "Send this job again?",
    text: "The same job waits again, with all its retries.",
    button: "Send it again",
    act: async () => {
      await ask("retryJob", { id: job.id });
      watching.now();
      return "It waits again.";
    },
  });
}

function remove(job) {
  decide({
    title: "Delete this job?",
    text: "Its row, its attempts, its log and its files go for good.",
    button: "Delete it",
    danger: true,
    act: async () => {
      await ask("deleteJob", { id: job.id });
      location.hash = "#/jobs";
      return "It is deleted.";
    },
  });
}
