// What every page of the console has: the theme switch, keys, rows that open, times that go on, copying, forms that say
// they are sent once. Pages work without it; it only makes them quicker.

const THEMES = ["system", "light", "dark"];
const root = document.documentElement;

function themes() {
  const now = () => root.dataset.theme ?? "system";
  const name = () => document.querySelectorAll("[data-theme-word]").forEach((word) => { word.textContent = now(); });
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.addEventListener("click", () => {
      const next = THEMES[(THEMES.indexOf(now()) + 1) % THEMES.length];
      if (next === "system") delete root.dataset.theme;
      else root.dataset.theme = next;
      if (root.dataset.storage !== "none") localStorage.setItem("theme", next);
      name();
    });
  }
  name();
}

/** Says something to those who hear the page. */
export function say(words) {
  const place = document.getElementById("said");
  if (place) place.textContent = words;
}

// ── Times ──

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"]];

/** `12 s ago`, `in 3 min`; the same words as the server's. */
export function ago(then, now = Date.now()) {
  const seconds = Math.floor(Math.abs(now - then) / 1000);
  const unit = UNITS.find(([size]) => seconds >= 2 * size);
  const said = unit ? `${Math.floor(seconds / unit[0])} ${unit[1]}` : `${seconds} s`;
  return then > now ? `in ${said}` : `${said} ago`;
}

function keepTime() {
  for (const time of document.querySelectorAll("time[datetime] > .relative")) {
    const words = ago(Date.parse(time.parentElement.dateTime));
    if (time.textContent !== words) time.textContent = words;
  }
}

// ── Keys. Single keys disturb speech control, so they can be put off (WCAG 2.1.4) ──

const off = () => { try { return localStorage.getItem("keys") === "off"; } catch { return false; } };
const writing = (node) => node.closest("input, textarea, select, dialog[open], [contenteditable]") !== null;
const deeds = new Map();

/** A page's own single key: `key("e", () => …)`. */
export function key(letter, deed) {
  deeds.set(letter, deed);
}

const OPENS = "a[data-open]";

/** Of each row what opens it, or else the first thing in it that can be used. */
function rows() {
  return [...document.querySelectorAll("[data-row]")]
    .map((row) => row.querySelector(OPENS) ?? row.querySelector("button, a[href]"))
    .filter((link) => link?.checkVisibility());
}

function move(step) {
  const all = rows();
  const now = all.findIndex((link) => link.closest("[data-row]").contains(document.activeElement));
  const next = all[now < 0 ? 0 : Math.max(0, Math.min(all.length - 1, now + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function keys() {
  const help = document.getElementById("keys");
  if (!help) return;
  let going = 0;
  deeds.set("/", () => (document.querySelector("[data-search]") ?? document.querySelector("main input:not([type=hidden])"))?.focus());
  deeds.set("j", () => move(1));
  deeds.set("k", () => move(-1));
  deeds.set("?", () => help.showModal());
  deeds.set("g", () => { going = Date.now(); });
  for (const button of document.querySelectorAll("[data-keys]")) button.addEventListener("click", () => help.showModal());
  const toggle = help.querySelector("[data-keys-switch]");
  const show = () => {
    toggle.setAttribute("aria-checked", String(!off()));
    toggle.querySelector(".switch-word").textContent = off() ? "Off" : "On";
  };
  toggle.addEventListener("click", () => {
    if (root.dataset.storage !== "none") localStorage.setItem("keys", off() ? "on" : "off");
    show();
  });
  show();
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelector(".me[open]")?.removeAttribute("open");
    if (off() || writing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const went = going && Date.now() - going < 1500 && document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    going = 0;
    const deed = went ? () => went.click() : deeds.get(event.key);
    if (!deed) return;
    event.preventDefault();
    deed(event);
  });
}

// ── Rows, copies, forms ──

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const from = document.getElementById(copy.dataset.copy);
    await navigator.clipboard.writeText(from.dataset.whole ?? from.textContent);
    say("Copied");
    const label = copy.textContent;
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = label; }, 1500);
    return;
  }
  const row = event.target.closest("[data-row]");
  if (row && !event.target.closest("a, button, input, select, textarea, summary, label, time") && !String(getSelection())) {
    row.querySelector(OPENS)?.click();
  }
  const menu = document.querySelector(".me[open]");
  if (menu && !menu.contains(event.target)) menu.removeAttribute("open");
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return; // a page's own script sends it
  if (form.method === "get") {
    // Addresses that are sent to a colleague name what was asked for, and nothing else.
    for (const field of form.elements) if (field.name && field.value === "") field.disabled = true;
    setTimeout(() => { for (const field of form.elements) field.disabled = false; });
    return;
  }
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; }));

themes();
keys();
keepTime();
setInterval(keepTime, 5000);
