/**
 * The jobs, newest first: by state, type, queue, tag, batch or schedule, a page at a time.
 *
 * The filters are the address; the form only makes one.
 */

import { ask } from "./ask.js";
import { el } from "./build.js";
import { badge, headline, jobLink, nothing, pager, table, tabs, when } from "./parts.js";
import { settle } from "./settle.js";
import { cut, shortId, took } from "./words.js";

export const title = "Jobs";
const STATES = ["", "pending", "queued", "running", "retrying", "scheduled", "completed", "failed", "cancelled", "expired"];
const WORDS = { "": "all", pending: "all that wait" };
const A_PAGE = 50;

export function open(place) {
  const list = el("div", { "aria-live": "off" });
  const { state = "" } = place.query;
  settle(place.main,
    headline("Jobs"),
    tabs("State", STATES.map((one) => [WORDS[one] ?? one, place.link({ state: one, cursor: "" }), one === state])),
    filters(place),
    list);
  place.watch(async (signal) => {
    const page = await ask("jobs", { ...place.query, limit: A_PAGE }, { signal });
    settle(list, drawn(place, page));
  }, list);
}

function drawn(place, page) {
  return [
    page.items.length ? jobTable(page.items) : nothing("No job is like that."),
    pager(place.link, place.query.cursor, page.next_cursor),
  ];
}

/** Jobs as a table; others show some of them too. */
export function jobTable(jobs) {
  const columns = [
    ["State", (job) => badge(job.state), "bare"],
    ["Type", (job) => el("a", { href: `#/jobs/${job.id}`, class: "strong" }, job.type), "bare"],
    ["Job", (job) => jobLink(job.id)],
    ["Queue", (job) => job.queue],
    ["Priority", (job) => job.priority, "number"],
    ["Attempt", (job) => `${job.attempt} of ${job.max_retries + 1}`, "number"],
    ["Accepted", (job) => when(job.created_at)],
    ["How it stands", standing, "grow bare"],
  ];
  return table("Jobs", columns, jobs, (job) => job.id);
}

/** What a reader of a list wants to know of this job, in a few words. */
function standing(job) {
  if (job.state === "running" && job.cancel_requested_at) return "asked to end";
  if (job.state === "running") return progress(job) ?? ["runs since ", when(job.started_at)];
  if (job.state === "retrying") return ["again ", when(job.next_attempt_at, "soon"), ": ", because(job)];
  if (job.state === "scheduled") return ["due ", when(job.scheduled_for ?? job.next_attempt_at, "later")];
  if (job.state === "failed") return [job.reason.replaceAll("_", " "), ": ", because(job)];
  if (took(job)) return `took ${took(job)}`;
  return job.tags.join(", ");
}

function progress(job) {
  if (!job.progress) return null;
  const share = job.progress.fraction === null ? "" : `${Math.round(job.progress.fraction * 100)} %`;
  return [share, job.progress.note].filter(Boolean).join(" ");
}

function because(job) {
  return cut(job.error?.message || job.error?.type || "it does not say", 90);
}

function filters(place) {
  const field = (name, label, list) => el("label", null, label,
    el("input", { name, list, value: place.query[name] ?? "", autocomplete: "off", spellcheck: "false" }));
  const types = el("datalist", { id: "types" });
  const queues = el("datalist", { id: "queue-names" });
  const show = (event) => {
    event.preventDefault();
    const said = Object.fromEntries(new FormData(event.target));
    location.hash = place.link({ ...said, cursor: "" });
  };
  offer(types, queues);
  return el("form", { class: "filters", onsubmit: show },
    field("type", "Type", "types"), field("queue", "Queue", "queue-names"), field("tag", "Tag"),
    el("button", { type: "submit" }, "Show"),
    only(place, "batch_id", "batch"), only(place, "schedule_id", "schedule"),
    types, queues);
}

/** What the list is held to by a link from elsewhere, and how to let go of it. */
function only(place, name, word) {
  const id = place.query[name];
  return id ? el("a", { class: "chip", href: place.link({ [name]: "", cursor: "" }), title: `${id}: show others too` },
    `${word} ${shortId(id)} ×`) : null;
}

/** What can be chosen; if it cannot be asked for now, people can still write it. */
async function offer(types, queues) {
  const known = await ask("jobTypes").catch(() => ({ items: [] }));
  const option = (value) => el("option", { value });
  types.replaceChildren(...known.items.map((one) => option(one.name)));
  queues.replaceChildren(...[...new Set(known.items.map((one) => one.queue))].sort().map(option));
}
