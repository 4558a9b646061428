// Speaks with the server: what an agent does, and what a page reads anew.

/** A call that did not work; its message is a sentence for the person. `unknown`: nobody knows whether it was done. */
export class Trouble extends Error {
  constructor(sentence, { unknown = false, code = "" } = {}) {
    super(sentence);
    this.unknown = unknown;
    this.code = code;
  }
}

const token = () => document.querySelector('meta[name="csrf-token"]').content;

async function call(path, options) {
  let answer;
  try {
    answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(15000), ...options });
  } catch {
    throw new Trouble("The server does not answer. What you wrote is kept here.", { unknown: true });
  }
  const kind = answer.headers.get("content-type") ?? "";
  if (kind.startsWith("application/json")) return answer.json();
  if (answer.status === 204) return null;
  if (kind.startsWith("text/plain")) throw new Trouble(await answer.text());
  if (answer.status >= 500) throw new Trouble("The server met an error of its own. What you wrote is kept here.", { unknown: true });
  throw new Trouble("The page is from an earlier log-in, or out of date. Load it again; what you wrote is kept.");
}

export const read = (path) => call(path, { headers: { accept: "application/json" } });

export function post(path, fields) {
  const body = fields instanceof FormData ? new URLSearchParams(fields) : new URLSearchParams(fields);
  return call(path, { method: "POST", body, headers: { accept: "application/json", "x-csrf-token": token() } });
}

export async function words(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Trouble("It could not be read.");
  return answer.text();
}

/** Elements of markup that this server rendered (and escaped). */
export function elements(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return [...holder.content.children];
}
