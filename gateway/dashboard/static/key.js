/**
 * The API key, where the gateway wants one: asked for once, held for this tab, sent in a header.
 *
 * sessionStorage and nothing longer: it goes with the tab, no other site reads it, and no request carries it by itself,
 * as a cookie would.
 */

import { el } from "./build.js";

const NAME = "warren-api-key";

/** The key that was given in this tab; empty if none was. */
export function heldKey() {
  return sessionStorage.getItem(NAME) ?? "";
}

/** Forget it. */
export function forgetKey() {
  sessionStorage.removeItem(NAME);
}

/** The form that asks for it, with the gateway's sentence about the last one; `then` goes on. */
export function keyForm(sentence, then) {
  const field = el("input", { type: "password", id: "api-key", autocomplete: "off", required: true, spellcheck: "false" });
  const take = (event) => {
    event.preventDefault();
    const key = field.value.trim();
    if (!key) return;
    sessionStorage.setItem(NAME, key);
    then();
  };
  return el("form", { class: "panel narrow", onsubmit: take },
    el("h1", null, "An API key, please"),
    el("p", null, heldKey() ? `The gateway says: ${sentence}.` : "This gateway answers only to those who have a key."),
    el("label", { for: "api-key" }, "API key"),
    el("div", { class: "row" }, field, el("button", { type: "submit", class: "main" }, "Go on")),
    el("p", { class: "quiet" },
      "It is kept in this tab alone (sessionStorage) and forgotten when you close it. It is sent as a header, never in an address."));
}
