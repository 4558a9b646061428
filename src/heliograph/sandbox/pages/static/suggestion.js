// Suggestions: buttons in a card, chips under a message. A reply answers; an action shows what a phone would do.

import { link, web } from "./address.js";
import { el, icon, unseen } from "./dom.js";
import { moment, spaced } from "./words.js";

/** Short words for a person who cannot see the drawing. */
const KINDS = {
  open_url: "opens a page",
  dial: "dials",
  view_location: "shows a place",
  calendar_event: "adds to the calendar",
  share_location: "shares the location",
};

function place(suggestion) {
  const rows = [];
  if (suggestion.label) rows.push(["Place", suggestion.label]);
  if (suggestion.latitude !== null && suggestion.latitude !== undefined) {
    rows.push(["Latitude", suggestion.latitude], ["Longitude", suggestion.longitude]);
  }
  if (suggestion.query) rows.push(["Search", suggestion.query]);
  return rows;
}

/** What a phone would do on a tap: a title and rows to show in the sheet; null for what needs no sheet. */
function deed(suggestion) {
  switch (suggestion.type) {
    case "open_url":
      return { title: "This address is not opened", rows: [["Address", suggestion.url]],
        note: "Only http and https pages are opened from here." };
    case "dial":
      return { title: "The phone would dial", rows: [["Number", spaced(suggestion.phone)]] };
    case "view_location":
      return { title: "The phone would show the map", rows: place(suggestion) };
    case "calendar_event":
      return { title: "The phone would add an event",
        rows: [["Title", suggestion.title], ["From", moment(suggestion.start)], ["To", moment(suggestion.end)],
          ["Notes", suggestion.description]].filter(([, value]) => value) };
    case "share_location":
      return { title: "Share a location", rows: [], asksLocation: true };
    default:
      return null;
  }
}

/**
 * One suggestion as a control. `key` names it in its message ("-:0" the first chip, "0:1" the second of the first
 * card); `phone` has `tap(message, key)` and `sheet(deed, opener)`.
 */
export function suggestion(said, key, message, phone, className) {
  const action = said.type !== "reply";
  const face = [action && icon(said.type), el("span", { dir: "auto" }, said.text), action && unseen(`, ${KINDS[said.type]}`),
    el("span", { class: "tapped-mark" })];
  const page = said.type === "open_url" ? web(said.url) : null;
  if (page !== null) {
    return link(page, { class: className, "data-key": key, onclick: () => phone.tap(message, key) }, face,
      unseen(" in a new tab"));
  }
  const button = el("button", { type: "button", class: className, "data-key": key }, face);
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    const worked = await phone.tap(message, key);
    button.removeAttribute("aria-disabled");
    const shown = deed(said);
    if (worked && shown !== null) phone.sheet(shown, button);
  });
  return button;
}

/** Marks the suggestions of a message that were tapped, with a shape and a word. */
export function markTapped(node, keys) {
  for (const control of node.querySelectorAll("[data-key]")) {
    const mark = control.querySelector(".tapped-mark");
    const tapped = keys.includes(control.dataset.key);
    if (tapped === (mark.firstChild !== null)) continue;
    mark.replaceChildren(...(tapped ? [icon("sent"), unseen("tapped")] : []));
  }
}

/** What is offered under a message as chips, or null if nothing is. */
export function chips(offered, message, phone) {
  if (offered.length === 0) return null;
  return el("div", { class: "chips", role: "group", "aria-label": "Suggestions" },
    offered.map((said, index) => suggestion(said, `-:${index}`, message.id, phone, "chip")));
}
