// The answer box: drafts that are never lost, the channel's bounds while one writes, canned answers.

import { say } from "./app.js";
import * as talk from "./inbox_talk.js";
import { post } from "./inbox_wire.js";

const box = document.getElementById("box");
const name = `draft ${talk.id}`;
const text = () => document.getElementById("text");
let typing = 0;

function keep(words) {
  try {
    if (words) sessionStorage.setItem(name, words);
    else sessionStorage.removeItem(name);
  } catch { /* a browser that keeps nothing: the words are in the box as long as the page is */ }
}

const kept = () => { try { return sessionStorage.getItem(name) ?? ""; } catch { return ""; } };

export function trouble(sentence) {
  const place = document.getElementById("trouble");
  place.replaceChildren();
  if (!sentence) return;
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.textContent = sentence;
  place.append(notice);
}

/** How the words would go out: characters, and for SMS the alphabet and the parts (3GPP TS 23.038, 23.040). */
export function measure(words, { alphabet, extended }) {
  let septets = 0;
  for (const char of words) {
    if (!alphabet.includes(char)) {
      const units = words.length;
      return { encoding: "UCS-2", units, parts: units <= 70 ? 1 : cut(words, 67, () => 2) };
    }
    septets += extended.includes(char) ? 2 : 1;
  }
  return { encoding: "GSM-7", units: septets, parts: septets <= 160 ? 1 : cut(words, 153, (char) => (extended.includes(char) ? 2 : 1)) };
}

/** Parts of at most `room` units; what counts as two stands in one part. */
function cut(words, room, size) {
  let parts = 1;
  let used = 0;
  for (const char of words) {
    const units = room === 67 ? char.length : size(char);
    if (used + units > room) {
      parts += 1;
      used = 0;
    }
    used += units;
  }
  return parts;
}

function count() {
  const form = document.getElementById("answer");
  const place = document.getElementById("counted");
  if (!form || !place) return;
  const words = text().value.trim();
  const length = [...words].length;
  const longest = Number(form.dataset.longest);
  let said = words ? `${length.toLocaleString("en")} character${length === 1 ? "" : "s"}` : "";
  if (words && form.dataset.channel === "sms") {
    const size = measure(words, form.dataset);
    said += `, ${size.parts} part${size.parts === 1 ? "" : "s"} (${size.encoding})`;
  }
  if (length > longest) said += `: ${(length - longest).toLocaleString("en")} too many`;
  place.textContent = said;
  place.classList.toggle("over", length > longest);
}

function types() {
  if (Date.now() - typing < 5000 || !text().value) return;
  typing = Date.now();
  post(`${talk.address}/typing`, {}).catch(() => { /* a courtesy: nothing waits for it */ });
}

/** Puts a canned answer where the caret is. */
function insert(words) {
  const field = text();
  const slash = field.value === "/";
  field.focus();
  if (slash) field.value = "";
  field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  document.getElementById("canned").open = false;
}

export function canned() {
  const list = document.getElementById("canned");
  if (!list) return text()?.focus();
  list.open = true;
  list.querySelector("button")?.focus();
}

export const reply = () => (text() ?? box.querySelector("button, summary"))?.focus();

/** Another box where what may be answered changed. The draft is in the store of the tab, and comes back with it. */
export function replace(html, kind, force = false) {
  if (box.dataset.kind === kind && !force) return;
  const had = box.contains(document.activeElement);
  const caret = text()?.selectionStart;
  box.innerHTML = html;
  box.dataset.kind = kind;
  begin();
  if (!had) return;
  reply();
  if (caret !== undefined && text()) text().setSelectionRange(caret, caret);
}

function begin() {
  const field = text();
  if (!field) return;
  if (!field.value && kept()) field.value = kept();
  count();
}

/** The words are out of the box for good. */
export function sent() {
  keep("");
  if (text()) text().value = "";
  count();
  say("Sent");
}

function moves(event) {
  const all = [...document.querySelectorAll(".canned-one")];
  const now = all.indexOf(document.activeElement);
  if (now < 0) return;
  if (event.key === "Escape") {
    document.getElementById("canned").open = false;
    text().focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    all[Math.max(0, Math.min(all.length - 1, now + (event.key === "ArrowDown" ? 1 : -1)))].focus();
  } else return;
  event.preventDefault();
}

if (box) {
  box.addEventListener("input", (event) => {
    if (event.target !== text()) return;
    keep(text().value);
    count();
    if (text().value === "/") canned();
    else types();
  });
  box.addEventListener("click", (event) => {
    const one = event.target.closest(".canned-one");
    if (one) insert(one.dataset.text);
  });
  box.addEventListener("keydown", (event) => {
    moves(event);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target === text()) {
      event.preventDefault();
      event.target.form.requestSubmit();
    } else if (event.key === "Escape" && event.target === text()) text().blur();
  });
  begin();
}
