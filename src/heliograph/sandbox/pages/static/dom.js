// Builds elements. Text goes in as text nodes only, so that what a sender or a person writes never becomes markup.

const SVG = "http://www.w3.org/2000/svg";

// Drawn on a 24-unit grid with a stroke of 2.
const ICONS = {
  open_url: "M14 4h6v6M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5",
  dial: "M6 3h3l2 5-2.5 1.5a11 11 0 0 0 6 6L16 13l5 2v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3z",
  view_location: "M12 21s7-6.2 7-11a7 7 0 0 0-14 0c0 4.8 7 11 7 11zM12 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  calendar_event: "M4 6h16v14H4zM4 10h16M8 3v4M16 3v4",
  share_location: "M12 2v4M12 18v4M2 12h4M18 12h4M12 18a6 6 0 1 0 0-12 6 6 0 0 0 0 12z",
  sending: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  sent: "M5 12l5 5 9-10",
  delivered: "M2 12l5 5 9-10M12 16l1 1 9-10",
  read: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  verified: "M12 3l7 3v6c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6zM9 12l2 2 4-4",
  back: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  down: "M12 5v14M6 13l6 6 6-6",
  send: "M4 12l16-8-5 16-3-7zM12 13l8-9",
  reply: "M9 6l-6 6 6 6M3 12h11a6 6 0 0 1 6 6v1",
  add: "M12 5v14M5 12h14",
  attach: "M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7L9.2 17a1.7 1.7 0 0 1-2.4-2.4L14 7.5",
  close: "M6 6l12 12M18 6L6 18",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  video: "M4 5h16v14H4zM10 9l5 3-5 3z",
  audio: "M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM19 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  document: "M6 3h8l4 4v14H6zM14 3v4h4M9 13h6M9 17h6",
};

/** An element. Attributes whose value is false, null or undefined are left out; `on…` takes a listener. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A small drawing; always beside a word, hence hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export const unseen = (text) => el("span", { class: "unseen" }, text);

/** Changes a text without replacing its node: a live region speaks of new nodes only, and nothing is laid out anew. */
export function write(node, text) {
  if (node.firstChild === null) node.append(text);
  else if (node.firstChild.data !== text) node.firstChild.data = text;
}

/** Makes `parent` hold exactly `nodes`, in order, moving only what is out of place. */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

/**
 * One run at a time; calls that come meanwhile make one more run at the end, however many they are. The promise is kept
 * when a run that began after the call has ended.
 */
export function latest(run) {
  let again = false;
  let running = null;
  async function all() {
    try {
      while (again) {
        again = false;
        await run();
      }
    } finally {
      running = null;
    }
  }
  return function go() {
    again = true;
    running ??= all();
    return running;
  };
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
