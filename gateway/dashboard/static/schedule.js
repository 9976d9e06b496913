/**
 * One schedule: when it fires in words, its next due times, its runs and what became of them.
 */

import { ask } from "./ask.js";
import { el } from "./build.js";
import { badge, facts, headline, jobLink, nothing, pager, panel, source, table, when } from "./parts.js";
import { scheduleActions, timing } from "./schedules.js";
import { settle } from "./settle.js";
import { count, moment } from "./words.js";

export const title = "Schedule";
const COMING = 8;
const A_PAGE = 25;

export function open(place) {
  const { id } = place.name;
  const known = { version: null, next: null, looks: 0, preview: null, runs: null };
  const watching = place.watch(async (signal) => {
    const one = await ask("schedule", { id }, { signal });
    if (one.version !== known.version || one.next_run_time !== known.next) {
      known.preview = await ask("preview", { id, n: COMING }, { signal });
      known.runs = await ask("runs", { id, limit: A_PAGE, cursor: place.query.cursor }, { signal });
      Object.assign(known, { version: one.version, next: one.next_run_time });
    }
    settle(place.main, drawn(place, one, known, watching));
  });
}

function drawn(place, one, { preview, runs }, watching) {
  return [
    headline([`${one.name} `, badge(one.state)], scheduleActions(one, watching)),
    el("div", { class: "why" }, el("p", null, `${preview.sentence}. ${one.why.sentence}`),
      one.description ? el("p", { class: "quiet" }, one.description) : null,
      one.paused_note ? el("p", { class: "quiet" }, `Paused by ${one.paused_by ?? "the clock"}: ${one.paused_note}`) : null,
      preview.warnings.map((warning) => el("p", { class: "quiet" }, warning))),
    el("div", { class: "columns even" },
      panel("Facts", {}, factsOf(one)),
      panel("Next", { aside: el("span", { class: "quiet" }, preview.timezone) },
        preview.items.length ? el("ol", { class: "coming" }, preview.items.map((run) => el("li", { "data-key": run.due_at },
          el("span", null, local(run.local)), " ", when(run.fires_at ?? run.due_at))))
          : nothing("It is due no more."))),
    panel("Runs", { aside: el("a", { href: `#/jobs?schedule_id=${one.id}` }, "Its jobs") }, runs.items.length ? table("Runs", RUNS, runs.items, (run) => `${run.due_at}${run.kind}`)
      : nothing("It has not run yet."), pager(place.link, place.query.cursor, runs.next_cursor)),
    panel("Payload", {}, source(JSON.stringify(one.payload, null, 2))),
  ];
}

/** 2026-11-21T09:00:00+01:00 as it is read, in the schedule's own zone. */
function local(text) {
  return text.slice(0, 19).replace("T", " ");
}

function factsOf(one) {
  return facts([
    ["Job type", el("a", { href: `#/jobs?type=${encodeURIComponent(one.job_type)}` }, one.job_type)],
    ["When", el("code", null, timing(one))],
    ["Zone", one.timezone],
    ["Begins", one.starts_at && moment(one.starts_at)],
    ["Ends", one.ends_at && moment(one.ends_at)],
    ["Fired", count(one.fired_count)],
    ["Skipped", count(one.skipped_count)],
    ["Missed", count(one.missed_count)],
    ["Failures in a row", count(one.failures_in_a_row)],
    ["When runs overlap", one.overlap],
    ["What was missed", `catches up: ${one.catch_up}`],
    ["Tags", one.tags.join(", ")],
  ]);
}

const RUNS = [
  ["Due", (run) => when(run.due_at), "bare"],
  ["Made by", (run) => run.kind],
  ["Fate", (run) => badge(run.fate), "bare"],
  ["Job", (run) => (run.job_id ? jobLink(run.job_id) : "–")],
  ["Stands", (run) => (run.state ? badge(run.state) : "–")],
  ["Because", (run) => run.because ?? "–", "grow"],
];
