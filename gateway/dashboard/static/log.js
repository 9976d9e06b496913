/**
 * A job's log: what it has logged so far, and while it lives each line as it comes.
 */

import { ask } from "./ask.js";
import { el } from "./build.js";
import { follow } from "./stream.js";
import { moment } from "./words.js";

const MOST = 500;  // a reader of more takes the API

/** The log of a job, as an element that fills itself; `live` tells whether more may come. */
export function logOf(place, id, live) {
  const lines = el("ol", { class: "log", tabindex: "0", "aria-label": "Log lines" });
  const word = el("p", { class: "quiet" }, live ? "Lines come as they are logged." : "");
  if (live) {
    place.keep(follow(id, { line: (entry) => add(lines, entry), ended: () => { word.textContent = tail(lines); } }));
  } else {
    fill(lines, word, id);
  }
  return el("div", null, lines, word);
}

async function fill(lines, word, id) {
  try {
    const told = await ask("logs", { id, limit: MOST });
    lines.append(...told.items.map(lineOf));
    word.textContent = told.dropped ? `${told.dropped} older lines were not kept.` : tail(lines);
  } catch (error) {
    word.textContent = `The log cannot be read: ${error.message}.`;
  }
}

function tail(lines) {
  return lines.children.length ? "" : "It has logged nothing.";
}

function add(lines, entry) {
  const atEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 8;
  lines.append(lineOf(entry));
  while (lines.children.length > MOST) lines.firstChild.remove();
  if (atEnd) lines.scrollTop = lines.scrollHeight;  // unless somebody reads further up
}

function lineOf(entry) {
  const fields = Object.entries(entry.fields).map(([name, value]) =>
    `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return el("li", { class: `level-${entry.level}` },
    el("time", { datetime: entry.at, title: moment(entry.at) }, entry.at.slice(11, 23)),
    el("span", { class: "log-level" }, entry.level),
    el("span", { class: "log-attempt", title: "attempt" }, `#${entry.attempt}`),
    el("span", { class: "log-event" }, entry.event, fields.length ? el("i", null, ` ${fields.join(" ")}`) : null));
}
