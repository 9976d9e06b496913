/**
 * Ask the gateway, as any other program would.
 *
 * The answer is a value or one of three surprises: `Refused` (it said no, and why), `KeyNeeded` (it does not know who
 * asks) and `Away` (it, or a store behind it, does not answer now).  Whoever asks again and again treats them
 * differently, so they are different here.  The API key goes into a header and never into an address.
 */

import { heldKey } from "./key.js";
import { addressOf } from "./routes.js";
import { learnTheTime } from "./clock.js";

const PATIENCE_MS = 15000;  // longer than the gateway waits for Postgres

/** The gateway understood and refused: `message` is its sentence, `remedy` what to do, `status` its number. */
export class Refused extends Error {
  constructor(problem, status) {
    super(problem.detail ?? `the gateway answered ${status}`);
    this.remedy = problem.remedy ?? "";
    this.status = status;
  }
}

/** An API key is needed, or the one that was sent is not known. */
export class KeyNeeded extends Refused {}

/** Nobody answers, or only to say that a store is away. */
export class Away extends Error {}

/** What the route answers, read as JSON; null where it answers with nothing. */
export async function ask(route, values, options) {
  const answer = await answerTo(route, values, options);
  return answer.status === 204 ? null : answer.json();
}

/** The same as text, for who must see numbers as they were written. */
export async function askForText(route, values, options) {
  return (await answerTo(route, values, options)).text();
}

/** The answer itself, its body unread; it was a success. */
export async function answerTo(route, values, { body, signal, headers, patience = PATIENCE_MS } = {}) {
  const { method, address } = addressOf(route, values);
  const patienceEnds = patience ? AbortSignal.timeout(patience) : null;
  const signals = [signal, patienceEnds].filter(Boolean);
  const asked = {
    method,
    headers: { Accept: "application/json", ...credentials(), ...headers },
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    signal: signals.length ? AbortSignal.any(signals) : undefined,
  };
  if (body !== undefined) {
    asked.headers["Content-Type"] = "application/json";
    asked.body = JSON.stringify(body);
  }
  const answer = await sent(address, asked, signal);
  learnTheTime(answer.headers.get("Date"));
  if (!answer.ok) throw await surprise(answer);
  return answer;
}

async function sent(address, asked, signal) {
  try {
    return await fetch(address, asked);
  } catch (error) {
    if (signal?.aborted) throw error;  // nobody wants to know any more
    throw new Away("The gateway does not answer");
  }
}

function credentials() {
  const key = heldKey();
  return key ? { Authorization: `Bearer ${key}` } : {};
}

async function surprise(answer) {
  const problem = await answer.json().catch(() => ({}));
  if (answer.status === 401) return new KeyNeeded(problem, 401);
  if (answer.status >= 500) return new Away(awayBecause(answer.status, problem));
  return new Refused(problem, answer.status);
}

function awayBecause(status, problem) {
  if (status === 503 && problem.detail) return `The gateway answers that ${problem.detail}`;
  if (status === 502 || status === 504) return "The gateway does not answer";  // a proxy says so
  return `The gateway failed (${status})`;
}
