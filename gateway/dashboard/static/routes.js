/**
 * Every question that the page asks, in one list: the method, the path, and which parameters it may carry.
 *
 * A test holds the list against /openapi.json, so that a route or a parameter that is renamed cannot break the page
 * unseen; `ask.js` refuses a value that its route does not name.
 */

export const ROUTES = {
  stats: "GET /api/v1/stats",

  jobs: "GET /api/v1/jobs?state&type&queue&tag&batch_id&schedule_id&limit&cursor",
  job: "GET /api/v1/jobs/{id}",
  why: "GET /api/v1/jobs/{id}/why",
  timeline: "GET /api/v1/jobs/{id}/timeline",
  attempts: "GET /api/v1/jobs/{id}/attempts",
  artifacts: "GET /api/v1/jobs/{id}/artifacts?limit",
  logs: "GET /api/v1/jobs/{id}/logs?limit&follow",
  artifact: "GET /api/v1/artifacts/{id}?download",
  cancelJob: "POST /api/v1/jobs/{id}/cancel",
  retryJob: "POST /api/v1/jobs/{id}/retry",
  deleteJob: "DELETE /api/v1/jobs/{id}",

  jobTypes: "GET /api/v1/job-types",

  causes: "GET /api/v1/dead-letters?group&redriven&limit&cursor",
  letters: "GET /api/v1/dead-letters?fingerprint&reason&redriven&limit&cursor",
  letter: "GET /api/v1/dead-letters/{id}",
  redriveLetter: "POST /api/v1/dead-letters/{id}/redrive",
  discardLetter: "DELETE /api/v1/dead-letters/{id}",
  redrives: "GET /api/v1/dead-letters/redrive",
  redrive: "POST /api/v1/dead-letters/redrive",
  stopRedrive: "DELETE /api/v1/dead-letters/redrive/{id}",

  queues: "GET /api/v1/queues",
  pauseQueue: "POST /api/v1/queues/{name}/pause",
  resumeQueue: "POST /api/v1/queues/{name}/resume",

  workers: "GET /api/v1/workers",
  drainWorker: "POST /api/v1/workers/{session}/drain",

  schedules: "GET /api/v1/schedules?limit&cursor",
  schedule: "GET /api/v1/schedules/{id}",
  preview: "GET /api/v1/schedules/{id}/preview?n",
  runs: "GET /api/v1/schedules/{id}/runs?limit&cursor",
  pauseSchedule: "POST /api/v1/schedules/{id}/pause",
  resumeSchedule: "POST /api/v1/schedules/{id}/resume",
  triggerSchedule: "POST /api/v1/schedules/{id}/trigger",

  batches: "GET /api/v1/batches?limit&cursor",
  cancelBatch: "POST /api/v1/batches/{id}/cancel",
};

/** The method and the address of a question: what the path names goes there, the rest behind the question mark. */
export function addressOf(route, values = {}) {
  const [method, rest] = ROUTES[route].split(" ");
  const [path, parameters = ""] = rest.split("?");
  const known = new Set(parameters.split("&"));
  const left = new Map(Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== ""));
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => {
    const value = left.get(name);
    left.delete(name);
    return encodeURIComponent(value);
  });
  for (const name of left.keys()) {
    if (!known.has(name)) throw new TypeError(`${route} takes no ${name}`);
  }
  const query = new URLSearchParams([...left]).toString();
  return { method, address: query ? `${filled}?${query}` : filled };
}
