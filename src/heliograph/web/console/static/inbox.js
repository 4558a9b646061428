// The inbox, live: what changes is put where it belongs, what an agent does is sent without leaving the page. Links and
// forms work without it.

import { key, say } from "./app.js";
import * as box from "./inbox_box.js";
import * as list from "./inbox_list.js";
import * as talk from "./inbox_talk.js";
import { listen } from "./inbox_stream.js";
import { Trouble, post, read, words } from "./inbox_wire.js";

const root = document.getElementById("inbox");
const me = root.dataset.me;
const title = document.title;
let unread = 0;
let paused = false;
let waiting = [];

for (const tools of document.querySelectorAll("[data-scripted]")) tools.hidden = false;

// ── What an agent does ──

let newest = 0;

function apply(said) {
  if (said.gone) {
    location.href = "/console/inbox";
    return;
  }
  if (!said.read) box.trouble(said.fault ?? ""); // a reading takes no sentence away that an action was refused with
  talk.put(said.turns, said.touched);
  if (said.touched < newest) return; // read before what is shown
  newest = said.touched;
  talk.head(said.head);
  box.replace(said.box, said.kind);
  const after = document.querySelector('#box input[name="after"]');
  if (after) after.value = said.number;
  if (said.fault) box.trouble(said.fault);
  saw(said.agent, said.number);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || !form.action.includes("/console/inbox/")) return;
  event.preventDefault();
  delete form.dataset.sent;
  if (form.dataset.busy) return;
  form.dataset.busy = "yes";
  const answers = form.action.endsWith("/answer");
  const button = form.querySelector('button[type="submit"]');
  button.setAttribute("aria-disabled", "true");
  try {
    const fields = new FormData(form);
    fields.set("known", talk.last());
    const said = await post(form.action, fields);
    if (form.dataset.act === "number") {
      talk.whole(said.number);
      say(`The number is ${said.number}. It is written down that you asked.`);
      document.getElementById("scroll").focus();
    } else {
      if (answers && !said.fault) box.sent();
      apply(said);
      if (answers && !said.fault) {
        talk.toEnd();
        // Whoever went elsewhere meanwhile is not called back.
        if (document.getElementById("box").contains(document.activeElement)) box.reply();
      } else if (!said.fault) say("Done");
    }
  } catch (fault) {
    if (!(fault instanceof Trouble)) throw fault;
    box.trouble(fault.unknown && answers
      ? `${fault.message} Send it again: if it was taken the first time, it does not leave twice.`
      : fault.message);
  } finally {
    delete form.dataset.busy;
    button.removeAttribute("aria-disabled");
  }
}, true);

// ── What changes ──

function title_() {
  document.title = unread ? `(${unread}) ${title}` : title;
}

function notice(one) {
  if (document.visibilityState === "visible" && document.hasFocus()) return;
  unread += 1;
  title_();
  if (wanted() && Notification.permission === "granted") {
    // Without words and names: a lock screen shows it to anybody.
    new Notification("New reply", { body: one.skill ? `Skill ${one.skill}` : "", tag: one.id, silent: true });
  }
}

let following = false;
let again = false;

/** Reads the head and the box anew; what comes meanwhile is one more reading. */
async function follow() {
  again = true;
  if (following) return;
  following = true;
  try {
    while (again) {
      again = false;
      apply({ ...await talk.fresh(), read: true });
    }
  } catch (fault) {
    if (!(fault instanceof Trouble)) throw fault;
    box.trouble(fault.message);
  } finally {
    following = false;
  }
}

let read_to = 0;

/** Said once the words are in sight of the agent whose conversation it is. */
function saw(agent, number) {
  if (agent !== me || number <= read_to || document.visibilityState !== "visible") return;
  read_to = number;
  post(`${talk.address}/seen`, { number }).catch(() => { /* a courtesy */ });
}

function hear(kind, one) {
  if (paused && kind !== "ended") {
    waiting.push([kind, one]);
    if (waiting.length > 2000) waiting = [["missed", {}]];
    return;
  }
  if (kind === "turn") {
    list.change(one);
    const here = one.id === talk.id;
    if (here) {
      talk.put(one.turns, one.touched);
      if (one.said) { talk.tell(one); saw(one.agent, one.number); }
      if (one.said || one.turns.length === 0 || one.turns.some((turn) => turn.by === "heliograph")) follow();
    } else if (one.said) say(`New reply from ${one.who}`);
    if (one.said) notice(one);
  } else if (kind === "typing") {
    if (one.id === talk.id) talk.types();
  } else if (kind === "gone") {
    list.leave(one.id);
    if (one.id === talk.id) follow();
  } else if (kind === "queue") list.count(one);
  else if (kind === "missed") {
    list.again().catch(() => { /* the next event brings it */ });
    if (talk.id) follow();
  } else if (kind === "ended") say("You are logged out, or see other things now. Load the page again.");
}

const light = document.querySelector("[data-light]");
function show(state, word) {
  light.dataset.state = paused ? "paused" : state;
  light.querySelector("[data-light-word]").textContent = paused ? "paused" : word;
}

const pause = document.querySelector("[data-pause]");
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  show("live", "live");
  if (paused) return;
  const all = waiting;
  waiting = [];
  for (const [kind, one] of all) hear(kind, one);
});

// ── Notifications: asked for by a click, kept for this browser ──

const bell = document.querySelector("[data-notify]");
function wanted() {
  try { return localStorage.getItem("notify") === "on"; } catch { return false; }
}
if (!("Notification" in window)) bell.hidden = true;
else {
  const mark = () => bell.setAttribute("aria-pressed", String(wanted() && Notification.permission === "granted"));
  bell.addEventListener("click", async () => {
    const on = !wanted() && (await Notification.requestPermission()) === "granted";
    try { localStorage.setItem("notify", on ? "on" : "off"); } catch { /* it is off */ }
    say(on ? "New replies are shown by the system" : "New replies are not shown by the system");
    mark();
  });
  mark();
}
for (const event of ["visibilitychange", "focus"]) {
  addEventListener(event, () => {
    if (document.visibilityState !== "visible") return;
    unread = 0;
    title_();
  });
}

// ── Keys ──

const press = (act) => document.querySelector(`form[data-act="${act}"] button`)?.click();
key("c", () => press("claim"));
key("e", () => press("close"));
key("r", () => (talk.id ? box.reply() : undefined));
key("/", () => (talk.id ? box.canned() : undefined));

// ── The rest of the page ──

document.addEventListener("toggle", async (event) => {
  const before = event.target;
  const place = before.querySelector?.("[data-here]");
  if (!before.dataset?.turns || !before.open || place.hasChildNodes()) return;
  try {
    place.innerHTML = await words(before.dataset.turns);
    for (const turn of place.querySelectorAll("[id]")) turn.removeAttribute("id"); // the open conversation has those
  } catch {
    place.textContent = "It could not be read. Open it instead.";
  }
}, true);

document.addEventListener("click", async (event) => {
  const more = event.target.closest("[data-more]");
  if (!more) return;
  event.preventDefault();
  const said = await read(`${more.getAttribute("href")}&part=rows`);
  const holder = document.createElement("template");
  holder.innerHTML = said.rows;
  const came = [...holder.content.querySelectorAll(".conversation")].filter((one) => !document.getElementById(one.id));
  document.getElementById("conversations").append(...came);
  const next = holder.content.querySelector("[data-more]");
  if (next) more.replaceWith(next);
  else more.parentElement.remove();
  came[0]?.querySelector("a[data-open]").focus();
});

saw(root.dataset.agent, root.dataset.site ? talk.last() : 0);
listen(root.dataset.place, me, { on: hear, light: show });
