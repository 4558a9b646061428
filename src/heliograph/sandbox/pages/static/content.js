// What a message says, as a phone shows it: text, one card, a carousel, a file.

import { linked } from "./address.js";
import { carousel } from "./carousel.js";
import { el } from "./dom.js";
import { media } from "./media.js";
import { suggestion } from "./suggestion.js";

const bubble = (text) => el("div", { class: "bubble", dir: "auto" }, linked(text));

function card(body, index, message, phone, className) {
  const words = el("div", { class: "card-words" },
    body.title && el("p", { class: "card-title", dir: "auto" }, body.title),
    body.description && el("p", { class: "card-description", dir: "auto" }, linked(body.description)));
  const said = body.suggestions ?? [];
  return el("div", { class: `card ${className}` },
    el("div", { class: "card-body" }, body.media && media(body.media, body.title), words.childElementCount > 0 && words),
    said.length > 0 && el("div", { class: "card-suggestions", role: "group", "aria-label": "Suggestions" },
      said.map((one, place) => suggestion(one, `${index}:${place}`, message, phone, "card-suggestion"))));
}

/** The body of a message. An unknown type is named, never hidden: the sandbox must not swallow what was sent. */
export function content(message, phone) {
  const said = message.content;
  switch (said?.type) {
    case "text":
      return bubble(said.text);
    case "card": {
      // RCS shows the side of the thumbnail only on a horizontal card; a vertical one has its picture on top.
      const side = said.orientation === "horizontal" ? `horizontal ${said.thumbnail_side ?? "right"}` : "vertical";
      return card(said.card, 0, message.id, phone, side);
    }
    case "carousel":
      return carousel(said.cards.map((body, index) => card(body, index, message.id, phone, "vertical")), said.width ?? "medium");
    case "file":
      return el("div", { class: "file" }, media(said.media));
    case undefined:
      return bubble(message.text ?? "");
    default:
      return bubble(`A message of the type ${said.type}, which this page cannot show.`);
  }
}
