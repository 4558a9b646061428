// The page of all phones: small phones side by side, or a list of them.

import { arrange, el, latest, unseen, write } from "./dom.js";
import { keys } from "./keys.js";
import { phone } from "./phone.js";
import { attempt, hush, shell, tell } from "./shell.js";
import { change, desks, handset, overview } from "./wire.js";
import { DESKS, e164, off, spaced, time } from "./words.js";

const list = document.getElementById("phones");
const filter = document.getElementById("filter");
const fault = document.getElementById("number-fault");
const slots = new Map();
const refresh = latest(fetchAndShow);
let lost = false;

// A small phone is fetched when it comes into view, so that a thousand numbers cost no more than a screenful.
const sight = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) slots.get(entry.target.dataset.number)?.wake();
}, { rootMargin: "240px" });

function slot(number) {
  const name = el("a", { href: `/handsets/${encodeURIComponent(number)}` }, "");
  const line = el("span", { class: "slot-number" }, spaced(number));
  const unread = el("span", { class: "unread" });
  const badges = el("ul", { class: "badges", "aria-label": "Switches that differ" });
  const last = el("p", { class: "last" });
  const place = el("div", { class: "slot-phone", "data-number": number });
  const node = el("li", { class: "slot" },
    el("div", { class: "slot-head" }, el("h2", {}, name), unread, el("div", { class: "slot-line" }, line, badges), last), place);
  let device = null;
  const load = latest(async () => {
    try {
      device.show(await handset(number));
    } catch (trouble) {
      tell(trouble.message);
    }
  });

  function wake() {
    if (device !== null) return;
    device = phone(number, { glance: true, done: load });
    place.replaceChildren(device.element);
    load();
  }
  function show(state) {
    write(name, state.name || spaced(number));
    line.hidden = !state.name;
    unread.replaceChildren(...(state.unread > 0 ? [String(state.unread), unseen(" unread")] : []));
    const differs = [...off(state), !state.reads && "Reads off", state.muted && "Muted"];
    arrange(badges, differs.filter(Boolean).map((word) => el("li", {}, word)));
    badges.hidden = badges.childElementCount === 0;
    last.replaceChildren(...(state.last ? [el("span", { dir: "auto" }, `${state.last.out ? "You: " : ""}${state.last.text}`), time(state.last.at)] : ["No message yet"]));
    node.dataset.words = `${state.name ?? ""} ${number} ${spaced(number)}`.toLowerCase();
  }
  sight.observe(place);
  return { node, name, show, wake, load: () => device !== null && load() };
}

async function fetchAndShow() {
  try {
    const { handsets } = await overview();
    if (lost) hush();
    lost = false;
    // Newest first when the page opens; later arrivals join at the end, so that no phone moves under a finger.
    if (slots.size === 0) handsets.sort((one, other) => (other.last?.at ?? 0) - (one.last?.at ?? 0));
    const current = new Set(handsets.map((state) => state.number));
    for (const number of slots.keys()) if (!current.has(number)) slots.delete(number);
    for (const state of handsets) {
      if (!slots.has(state.number)) slots.set(state.number, slot(state.number));
      slots.get(state.number).show(state);
    }
    arrange(list, [...slots.values()].map((made) => made.node));
    document.getElementById("empty").hidden = slots.size > 0;
    document.getElementById("list-tools").hidden = slots.size === 0;
    sift();
  } catch (trouble) {
    lost = true;
    tell(trouble.message);
  }
}

/** Where the agents are, as links. */
async function showDesks() {
  try {
    const known = await desks();
    const place = document.getElementById("desks");
    place.hidden = known.length === 0;
    place.replaceChildren("Desks: ", ...known.flatMap((one, index) => [index > 0 && " · ",
      el("a", { href: `/desks/${encodeURIComponent(one.desk)}/${encodeURIComponent(one.id)}` }, `${one.name} at ${DESKS[one.desk] ?? one.desk}`)]).filter(Boolean));
  } catch (trouble) {
    tell(trouble.message);
  }
}

function sift() {
  const wanted = filter.value.trim().toLowerCase();
  let shown = 0;
  for (const { node } of slots.values()) {
    node.hidden = !node.dataset.words.includes(wanted);
    if (!node.hidden) shown += 1;
  }
  const all = `${slots.size} ${slots.size === 1 ? "phone" : "phones"}`;
  write(document.getElementById("count"), wanted === "" ? all : `${shown} of ${all}`);
}

// A small screen has room for one phone: there the list leads to the page of each.
const narrow = matchMedia("(max-width: 700px)");

function view(chosen) {
  const name = narrow.matches ? "list" : chosen;
  list.classList.toggle("as-list", name === "list");
  for (const button of document.querySelectorAll("[data-view]")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === name));
  }
}

document.getElementById("open").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = event.target.elements.number;
  const number = e164(field.value);
  fault.textContent = number === null ? "Write the number with + and the country code, 7 to 15 digits: +17703101414." : "";
  field.setAttribute("aria-invalid", String(number === null));
  if (number === null || !(await attempt(() => change(number, {})))) return field.focus();
  field.value = "";
  await refresh();
  slots.get(number)?.name.focus();
});
for (const button of document.querySelectorAll("[data-view]")) {
  button.addEventListener("click", () => {
    const address = new URL(location.href);
    if (button.dataset.view === "list") address.searchParams.set("view", "list");
    else address.searchParams.delete("view");
    history.replaceState(null, "", address);
    view(button.dataset.view);
  });
}
filter.addEventListener("input", sift);
const viewOfAddress = () => view(new URLSearchParams(location.search).get("view") ?? "phones");
narrow.addEventListener("change", viewOfAddress);
viewOfAddress();
document.querySelector(".choice").before(keys(filter, () => [...slots.values()].map((made) => made.name)));
shell((changed) => {
  refresh();
  for (const [number, made] of slots) if (changed === null || changed === number) made.load();
  if (changed === null) showDesks();
});
refresh();
