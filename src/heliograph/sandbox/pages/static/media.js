// A picture, film, sound or document of a message. Its box has its height before anything is loaded, so nothing jumps.

import { link, loadable } from "./address.js";
import { el, icon } from "./dom.js";

const KINDS = [
  ["video", /^video\//, /\.(mp4|m4v|mpe?g|mpeg4|webm|3gp|h263)$/i],
  ["audio", /^audio\/|^application\/ogg$/, /\.(mp3|m4a|aac|ogg|oga|opus|wav|amr)$/i],
  ["document", /^application\/pdf$/, /\.pdf$/i],
  ["image", /^image\//, /\.(png|jpe?g|gif|webp|svg)$/i],
];
const WORDS = { image: "Picture", video: "Film", audio: "Sound", document: "Document" };

/** What a medium is, by the type the sandbox gives, else by its name; null when neither tells. */
function kindOf(media, address) {
  const type = media.content_type ?? /^data:([^;,]+)/i.exec(address)?.[1] ?? "";
  const path = address.startsWith("data:") ? "" : new URL(address).pathname;
  return KINDS.find(([, byType, byName]) => (type ? byType.test(type) : byName.test(path)))?.[0] ?? null;
}

function placeholder(kind, words) {
  return el("div", { class: "media-missing" }, icon(kind), el("p", { dir: "auto" }, words));
}

function tile(address, words) {
  const name = decodeURIComponent(new URL(address, location.href).pathname.split("/").pop());
  return link(address, { class: "media-tile" }, icon("document"),
    el("span", {}, el("strong", { dir: "auto" }, words), el("small", {}, name.endsWith(".pdf") ? name : "PDF")));
}

/** The box of a medium. `title` stands in where the medium has no description of its own. */
export function media(medium, title = "") {
  const box = el("div", { class: `media ${medium.height ?? "medium"}` });
  const address = medium.url ? loadable(medium.url) : null;
  const poster = medium.thumbnail_url ? loadable(medium.thumbnail_url) : null;
  const words = medium.description || title;
  const missing = (kind) => box.replaceChildren(placeholder(kind, words || `${WORDS[kind]} that cannot be loaded`));
  if (address === null) {
    missing("image");
    return box;
  }
  const kind = kindOf(medium, address);

  function film() {
    const node = el("video", { src: address, poster, controls: true, preload: "metadata", playsinline: true, "aria-label": words || WORDS.video });
    node.addEventListener("error", () => missing(kind ?? "image"));
    box.replaceChildren(node);
  }
  function picture() {
    const node = el("img", { src: address, alt: words, decoding: "async", referrerpolicy: "no-referrer" });
    node.addEventListener("error", () => {
      if (poster !== null && node.src !== poster) node.src = poster;
      else if (kind === null) asked();
      else missing("image");
    });
    box.replaceChildren(node);
  }
  function sound() {
    const node = el("audio", { src: address, controls: true, preload: "metadata", "aria-label": words || WORDS.audio });
    node.addEventListener("error", () => missing("audio"));
    box.classList.add("line");
    box.replaceChildren(node);
  }
  function paper() {
    box.classList.add("line");
    box.replaceChildren(tile(address, words || WORDS.document));
  }
  const shows = { video: film, audio: sound, document: paper, image: picture };

  /** An uploaded file's address has no telling name: the sandbox, which serves it, is asked for its type. */
  async function asked() {
    if (!address.startsWith(`${location.origin}/`)) return missing("image");
    const answer = await fetch(address, { method: "HEAD" });
    const type = answer.ok ? (answer.headers.get("content-type") ?? "") : "";
    const found = KINDS.find(([, byType]) => byType.test(type))?.[0] ?? "image";
    if (found === "image") missing("image");
    else shows[found]();
  }
  shows[kind ?? "image"]();
  return box;
}
