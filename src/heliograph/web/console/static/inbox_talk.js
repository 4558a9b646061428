// The conversation that is open: turns come and change, the head follows, the focus stays where it was.

import { say } from "./app.js";
import { elements, read } from "./inbox_wire.js";

const root = document.getElementById("inbox");
export const id = root.dataset.id ?? "";
export const address = id ? `/console/inbox/${root.dataset.site}/${id}` : "";
const turns = document.getElementById("turns");
const scroll = document.getElementById("scroll");
const newest = document.querySelector("[data-newest]");
const typing = document.getElementById("typing");
let typed = 0;

export const last = () => Number(turns.lastElementChild?.dataset.number ?? 0);
const below = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
export const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; newest.hidden = true; };

/**
 * Puts turns where they belong; one that is there already is replaced where it changed. `touched`: as of when they were
 * read, since what was read earlier may arrive later. True where one came.
 */
export function put(found, touched) {
  const atEnd = below();
  let came = false;
  for (const one of found) {
    const old = document.getElementById(`t-${one.number}`);
    const [made] = elements(one.html);
    made.dataset.touched = touched;
    if (old) {
      if (Number(old.dataset.touched ?? 0) <= touched && old.innerHTML !== made.innerHTML && !old.contains(document.activeElement)) old.replaceWith(made);
      continue;
    }
    const later = [...turns.children].find((turn) => Number(turn.dataset.number) > one.number);
    turns.insertBefore(made, later ?? null);
    came = true;
    if (one.by === "recipient") typing.hidden = true;
  }
  if (came && atEnd) toEnd();
  else if (came && found.some((one) => one.by === "recipient")) newest.hidden = false;
  return came;
}

export function types() {
  const atEnd = below();
  typing.hidden = false;
  clearTimeout(typed);
  typed = setTimeout(() => { typing.hidden = true; }, 8000);
  if (atEnd) toEnd();
}

/** Replaces the head and keeps the focus on the control that had it, or on what stands in its place. */
export function head(html) {
  const old = document.getElementById("head");
  const focus = old.contains(document.activeElement) ? (document.activeElement.dataset.focus ?? "any") : "";
  const shown = document.querySelector("[data-number][data-whole]")?.textContent;
  const chosen = old.querySelector("select")?.value;
  const [made] = elements(html);
  old.replaceWith(made);
  if (chosen && made.querySelector("select")) made.querySelector("select").value = chosen;
  if (shown) whole(shown);
  if (focus) {
    const same = made.querySelector(`[data-focus="${focus}"]`) ?? made.querySelector(".talk-acts button");
    if (same) same.focus();
    else document.getElementById("scroll").focus();
  }
}

export function whole(number) {
  for (const place of document.querySelectorAll("[data-number]")) {
    if (place.closest(".turn")) continue;
    place.textContent = number;
    place.dataset.whole = "";
  }
  document.querySelector('form[data-act="number"]')?.remove();
}

/** Reads what a page that is open replaces. */
export async function fresh() {
  return read(`${address}?part=fresh&after=${last()}`);
}

export const tell = (one) => say(`New reply from ${one.who}: ${one.words}`);

if (turns) {
  newest.addEventListener("click", () => { toEnd(); scroll.focus(); });
  scroll.addEventListener("scroll", () => { if (below()) newest.hidden = true; }, { passive: true });
  toEnd();
}
