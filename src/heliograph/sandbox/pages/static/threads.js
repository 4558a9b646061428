// A phone keeps one conversation per sender and channel; with more than one, tabs in its head choose.

import { arrange, el, unseen, write } from "./dom.js";
import { CHANNELS, spaced } from "./words.js";

const NOBODY = { id: "", name: "Unknown sender", address: "" };

/** What names a conversation, and the sender in what the phone posts. */
export const keyOf = (provider, sender) => `${provider}/${sender}`;

/** SMS shows the number that wrote; the others show who that is. */
export const nameOf = (thread) => (thread.channel === "sms" && thread.sender.address ? spaced(thread.sender.address) : thread.sender.name);

function sort(messages, begun) {
  const found = new Map();
  for (const message of messages) {
    const sender = message.sender ?? NOBODY;
    const key = keyOf(message.provider, sender.id);
    if (!found.has(key)) found.set(key, { key, messages: [], unread: 0 });
    const thread = found.get(key);
    Object.assign(thread, { sender, channel: message.channel });
    thread.messages.push(message);
    if (message.direction === "in" && message.state === "delivered") thread.unread += 1;
  }
  if (begun !== null && !found.has(begun.key)) found.set(begun.key, { ...begun, messages: [], unread: 0 });
  return found;
}

/** `place` holds the tabs; `chosen()` is called when a person takes another thread. */
export function threads(place, chosen) {
  const tabs = new Map();
  let open = null;
  let begun = null;
  let inSight = null;

  /** The tabs scroll where they do not fit; the page must not scroll with them. */
  function toSight(button) {
    if (button === undefined || !button.isConnected) return;
    const [left, right] = [button.offsetLeft - place.offsetLeft, button.offsetLeft - place.offsetLeft + button.offsetWidth];
    if (left < place.scrollLeft) place.scrollLeft = left;
    else if (right > place.scrollLeft + place.clientWidth) place.scrollLeft = right - place.clientWidth;
  }

  function tab(thread) {
    if (!tabs.has(thread.key)) {
      const word = el("span", { class: "thread-name", dir: "auto" });
      const channel = el("span", { class: "channel" });
      const count = el("span", { class: "unread" });
      const button = el("button", { type: "button", class: "thread", onclick: () => {
        open = thread.key;
        chosen();
      } }, word, channel, count);
      tabs.set(thread.key, { button, word, channel, count });
    }
    const made = tabs.get(thread.key);
    write(made.word, nameOf(thread));
    write(made.channel, CHANNELS[thread.channel] ?? thread.channel);
    made.button.setAttribute("aria-pressed", String(thread.key === open));
    const waiting = thread.key !== open && thread.unread > 0;
    made.count.replaceChildren(...(waiting ? [String(thread.unread), unseen(" unread")] : []));
    return made.button;
  }

  return {
    /** The open thread: the one last chosen, at first the one with the newest message. */
    show(messages) {
      const found = sort(messages, begun);
      const newest = messages.at(-1);
      if (!found.has(open)) open = newest ? keyOf(newest.provider, (newest.sender ?? NOBODY).id) : null;
      arrange(place, found.size > 1 ? [...found.values()].map(tab) : []);
      if (open !== inSight) toSight(tabs.get((inSight = open))?.button);
      return found.get(open) ?? { key: null, sender: null, channel: null, messages: [] };
    },
    /** Opens a conversation with a sender who may not have written yet. */
    begin(thread) {
      begun = thread;
      open = thread.key;
      chosen();
    },
    /** Whom a message from here goes to, as provider/id; null when nobody wrote yet. */
    sender: () => open,
  };
}
