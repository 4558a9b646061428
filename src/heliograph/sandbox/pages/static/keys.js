// Keys of the overview: / filters, j and k move, ? tells. Single keys disturb speech control, so they can be put off.

import { el, write } from "./dom.js";

const KEYS = [["/", "filter by name or number"], ["j  k", "next, previous phone"], ["Enter", "open the phone"], ["?", "these keys"]];
const writing = (node) => node.closest("input, textarea, select, dialog") !== null;

/** `filter` is the field that / goes to; `links()` gives the phones' links in order. */
export function keys(filter, links) {
  let on = true;
  const word = el("span", { class: "switch-word", "aria-hidden": "true" }, "On");
  const toggle = el("button", { type: "button", role: "switch", class: "switch", "aria-checked": "true", "aria-labelledby": "keys-on",
    onclick: () => {
      on = !on;
      toggle.setAttribute("aria-checked", String(on));
      write(word, on ? "On" : "Off");
    } }, el("span", { class: "switch-knob" }), word);
  const help = el("dialog", { class: "keys", "aria-labelledby": "keys-title" }, el("h2", { id: "keys-title" }, "Keys"),
    el("dl", {}, KEYS.map(([key, does]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, does)])),
    el("div", { class: "switch-row" }, el("span", { id: "keys-on" }, "Single keys"), toggle),
    el("form", { method: "dialog" }, el("button", { type: "submit", class: "primary" }, "Close")));
  document.body.append(help);

  function move(step) {
    const all = links().filter((link) => link.checkVisibility());
    const now = all.findIndex((link) => link.closest("li").contains(document.activeElement));
    all[now < 0 ? 0 : Math.max(0, Math.min(all.length - 1, now + step))]?.focus();
  }
  const deeds = { "/": () => filter.focus(), j: () => move(1), k: () => move(-1), "?": () => help.showModal() };

  document.addEventListener("keydown", (event) => {
    if (!on || writing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const deed = Object.hasOwn(deeds, event.key) ? deeds[event.key] : undefined;
    if (deed === undefined) return;
    event.preventDefault();
    deed();
  });
  return el("button", { type: "button", class: "plain wide-only", "aria-haspopup": "dialog", onclick: () => help.showModal() }, "Keys");
}
