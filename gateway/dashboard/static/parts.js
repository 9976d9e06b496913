/**
 * What several views are made of: badges, times, panels, tables, bars, pages.
 */

import { el, svg } from "./build.js";
import { age, count, moment, shortId } from "./words.js";

/** A state, an outcome or a standing: a word, and beside it a colour. */
export function badge(word, shown = word) {
  return el("span", { class: `badge is-${word}` }, shown.replaceAll("_", " "));
}

/** A moment as its distance from now; the moment itself is in its title. */
export function when(instant, otherwise = "–") {
  return instant ? el("time", { datetime: instant, title: moment(instant) }, age(instant)) : otherwise;
}

/** A link to a job. */
export function jobLink(id, shown = shortId(id)) {
  return el("a", { href: `#/jobs/${encodeURIComponent(id)}`, class: "id", title: id }, shown);
}

/** A titled part of a view. */
export function panel(title, { aside = null, kind = "" } = {}, ...children) {
  return el("section", { class: `panel ${kind}` },
    el("header", null, el("h2", null, title), aside), ...children);
}

/** The head of a view: what it is, and what can be done about it. */
export function headline(title, ...rest) {
  return el("div", { class: "headline" }, el("h1", null, title), ...rest);
}

/** A sentence where a list would be. */
export function nothing(sentence) {
  return el("p", { class: "nothing" }, sentence);
}

/** A button that does something. */
export function button(text, onclick, kind = "") {
  return el("button", { type: "button", class: kind, onclick }, text);
}

/**
 * A table; each column is `[title, cell(row), class]`.  On a narrow screen each row becomes a card
 * with these titles; a `bare` column goes there without one. */
export function table(caption, columns, rows, keyOf) {
  const head = el("tr", null, columns.map(([title, , kind]) => el("th", { scope: "col", class: kind }, title)));
  const body = rows.map((row) => el("tr", { "data-key": keyOf(row) },
    columns.map(([title, cell, kind]) => el("td", { class: kind, "data-title": title || null },
      el("div", null, cell(row))))));
  return el("div", { class: "table" },
    el("table", null, el("caption", null, caption), el("thead", null, head), el("tbody", null, body)));
}

/** Facts in two columns; those that are null are left out. */
export function facts(pairs) {
  return el("dl", { class: "facts" }, pairs
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))));
}

/** A bar of parts of a whole; each part is `[share of 1, kind]`.  It says nothing that words beside it do not. */
export function bar(...parts) {
  let from = 0;
  const drawn = parts.filter(([share]) => share > 0).map(([share, kind]) => {
    const rect = svg("rect", { x: `${from * 100}%`, width: `${share * 100}%`, height: "100%", class: `fill is-${kind}` });
    from += share;
    return rect;
  });
  return svg("svg", { class: "bar", "aria-hidden": "true", preserveAspectRatio: "none" }, drawn);
}

/** Bytes of a stranger, shown as they are. */
export function source(text) {
  return el("pre", { tabindex: "0" }, text);
}

/** The way to the next page, and back to the first; the browser's own back goes one page back. */
export function pager(link, cursor, nextCursor) {
  if (!cursor && !nextCursor) return null;
  return el("nav", { class: "pager", "aria-label": "Pages" },
    cursor ? el("a", { href: link({ cursor: "" }) }, "Newest") : null,
    nextCursor ? el("a", { href: link({ cursor: nextCursor }), rel: "next" }, "Older") : null);
}

/** Links of which one is where the reader is. */
export function tabs(title, entries) {
  return el("nav", { class: "tabs", "aria-label": title },
    entries.map(([text, href, here]) => el("a", { href, "aria-current": here ? "page" : null }, text)));
}

/** A number with a word under it, which may lead somewhere. */
export function tile(number, word, href, kind = "") {
  return el("a", { class: `tile ${kind}`, href }, el("b", null, count(number)), el("span", null, word));
}
