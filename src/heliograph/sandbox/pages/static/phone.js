// One phone: frame, head with the sender, conversation, composer. It knows nothing of the page around it.

import { conversation } from "./conversation.js";
import { el, icon, unseen, write } from "./dom.js";
import { sheets } from "./sheet.js";
import { attempt } from "./shell.js";
import { threads } from "./threads.js";
import { act } from "./wire.js";
import { CHANNELS, spaced } from "./words.js";

/** A typing notice at most this often (ms), as phones do while a person goes on writing. */
const TYPING = 5_000;
/** How long a person looks before a message counts as read (ms); the receipt of its delivery goes first. */
const LOOK = 1_000;

/** `glance` is a small phone of the overview: looking at it there does not mark messages as read. */
export function phone(number, { glance = false, done = () => {} } = {}) {
  const name = el("p", { class: "sender" }, "No conversation yet");
  const face = el("span", { class: "face", "aria-hidden": "true" }, "·");
  const channel = el("span", { class: "channel" }, "RCS");
  const verified = el("span", { class: "verified" }, icon("verified"), "Verified sender");
  const under = el("p", { class: "sender-line" }, channel, verified);
  const tabs = el("div", { class: "threads", role: "group", "aria-label": "Conversations" });
  const warning = el("p", { class: "phone-state", role: "status" });
  const log = el("div", { class: "conversation", role: "log", "aria-live": "off", "aria-relevant": "additions",
    "aria-label": `Conversation on ${spaced(number)}`, tabindex: "0" });
  const jump = el("button", { type: "button", class: "jump", hidden: true }, icon("down"), "New message");
  const field = el("textarea", { rows: "1", placeholder: "Message", "aria-label": "Message", autocomplete: "off" });
  const send = el("button", { class: "round send", type: "submit", "aria-label": "Send" }, icon("send"));
  const composer = el("form", { class: "composer" }, field, send);
  const floor = el("div", { class: "floor" });
  const element = el("section", { class: glance ? "phone small" : "phone", "aria-label": `Phone ${spaced(number)}` },
    el("div", { class: "screen" }, el("div", { class: "phone-head" }, face, el("div", { class: "who" }, name, under), tabs),
      warning, log, jump, composer, floor));

  let handset = null;
  let typed = 0;
  const seen = new Set();
  const doing = async (verb, body) => {
    const worked = await attempt(() => act(number, verb, body));
    if (worked) done();
    return worked;
  };
  const to = () => (thread.sender() === null ? {} : { sender: thread.sender() });
  const sheet = sheets(floor, (place) => doing("location", { ...place, ...to() }));
  const self = {
    tap: (message, key) => doing("tap", { message, suggestion: key }),
    sheet,
    focusField: () => field.focus({ preventScroll: true }),
    blank: el("p", { class: "blank" }, "Messages to this number appear here."),
  };
  const talk = conversation(log, jump, self);
  const thread = threads(tabs, () => show(handset));

  async function say(event) {
    event.preventDefault();
    const text = field.value.trim();
    if (text === "") return;
    field.value = "";
    typed = 0;
    if (!(await doing("say", { text, ...to() }))) field.value ||= text;
  }
  function typing() {
    if (field.value === "" || thread.sender() === null || Date.now() - typed < TYPING) return;
    typed = Date.now();
    doing("typing", to());
  }
  composer.addEventListener("submit", say);
  field.addEventListener("input", typing);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    composer.requestSubmit();
  });

  /** An open thread that a person can see is read, as on a phone; the receipt leaves only if the phone sends any. */
  function readWhatIsSeen(messages) {
    if (glance || !handset.reads || !handset.online || document.visibilityState !== "visible") return;
    for (const message of messages) {
      if (message.direction !== "in" || message.state !== "delivered" || seen.has(message.id)) continue;
      seen.add(message.id);
      setTimeout(() => look(message.id), LOOK);
    }
  }

  /** Nobody asked for it, so nobody is told if it cannot be done: then the phone was emptied, and its state says so. */
  async function look(id) {
    const unread = handset.messages.some((message) => message.id === id && message.state === "delivered");
    if (unread) await act(number, "read", { message: id }).then(done, done);
  }

  function show(next) {
    handset = next;
    const { sender, messages } = thread.show(handset.messages);
    write(name, sender?.name ?? "No conversation yet");
    write(face, sender?.name.trim().charAt(0).toUpperCase() || "·");
    write(channel, CHANNELS[messages.at(-1)?.channel] ?? "RCS");
    under.hidden = sender === null;
    const waiting = handset.waiting > 0 && `${handset.waiting} ${handset.waiting === 1 ? "message waits" : "messages wait"}`;
    const troubles = [!handset.has_rcs && "RCS is off", !handset.online && "Offline", waiting].filter(Boolean);
    write(warning, troubles.join(" · "));
    warning.classList.toggle("shown", troubles.length > 0);
    talk(messages, sender?.id ?? null);
    readWhatIsSeen(messages);
  }
  document.addEventListener("visibilitychange", () => handset !== null && show(handset));
  return { element, show };
}
