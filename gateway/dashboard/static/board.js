/**
 * The way about the page: the address behind the `#` names a view, and the view is opened in the middle.
 *
 * Each address can be sent to somebody else, and the browser's back button works, because nothing else says where the
 * reader is.  A view gets a place: where to draw, what the address says, and how to look again.
 */

import { KeyNeeded, Refused } from "./ask.js";
import { el } from "./build.js";
import { forgetKey, heldKey, keyForm } from "./key.js";
import { nothing } from "./parts.js";
import { watch } from "./watch.js";
import * as batches from "./batches.js";
import * as causes from "./causes.js";
import * as job from "./job.js";
import * as jobs from "./jobs.js";
import * as letter from "./letter.js";
import * as letters from "./letters.js";
import * as overview from "./overview.js";
import * as queues from "./queues.js";
import * as schedule from "./schedule.js";
import * as schedules from "./schedules.js";
import * as workers from "./workers.js";

/** Fixed ends before the names they would be taken for. */
const VIEWS = [
  [/^\/?$/, overview],
  [/^\/jobs$/, jobs],
  [/^\/jobs\/(?<id>[^/]+)$/, job],
  [/^\/batches$/, batches],
  [/^\/dead-letters$/, causes],
  [/^\/dead-letters\/list$/, letters],
  [/^\/dead-letters\/(?<id>[^/]+)$/, letter],
  [/^\/queues$/, queues],
  [/^\/workers$/, workers],
  [/^\/schedules$/, schedules],
  [/^\/schedules\/(?<id>[^/]+)$/, schedule],
];
const ROOMS = [["", "Overview"], ["jobs", "Jobs"], ["queues", "Queues"], ["workers", "Workers"],
  ["dead-letters", "Dead letters"], ["schedules", "Schedules"], ["batches", "Batches"]];
const main = document.getElementById("view");
let open = [];

function go() {
  for (const one of open) one.stop();
  open = [];
  document.getElementById("decision").close();
  const [path, search = ""] = location.hash.replace(/^#/, "").split("?");
  rooms(path.split("/")[1] ?? "");
  document.getElementById("forget").hidden = !heldKey();
  main.replaceChildren(nothing("…"));
  const found = VIEWS.map(([pattern, view]) => [view, pattern.exec(path)]).find(([, match]) => match);
  if (!found) return main.replaceChildren(nothing("There is no such view."));
  const [view, match] = found;
  document.title = `${view.title} · Warren`;
  view.open(placeOf(match.groups ?? {}, Object.fromEntries(new URLSearchParams(search)), `#${path}`));
}

/** Where a view lives. */
function placeOf(names, query, here) {
  const name = Object.fromEntries(Object.entries(names).map(([key, value]) => [key, decoded(value)]));
  return {
    main,
    name,
    query,
    /** The address of this view with something else behind its question mark. */
    link: (changes) => {
      const kept = Object.entries({ ...query, ...changes }).filter(([, value]) => value);
      return kept.length ? `${here}?${new URLSearchParams(kept)}` : here;
    },
    watch: (look, root = main) => {
      const one = watch(look, (error) => told(error, root));
      open.push(one);
      return one;
    },
    /** Something that is to be stopped when the reader goes elsewhere. */
    keep: (one) => open.push(one),
  };
}

/** What somebody has typed into the address may be no encoding of anything; then it is meant as it stands. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function told(error, root) {
  if (error instanceof KeyNeeded) return main.replaceChildren(keyForm(error.message, go));
  if (!(error instanceof Refused)) console.error(error);
  const remedy = error.remedy ? el("p", { class: "quiet" }, `${error.remedy}.`) : null;
  root.replaceChildren(el("div", { class: "panel narrow", role: "alert" },
    el("h1", null, error.status === 404 ? "It is not here" : "That did not work"), el("p", null, `${error.message}.`), remedy,
    el("p", null, el("a", { href: "#/" }, "To the overview"))));
}

function rooms(here) {
  const nav = document.getElementById("rooms");
  nav.replaceChildren(...ROOMS.map(([path, name]) =>
    el("a", { href: `#/${path}`, "aria-current": path === here ? "page" : null }, name)));
  nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });  // on a narrow screen
}

function find(event) {
  event.preventDefault();
  const id = document.getElementById("find-id").value.trim();
  if (id) location.hash = `#/jobs/${encodeURIComponent(id)}`;
}

document.getElementById("find").onsubmit = find;
document.getElementById("forget").onclick = () => { forgetKey(); go(); };
addEventListener("hashchange", () => {
  if (!location.hash.startsWith("#/")) return;  // the skip link, which leads into the view
  go();
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
});
go();
