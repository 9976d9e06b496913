/**
 * The overview: how many jobs stand where, what goes through, what waits and for how long, who works, what has died.
 *
 * Two questions make it, in turns: the counts, and more rarely the queues with the ages of what waits in them.
 */

import { ask } from "./ask.js";
import { el } from "./build.js";
import { chart, recentRate, remember } from "./chart.js";
import { badge, bar, headline, nothing, panel, table, tile } from "./parts.js";
import { settle } from "./settle.js";
import { count, length, many, rate } from "./words.js";

export const title = "Overview";
const QUEUES_EVERY = 3;  // looks: every third one asks for them in place of the counts
const TO_COME = [["queued", "queued"], ["running", "running"], ["retrying", "retrying"], ["scheduled", "scheduled"]];
const DONE = [["completed", "completed"], ["failed", "failed"], ["cancelled", "cancelled"], ["expired", "expired"]];

export function open(place) {
  const known = { stats: null, queues: null };
  let turn = 0;
  place.watch(async (signal) => {
    const queuesToo = turn % QUEUES_EVERY === 0;
    if (!queuesToo || turn === 0) remember(known.stats = await ask("stats", {}, { signal }));
    if (queuesToo) known.queues = (await ask("queues", {}, { signal })).items;
    turn += 1;
    settle(place.main, drawn(known.stats, known.queues));
  });
}

function drawn(stats, queues) {
  const states = stats.jobs.by_state;
  return [
    headline("Overview", el("p", { class: "lead" }, sentence(stats, queues))),
    el("div", { class: "tiles" },
      el("div", { class: "tile-group" }, el("h2", null, "To do"), el("div", null,
        TO_COME.map(([state, word]) => tile(states[state], word, `#/jobs?state=${state}`, `is-${state}`)))),
      el("div", { class: "tile-group" }, el("h2", null, "Done, as long as they are kept"), el("div", null,
        DONE.map(([state, word]) => tile(states[state], word, `#/jobs?state=${state}`, `is-${state}`))))),
    el("div", { class: "columns" },
      el("div", null, throughput(), queuesPanel(queues)),
      el("div", null, workers(stats.workers), priorities(stats.jobs.by_priority), letters(stats.dead_letters))),
  ];
}

/** The one line that somebody in a hurry reads. */
function sentence(stats, queues) {
  const oldest = Math.max(-1, ...queues.map((queue) => queue.oldest_seconds ?? -1));
  const paused = queues.filter((queue) => queue.paused);
  if (!stats.workers.alive) return "No worker lives: jobs are accepted and wait.";
  const parts = [
    oldest > 0 ? `The oldest job that is due has waited ${length(oldest)}.` : "Nothing that is due waits.",
    paused.length ? `Paused: ${paused.map((queue) => queue.name).join(", ")}.` : "",
    stats.dead_letters.waiting ? `${many(stats.dead_letters.waiting, "dead letter")} to look at.` : "",
  ];
  return parts.filter(Boolean).join(" ");
}

function throughput() {
  const legend = el("p", { class: "legend" },
    el("span", { class: "key is-completed" }, `${rate(recentRate("completed"))} completed`), " ",
    el("span", { class: "key is-failed" }, `${rate(recentRate("failed"))} failed`),
    " a second, over the last minute");
  return panel("Throughput", { aside: legend, kind: "wide" }, chart());
}

function workers(crew) {
  const busy = crew.slots - crew.free_slots;
  const share = crew.slots ? busy / crew.slots : 0;
  return panel("Workers", { aside: el("a", { href: "#/workers" }, "All workers") },
    el("p", { class: "big" }, el("b", null, count(crew.alive)), crew.alive === 1 ? " lives" : " live", ", ",
      el("b", null, count(crew.consuming)), crew.consuming === 1 ? " consumes" : " consume"),
    bar([share, "running"]),
    el("p", { class: "quiet" }, `${count(busy)} of ${count(crew.slots)} slots were taken at their last heartbeats`));
}

function queuesPanel(queues) {
  const columns = [
    ["Queue", (queue) => [el("a", { href: `#/jobs?queue=${encodeURIComponent(queue.name)}` }, queue.name),
      queue.paused ? [" ", badge("paused")] : null], "bare wide"],
    ["Waiting", (queue) => count(queue.jobs.pending), "number"],
    ["Oldest due", (queue) => (queue.oldest_seconds === null ? "–" : length(queue.oldest_seconds)), "number"],
    ["Running", (queue) => count(queue.jobs.running), "number"],
    ["Failed", (queue) => count(queue.jobs.failed), "number"],
    ["Consumers", (queue) => `${count(queue.consumers)} of ${count(queue.workers)}`, "number"],
  ];
  return panel("Queues", { aside: el("a", { href: "#/queues" }, "All about queues"), kind: "wide" },
    queues.length ? table("Queues", columns, queues, (queue) => queue.name)
      : nothing("No worker has registered a job type yet: start one, and its queues are here."));
}

function priorities(byPriority) {
  const waiting = Object.entries(byPriority).map(([level, states]) => [Number(level), states.pending])
    .filter(([, pending]) => pending > 0).sort(([one], [other]) => other - one);
  const most = Math.max(1, ...waiting.map(([, pending]) => pending));
  return panel("Waiting, by priority", {},
    waiting.length ? el("ul", { class: "levels" }, waiting.map(([level, pending]) =>
      el("li", { "data-key": `p${level}` }, el("span", { class: "level" }, level === 10 ? "10 highest" : level === 1 ? "1 lowest" : level),
        bar([pending / most, "queued"]), el("span", { class: "number" }, count(pending)))))
      : nothing("Nothing waits."));
}

function letters(told) {
  const reasons = Object.entries(told.by_reason).sort(([, one], [, other]) => other - one);
  return panel("Dead letters", { aside: el("a", { href: "#/dead-letters" }, "All causes") },
    reasons.length ? el("ul", { class: "levels" }, reasons.map(([reason, number]) =>
      el("li", { "data-key": reason }, el("a", { class: "level long", href: `#/dead-letters/list?reason=${encodeURIComponent(reason)}` },
        reason.replaceAll("_", " ")), el("span", { class: "number" }, count(number)))))
      : nothing("None waits. What nobody can read or do is kept here."));
}
