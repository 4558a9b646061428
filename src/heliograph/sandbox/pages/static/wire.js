// Speaks with the sandbox: its state, what a phone does, and the stream that says which phone changed.

/** A call that did not work; its message is a sentence for the person. */
export class Trouble extends Error {}

async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      cache: "no-store",
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Trouble("The sandbox does not answer. If it was stopped, start it again; this page reconnects by itself.");
  }
  const text = await answer.text();
  let read = null;
  try {
    read = text === "" ? {} : JSON.parse(text);
  } catch {
    if (answer.ok) throw new Trouble(`The sandbox answered ${method} ${path} with something that is not JSON.`);
  }
  if (answer.ok) return read;
  const said = [read?.detail, read?.error?.message, read?.error, read?.message, read?.title, text]
    .find((part) => typeof part === "string" && part !== "" && part.length < 400);
  throw new Trouble(said ?? `The sandbox answered ${method} ${path} with status ${answer.status}.`);
}

const at = (number, verb = "") => `/sandbox/handsets/${encodeURIComponent(number)}${verb && `/${verb}`}`;

export const overview = () => call("GET", "/sandbox/handsets");
export const handset = (number) => call("GET", at(number));
export const change = (number, fields) => call("POST", at(number), fields);
/** An account at a desk, with its conversations; the accounts that are known. */
export const account = (desk, id) => call("GET", `/sandbox/desks/${encodeURIComponent(desk)}/${encodeURIComponent(id)}`);
export const desks = async () => (await call("GET", "/sandbox/desks")).desks;
/** What an agent does: `do` is say, type, read, take, transfer or close. */
export const deed = (desk, id, body) => call("POST", `/sandbox/desks/${encodeURIComponent(desk)}/${encodeURIComponent(id)}/deeds`, body);
export const senders = async () => (await call("GET", "/sandbox/senders")).senders;
/** The bytes of a file as JSON carries them. */
export async function base64(file) {
  if (file.size > 16 * 1024 * 1024) throw new Trouble(`The file has ${file.size.toLocaleString("en")} bytes; a phone sends 16 MiB at most.`);
  const address = await new Promise((kept, broken) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => kept(reader.result));
    reader.addEventListener("error", () => broken(new Trouble(`The file ${file.name} cannot be read.`)));
    reader.readAsDataURL(file);
  });
  return address.slice(address.indexOf(",") + 1);
}
/** verb: say, tap, read, typing, location, file, unsubscribe or subscribe. */
export const act = (number, verb, body = {}) => call("POST", at(number, verb), body);

/**
 * Listens until the page goes. `changed(number)` for each phone that changed, `changed(null)` when anything may have
 * (after a reconnect, or a pause); `desk("liveperson/32106792")` likewise for an account at a desk; `state("live" | "away" | "paused")` for the person.
 */
export function listen({ changed, desk = () => {}, state }) {
  let source = null;
  let wait = 1000;
  let timer = 0;

  function open() {
    source = new EventSource("/sandbox/events");
    source.addEventListener("open", () => {
      wait = 1000;
      state("live");
      changed(null);
      desk(null);
    });
    source.addEventListener("handset", (event) => changed(JSON.parse(event.data).number));
    source.addEventListener("desk", (event) => desk(JSON.parse(event.data).account));
    source.addEventListener("error", () => {
      state("away");
      // A broken connection is taken up again by the browser; an answer that is an error closes the stream for good.
      if (source.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, 15_000);
    });
  }

  function close() {
    clearTimeout(timer);
    source.close();
  }

  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
  return {
    pause() {
      close();
      state("paused");
    },
    resume: open,
  };
}
