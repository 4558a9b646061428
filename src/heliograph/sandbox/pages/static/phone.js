// One phone: frame, head with the sender, conversation, composer. It knows nothing of the page around it.

import { conversation } from "./conversation.js";
import { el, icon, unseen, write } from "./dom.js";
import { sheets } from "./sheet.js";
import { attempt } from "./shell.js";
import { gist } from "./content.js";
import { keyOf, nameOf, threads } from "./threads.js";
import { act, base64, senders } from "./wire.js";
import { CHANNELS, spaced, troubles } from "./words.js";

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
  const begin = el("button", { type: "button", class: "round plain", "aria-label": "Write to a sender", title: "Write to a sender",
    onclick: choose }, icon("add"));
  const tabs = el("div", { class: "threads", role: "group", "aria-label": "Conversations" });
  const warning = el("p", { class: "phone-state", role: "status" });
  const log = el("div", { class: "conversation", role: "log", "aria-live": "off", "aria-relevant": "additions",
    "aria-label": `Conversation on ${spaced(number)}`, tabindex: "0" });
  const jump = el("button", { type: "button", class: "jump", hidden: true }, icon("down"), "New message");
  const field = el("textarea", { rows: "1", placeholder: "Message", "aria-label": "Message", autocomplete: "off" });
  const send = el("button", { class: "round send", type: "submit", "aria-label": "Send" }, icon("send"));
  const quoted = el("p", { class: "quoting", hidden: true });
  const chooser = el("input", { type: "file", hidden: true, "aria-label": "File to send", tabindex: "-1", onchange: sendFile });
  const attach = el("button", { type: "button", class: "round plain attach", hidden: true, "aria-label": "Send something else",
    title: "Send a file or a place", onclick: offer }, icon("attach"));
  const composer = el("form", { class: "composer" }, quoted, !glance && attach, field, send, !glance && chooser);
  const floor = el("div", { class: "floor" });
  const screen = el("div", { class: "screen" },
    el("div", { class: "phone-head" }, face, el("div", { class: "who" }, name, under), !glance && begin, tabs),
    warning, log, jump, composer, floor);
  const element = el("section", { class: glance ? "phone small" : "phone", "aria-label": `Phone ${spaced(number)}` }, screen);

  let handset = null;
  let typed = 0;
  let quoting = null;
  const seen = new Set();
  const doing = async (verb, body) => {
    const worked = await attempt(() => act(number, verb, body));
    if (worked) done();
    return worked;
  };
  const to = () => (thread.sender() === null ? {} : { sender: thread.sender() });
  const sheet = sheets(floor, (place) => doing("location", { ...place, ...to() }));
  let sends = [];
  const self = {
    tap: (message, key) => doing("tap", { message, suggestion: key }),
    sheet,
    quote,
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
    const asked = quoting;
    quote(null);
    if (await doing("say", { text, ...to(), ...(asked && { in_reply_to: asked.id }) })) return;
    field.value ||= text;
    quote(asked);
  }
  /** What is written next answers this message; null = no message in particular. */
  function quote(message) {
    quoting = message;
    quoted.hidden = message === null;
    if (message === null) return;
    quoted.replaceChildren(el("span", { dir: "auto" }, unseen("In answer to: "), gist(message)),
      el("button", { type: "button", class: "round plain", "aria-label": "Quote nothing", onclick: () => quote(null) }, icon("close")));
    field.focus();
  }
  /** Every sender that the sandbox knows can be written to, also one that was silent so far. */
  async function choose() {
    let known = [];
    if (!(await attempt(async () => (known = await senders())))) return;
    sheet({ title: known.length > 0 ? "Write to" : "No sender is registered yet", rows: [],
      choices: known.map((one) => [`${one.address && one.channel === "sms" ? spaced(one.address) : one.name} · ${CHANNELS[one.channel] ?? one.channel}`, () => {
        thread.begin({ key: keyOf(one.provider, one.sender), sender: { id: one.sender, name: one.name, address: one.address }, channel: one.channel });
        field.focus();
      }]) }, begin);
  }
  /** What this channel carries besides words: a file that is chosen here, and a place. */
  function offer() {
    const choices = [];
    if (sends.includes("file")) choices.push(["A file from this computer", () => chooser.click()]);
    if (sends.includes("location")) {
      choices.push(["A location", () => sheet({ title: "Share a location", rows: [], asksLocation: true }, attach)]);
    }
    sheet({ title: "Send", rows: [], choices }, attach);
  }
  async function sendFile() {
    const [file] = chooser.files;
    if (file === undefined) return;
    chooser.value = "";
    const body = { name: file.name, content_type: file.type || "application/octet-stream", ...to() };
    await attempt(async () => {
      body.data = await base64(file);
    }) && await doing("file", body);
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
  function readWhatIsSeen(messages, channel) {
    const reached = channel === "sms" ? handset.signal : handset.online;
    if (glance || !handset.reads || !reached || document.visibilityState !== "visible") return;
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
    const open = thread.show(handset.messages);
    const { sender, messages } = open;
    sends = (open.key !== null && handset.sends?.[open.key.split("/")[0]]) || [];
    attach.hidden = sends.length === 0;
    write(name, sender === null ? "No conversation yet" : nameOf(open));
    write(face, sender === null ? "·" : open.channel === "sms" ? "#" : sender.name.trim().charAt(0).toUpperCase() || "·");
    write(channel, CHANNELS[open.channel] ?? "RCS");
    verified.hidden = open.channel === "sms";
    under.hidden = sender === null;
    screen.dataset.channel = open.channel ?? "";
    if (quoting !== null && !messages.some((message) => message.id === quoting.id)) quote(null);
    const wrong = troubles(handset, open);
    write(warning, wrong.join(" · "));
    warning.classList.toggle("shown", wrong.length > 0);
    talk(messages, open.key, (handset.written_by ?? []).includes(open.key) ? nameOf(open) : null);
    readWhatIsSeen(messages, open.channel);
  }
  document.addEventListener("visibilitychange", () => handset !== null && show(handset));
  return { element, show, to };
}
