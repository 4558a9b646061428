// Which addresses may be followed or loaded, and links inside a text.

import { el } from "./dom.js";

const LINK = /\b(?:https?:\/\/|tel:\+?\d)[^\s<>"']*/gi;
const TRAILING = /[.,;:!?)\]}]+$/;

/** The address if it is http or https (relative ones are the sandbox's own media), else null. */
export function web(address) {
  try {
    const url = new URL(address, location.href);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/** As `web`, and pictures that lie in the address itself. */
export const loadable = (address) => (/^data:(image|video|audio)\//i.test(address) ? address : web(address));

/** A link that leaves the sandbox: a new tab that cannot reach back and is not told where it came from. */
export function link(href, attributes, ...children) {
  return el("a", { href, target: "_blank", rel: "noopener noreferrer", ...attributes }, ...children);
}

/** A text as nodes: http, https and tel addresses become links, all else stays text. */
export function linked(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(LINK)) {
    const found = match[0].replace(TRAILING, "");
    const href = found.toLowerCase().startsWith("tel:") ? found : web(found);
    if (href === null) continue;
    nodes.push(text.slice(done, match.index));
    nodes.push(href.startsWith("http") ? link(href, {}, found) : el("a", { href }, found));
    done = match.index + found.length;
  }
  nodes.push(text.slice(done));
  return nodes.filter((node) => node !== "");
}
