// A phone keeps one conversation per sender; with more than one, tabs in its head choose.

import { arrange, el, unseen, write } from "./dom.js";

function sort(messages) {
  const found = new Map();
  for (const message of messages) {
    const sender = message.sender ?? { id: "", name: "Unknown sender" };
    if (!found.has(sender.id)) found.set(sender.id, { sender, messages: [], unread: 0 });
    const thread = found.get(sender.id);
    thread.sender = sender;
    thread.messages.push(message);
    if (message.direction === "in" && message.state === "delivered") thread.unread += 1;
  }
  return found;
}

/** `place` holds the tabs; `chosen()` is called when a person takes another thread. */
export function threads(place, chosen) {
  const tabs = new Map();
  let open = null;

  function tab({ sender, unread }) {
    if (!tabs.has(sender.id)) {
      const word = el("span", { dir: "auto" }, sender.name);
      const count = el("span", { class: "unread" });
      const button = el("button", { type: "button", class: "thread", onclick: () => {
        open = sender.id;
        chosen();
      } }, word, count);
      tabs.set(sender.id, { button, word, count });
    }
    const made = tabs.get(sender.id);
    write(made.word, sender.name);
    made.button.setAttribute("aria-pressed", String(sender.id === open));
    const waiting = sender.id !== open && unread > 0;
    made.count.replaceChildren(...(waiting ? [String(unread), unseen(" unread")] : []));
    return made.button;
  }

  return {
    /** The open thread: the one last chosen, at first the one with the newest message. */
    show(messages) {
      const found = sort(messages);
      if (!found.has(open)) open = messages.at(-1)?.sender?.id ?? (found.size > 0 ? [...found.keys()][0] : null);
      arrange(place, found.size > 1 ? [...found.values()].map(tab) : []);
      return found.get(open) ?? { sender: null, messages: [] };
    },
    /** The id of the sender a message from here goes to; null when nobody wrote yet. */
    sender: () => open,
  };
}
