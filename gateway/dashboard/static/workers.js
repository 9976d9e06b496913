/**
 * The workers, by their last heartbeats: how busy each is and with what; ask one to finish and end.
 */

import { ask } from "./ask.js";
import { el } from "./build.js";
import { decide } from "./decide.js";
import { badge, bar, button, headline, jobLink, nothing, when } from "./parts.js";
import { settle } from "./settle.js";
import { age, count, length, many } from "./words.js";

export const title = "Workers";

export function open(place) {
  const watching = place.watch(async (signal) => {
    const { items } = await ask("workers", {}, { signal });
    settle(place.main, headline("Workers"),
      items.length ? el("div", { class: "cards" }, items.map((worker) => card(worker, watching)))
        : nothing("No worker lives. Jobs are accepted and wait for one."));
  });
}

function card(worker, watching) {
  return el("section", { class: "panel", "data-key": worker.session },
    el("header", null, el("h2", null, `${worker.name} `, badge(worker.state)),
      worker.drain_requested_at ? null : button("Drain", () => drain(worker, watching))),
    el("p", null, sentence(worker)),
    bar([Math.min(1, worker.running / Math.max(1, worker.concurrency)), "running"]),
    el("p", { class: "quiet" }, `${count(worker.running)} of ${many(worker.concurrency, "slot")} taken, ${many(worker.waiting, "more message")} in hand. `,
      `Last heartbeat ${length(worker.heartbeat_age_seconds)} ago, begun ${age(worker.started_at)}, version ${worker.version}.`),
    worker.jobs.length ? jobs(worker) : null,
    el("details", null, el("summary", null, `Serves ${many(worker.queues.length, "queue")}, ${many(worker.types.length, "type")}`),
      el("p", { class: "chips" }, worker.queues.map((queue) => [el("a", { class: "chip", href: `#/jobs?queue=${encodeURIComponent(queue)}` },
        queue, worker.paused_queues.includes(queue) ? " (paused)" : ""), " "]))));
}

function sentence(worker) {
  const runs = worker.running ? `It runs ${many(worker.running, "job")}` : "It runs nothing";
  if (worker.drain_requested_at) return `${runs}, takes no more, and ends.`;
  if (worker.state === "silent") return "It has not been heard of for a lease: its jobs are sent again elsewhere.";
  return `${runs} and ${worker.consuming ? "takes more as it comes" : "takes nothing now"}.`;
}

function jobs(worker) {
  return el("ul", { class: "running-jobs" }, worker.jobs.map((job) => el("li", { "data-key": job.id },
    el("a", { class: "strong", href: `#/jobs/${job.id}` }, job.type), " ", jobLink(job.id),
    el("span", { class: "quiet" }, " since ", when(job.started_at), job.attempt > 1 ? `, attempt ${job.attempt}` : ""))));
}

function drain(worker, watching) {
  decide({
    title: `Drain the worker ${worker.name}?`,
    text: ["It takes nothing more, finishes what it runs, and ends; its supervisor starts another.",
      "What it cannot finish in time runs elsewhere, and the attempt is not counted."],
    button: "Drain it",
    act: async () => {
      await ask("drainWorker", { session: worker.session });
      watching.now();
      return `${worker.name} finishes and ends.`;
    },
  });
}
