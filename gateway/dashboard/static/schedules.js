/**
 * The schedules: when each fires next, how its last run ended; pause it, let it go on, run it now.
 */

import { ask } from "./ask.js";
import { el } from "./build.js";
import { decide, noteOf } from "./decide.js";
import { badge, button, headline, jobLink, nothing, pager, table, when } from "./parts.js";
import { settle } from "./settle.js";
import { count, length } from "./words.js";

export const title = "Schedules";
const A_PAGE = 50;

export function open(place) {
  const watching = place.watch(async (signal) => {
    const page = await ask("schedules", { cursor: place.query.cursor, limit: A_PAGE }, { signal });
    settle(place.main, headline("Schedules"),
      page.items.length ? table("Schedules", columns(watching), page.items, (one) => one.id)
        : nothing("There are none. POST /api/v1/schedules makes one; /docs shows how."),
      pager(place.link, place.query.cursor, page.next_cursor));
  });
}

function columns(watching) {
  return [
    ["State", (one) => badge(one.state), "bare"],
    ["Schedule", (one) => [el("a", { href: `#/schedules/${one.id}`, class: "strong" }, one.name),
      el("span", { class: "under" }, `${one.job_type}. ${one.why.sentence}`)], "grow bare ink"],
    ["When", (one) => el("code", null, timing(one))],
    ["Next", (one) => when(one.next_run_time)],
    ["Last run", (one) => lastRun(one.last_run), "wide"],
    ["Fired", (one) => count(one.fired_count), "number"],
    ["", (one) => scheduleActions(one, watching), "do"],
  ];
}

/** The timing as it was written; the schedule's own page says it in words. */
export function timing(one) {
  if (one.cron_expression) return [one.cron_expression].flat().join("; ");
  return one.interval_seconds ? `every ${length(one.interval_seconds)}` : "once";
}

function lastRun(run) {
  if (!run) return "none yet";
  const fate = badge(run.state ?? run.fate);
  return run.job_id ? [fate, " ", jobLink(run.job_id)] : fate;
}

/** Its buttons. */
export function scheduleActions(one, watching) {
  const over = one.state === "ended";
  return el("div", { class: "row" },
    one.state === "paused" ? button("Resume", () => resume(one, watching)) : over ? null : button("Pause", () => pause(one, watching)),
    button("Run now", () => trigger(one, watching)));
}

function pause(one, watching) {
  decide({
    title: `Pause “${one.name}”?`,
    text: "Nothing fires from the answer on. What would have been due meanwhile is not missed.",
    button: "Pause it",
    noted: true,
    act: async (note) => {
      await ask("pauseSchedule", { id: one.id }, { body: noteOf(note) });
      watching.now();
      return `“${one.name}” is paused.`;
    },
  });
}

function resume(one, watching) {
  decide({
    title: `Let “${one.name}” go on?`,
    text: "It fires again at its next due time.",
    button: "Resume it",
    act: async () => {
      const now = await ask("resumeSchedule", { id: one.id });
      watching.now();
      return now.why.sentence;
    },
  });
}

function trigger(one, watching) {
  decide({
    title: `Run “${one.name}” now?`,
    text: `A job of type ${one.job_type} is made at once; the schedule's own times stay as they are.`,
    button: "Run it",
    act: async () => {
      const run = await ask("triggerSchedule", { id: one.id });
      watching.now();
      return run.job_id ? `It is job ${run.job_id}.` : `It did not run: ${run.because}.`;
    },
  });
}
