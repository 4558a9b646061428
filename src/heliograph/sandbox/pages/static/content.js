// What a message says, as a phone shows it: text, one card, a carousel, a file; plain on SMS, whole on WhatsApp.

import { linked } from "./address.js";
import { carousel } from "./carousel.js";
import { el } from "./dom.js";
import { media } from "./media.js";
import { suggestion } from "./suggestion.js";

const bubble = (text) => el("div", { class: "bubble", dir: "auto" }, linked(text));

function buttons(offered, message, phone) {
  return offered.length > 0 && el("div", { class: "card-suggestions", role: "group", "aria-label": "Suggestions" },
    offered.map(([key, one]) => suggestion(one, key, message, phone, "card-suggestion")));
}

/** The suggestions of a body with the keys by which they are tapped: "0:1" = the second in the first card. */
const keyed = (place, suggestions) => (suggestions ?? []).map((one, index) => [`${place}:${index}`, one]);

function card(body, index, message, phone, className) {
  const words = el("div", { class: "card-words" },
    body.title && el("p", { class: "card-title", dir: "auto" }, body.title),
    body.description && el("p", { class: "card-description", dir: "auto" }, linked(body.description)));
  return el("div", { class: `card ${className}` },
    el("div", { class: "card-body" }, body.media && media(body.media, body.title), words.childElementCount > 0 && words),
    buttons(keyed(index, body.suggestions), message, phone));
}

/** What stands under a WhatsApp message: its buttons, or the one button behind which its rows are listed. */
function below(message, offered, phone) {
  if (!message.menu || offered.length === 0) return buttons(offered, message.id, phone);
  const opener = el("button", { type: "button", class: "card-suggestion", "aria-haspopup": "dialog" }, message.menu);
  opener.addEventListener("click", () => phone.sheet({ title: message.menu, rows: [],
    choices: offered.map(([key, one]) => [one.text, () => phone.tap(message.id, key)]) }, opener));
  return el("div", { class: "card-suggestions" }, opener);
}

/** Header, body, footer and buttons are one piece on WhatsApp. */
function whole(message, body, said, phone) {
  const offered = [...keyed(0, body.suggestions), ...keyed("-", said.suggestions)];
  return el("div", { class: "card whole" },
    body.media && media(body.media, body.title),
    el("div", { class: "card-words" },
      body.title && el("p", { class: "card-title", dir: "auto" }, body.title),
      body.description && el("p", { class: "card-description", dir: "auto" }, linked(body.description)),
      message.footer && el("p", { class: "card-footer", dir: "auto" }, message.footer)),
    below(message, offered, phone));
}

/** The chips under a message in its conversation; the other channels show theirs in the message, or none. */
export const chipsUnder = (message) => (message.channel === "wa" || message.channel === "sms" ? [] : (message.content?.suggestions ?? []));

/** The body of a message. An unknown type is named, never hidden: the sandbox must not swallow what was sent. */
export function content(message, phone) {
  const said = message.content;
  const onWhatsApp = message.channel === "wa";
  switch (said?.type) {
    case "text":
      return onWhatsApp && (message.footer || said.suggestions?.length > 0)
        ? whole(message, { description: said.text }, said, phone)
        : bubble(said.text);
    case "named":
      return whole(message, { description: said.shown || `Template ${said.name}` }, said, phone);
    case "card": {
      if (onWhatsApp) return whole(message, said.card, said, phone);
      // RCS shows the side of the thumbnail only on a horizontal card; a vertical one has its picture on top.
      const side = said.orientation === "horizontal" ? `horizontal ${said.thumbnail_side ?? "right"}` : "vertical";
      return card(said.card, 0, message.id, phone, side);
    }
    case "carousel":
      return carousel(said.cards.map((body, index) => card(body, index, message.id, phone, "vertical")), said.width ?? "medium");
    case "file":
      return onWhatsApp && (message.footer || said.suggestions?.length > 0 || said.media.description)
        ? whole(message, { description: said.media.description, media: said.media }, said, phone)
        : el("div", { class: "file" }, media(said.media));
    case undefined:
      return bubble(message.text ?? "");
    default:
      return bubble(`A message of the type ${said.type}, which this page cannot show.`);
  }
}

/** One line of a message, for the quotation above its answer. */
export function gist(message) {
  const said = message.content;
  const body = said?.card ?? said?.cards?.[0];
  return said?.text ?? said?.shown ?? body?.title ?? body?.description ?? said?.media?.description ?? message.text ?? "";
}
