// What the pages share: the theme button, the live light with its pause, and the notice for what went wrong.

import { el, icon, write } from "./dom.js";
import { listen } from "./wire.js";
import { keepTime } from "./words.js";

const THEMES = ["system", "light", "dark"];
const LIVE = { live: "Live", away: "Reconnecting", paused: "Paused" };

function themeButton() {
  const root = document.documentElement;
  const label = el("span", { class: "capital" }, "");
  const button = el("button", { type: "button", class: "plain", onclick: turn }, el("span", { class: "wide" }, "Theme: "), label);
  const now = () => root.dataset.theme ?? "system";

  function turn() {
    const next = THEMES[(THEMES.indexOf(now()) + 1) % THEMES.length];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    if (root.dataset.storage !== "none") localStorage.setItem("theme", next);
    name();
  }
  function name() {
    write(label, now());
  }
  name();
  return button;
}

/** Puts up the tools in the head of the page and starts to listen. `changed`, `desk` as in wire.listen. */
export function shell(changed, desk) {
  const word = el("span", { role: "status" }, "Connecting");
  const light = el("span", { class: "light", "data-state": "away" }, word);
  const button = el("button", { type: "button", class: "plain", onclick: turn }, "Pause");
  const line = listen({ changed, desk, state });

  function state(name) {
    light.dataset.state = name;
    write(word, LIVE[name]);
    write(button, name === "paused" ? "Resume" : "Pause");
  }
  function turn() {
    if (light.dataset.state === "paused") line.resume();
    else line.pause();
  }
  document.getElementById("tools").append(light, button, themeButton());
  keepTime();
}

/** Says what went wrong until it is dismissed or the next thing works. */
export function tell(sentence) {
  const place = document.getElementById("notice");
  place.replaceChildren(el("div", { class: "notice" }, el("p", {}, sentence),
    el("button", { type: "button", class: "plain", "aria-label": "Dismiss", onclick: hush }, icon("close"))));
}

export function hush() {
  document.getElementById("notice").replaceChildren();
}

/** Runs what a person asked for and says so if it does not work. Returns whether it worked. */
export async function attempt(deed) {
  try {
    await deed();
    hush();
    return true;
  } catch (trouble) {
    tell(trouble.message);
    return false;
  }
}
