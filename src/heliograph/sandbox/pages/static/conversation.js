// The bubbles of one thread. A message's node is made once; afterwards only its marks change, so nothing jumps.

import { chipsUnder, content, gist } from "./content.js";
import { el, arrange, icon, unseen, write } from "./dom.js";
import { chips, markTapped } from "./suggestion.js";
import { STATES, day, startOfDay, time } from "./words.js";

/** Messages of one side within a minute share one line of time and state. */
const TOGETHER = 60_000;
/** This near the end (pixels) a reader follows the conversation; further up they are reading and stay there. */
const FOLLOWING = 96;

/** On WhatsApp a message can be quoted; the button comes to sight on hover and focus. */
function quoter(message, phone) {
  const button = el("button", { type: "button", class: "quoter plain" }, icon("reply"), unseen(`Quote: ${gist(message).slice(0, 60)}`));
  button.addEventListener("click", () => phone.quote(message));
  return button;
}

function quotation(message, quoted) {
  if (message.channel !== "wa" || quoted === undefined) return null;
  return el("p", { class: "quotation", dir: "auto" }, unseen("In answer to: "), gist(quoted));
}

function make(message, phone, quoted) {
  const own = message.direction === "out";
  const mark = el("span", { class: "state" });
  const parts = message.channel === "sms" && !own && el("span", {}, message.parts === 1 ? "1 part" : `${message.parts} parts`);
  const meta = el("div", { class: "meta" }, time(message.at), parts, mark, message.channel === "wa" && !own && quoter(message, phone));
  const node = el("article", { class: `message ${own ? "own" : "theirs"}`, "data-id": message.id },
    unseen(own ? "You: " : `${message.sender?.name ?? "Sender"}: `), quotation(message, quoted), content(message, phone), meta);
  return { node, mark, state: "" };
}

function update(made, message, next) {
  if (made.state !== message.state) {
    made.state = message.state;
    const ticks = message.channel === "wa" && message.state === "read" ? "delivered" : message.state;
    made.mark.replaceChildren(...(STATES[message.state] ? [icon(ticks), STATES[message.state]] : []));
    made.mark.dataset.state = message.state;
  }
  markTapped(made.node, message.tapped ?? []);
  const together = next !== undefined && next.direction === message.direction && next.state === message.state &&
    next.at - message.at < TOGETHER && startOfDay(next.at) === startOfDay(message.at);
  made.node.classList.toggle("continued", together);
}

const quotable = (messages, message) => (message.quotes ? messages.find((one) => one.id === message.quotes) : undefined);

/** `log` is the scrolling element; `jump` the button that shows when something new waits below. */
export function conversation(log, jump, phone) {
  const made = new Map();
  const days = new Map();
  let offered = { id: null, node: null };
  const dots = el("p", { class: "writing" }, el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")), unseen(""));
  let known = null;

  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < FOLLOWING;
  const toEnd = () => {
    log.scrollTop = log.scrollHeight;
    jump.hidden = true;
  };
  jump.addEventListener("click", () => {
    toEnd();
    log.focus();
  });
  log.addEventListener("scroll", () => atEnd() && (jump.hidden = true), { passive: true });

  function separator(at) {
    const key = startOfDay(at);
    if (!days.has(key)) days.set(key, el("p", { class: "day" }, day(at)));
    write(days.get(key), day(at));
    return days.get(key);
  }

  function writing(name) {
    write(dots.lastChild, `${name} is writing`);
    return dots;
  }

  function chipsOf(last) {
    const id = last?.direction === "in" ? last.id : null;
    if (offered.id !== id) offered = { id, node: id === null ? null : chips(chipsUnder(last), last, phone) };
    if (offered.node !== null) markTapped(offered.node, last.tapped ?? []);
    return offered.node;
  }

  /** Shows these messages (oldest first). `thread` names the thread: another one starts at its end. `writer`: who is
   * writing now, null = nobody. */
  return function show(messages, thread, writer) {
    const first = known === null || known.thread !== thread;
    const follow = first || atEnd();
    const hadFocus = offered.node?.contains(document.activeElement) ?? false;
    const nodes = [];
    let date = null;
    messages.forEach((message, index) => {
      if (startOfDay(message.at) !== date) nodes.push(separator(message.at));
      date = startOfDay(message.at);
      if (!made.has(message.id)) made.set(message.id, make(message, phone, quotable(messages, message)));
      update(made.get(message.id), message, messages[index + 1]);
      nodes.push(made.get(message.id).node);
    });
    const last = messages.at(-1);
    const suggested = chipsOf(last);
    if (suggested !== null) nodes.push(suggested);
    if (writer !== null) nodes.push(writing(writer));
    if (messages.length === 0) nodes.push(phone.blank);
    arrange(log, nodes);
    const fresh = last !== undefined && last.id !== known?.last;
    if (follow || (fresh && last.direction === "out")) toEnd();
    else if (fresh) jump.hidden = false;
    known = { thread, last: last?.id };
    // The chip that was tapped is gone: whoever works by keyboard goes on in the field below it.
    if (hadFocus && suggested === null) phone.focusField();
    log.setAttribute("aria-live", "polite");
  };
}
