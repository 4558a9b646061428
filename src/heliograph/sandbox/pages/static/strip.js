// The strip beside a phone: its switches, its name, its subscription, and what else it can send.

import { el, write } from "./dom.js";
import { attempt } from "./shell.js";
import { act, change } from "./wire.js";
import { off } from "./words.js";

const SWITCHES = [
  ["has_rcs", "Has RCS", "Off: the provider answers that the number cannot be reached."],
  ["has_wa", "Has WhatsApp", "Off: messages are taken, then told as failed."],
  ["has_sms", "Has SMS", "Off: a landline."],
  ["online", "Online", "Off: RCS and WhatsApp wait at the provider."],
  ["signal", "Signal", "Off: SMS waits at the provider."],
  ["reads", "Reads", "Off: nobody looks, no read receipt leaves."],
  ["muted", "Muted", "On: nobody looks until the phone is opened."],
];

function toggle(number, [field, label, hint], done) {
  const id = `switch-${field}`;
  const word = el("span", { class: "switch-word", "aria-hidden": "true" }, "");
  const button = el("button", { type: "button", role: "switch", class: "switch", "aria-checked": "false", "aria-labelledby": id,
    "aria-describedby": `${id}-hint` }, el("span", { class: "switch-knob" }), word);
  button.addEventListener("click", async () => {
    const wanted = button.getAttribute("aria-checked") !== "true";
    set(wanted);
    if (await attempt(() => change(number, { [field]: wanted }))) done();
    else set(!wanted);
  });
  function set(on) {
    button.setAttribute("aria-checked", String(on));
    write(word, on ? "On" : "Off");
  }
  const row = el("div", { class: "switch-row" },
    el("div", {}, el("span", { id, class: "switch-label" }, label), el("p", { id: `${id}-hint`, class: "quiet" }, hint)), button);
  return { field, row, set };
}

function nameForm(number, done) {
  const input = el("input", { id: "name", name: "name", autocomplete: "off", maxlength: "80" });
  const form = el("form", {}, el("label", { for: "name" }, "Name"),
    el("div", { class: "joined" }, input, el("button", { type: "submit" }, "Save")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await attempt(() => change(number, { name: input.value.trim() }))) done();
  });
  return { form, set: (name) => document.activeElement !== input && (input.value = name ?? "") };
}

function fileForm(number, done, to) {
  const input = (id, label, type, value) => el("div", {}, el("label", { for: id }, label),
    el("input", { id, name: id.replace("file-", ""), type, value, required: true, autocomplete: "off" }));
  const form = el("form", { class: "stack" }, input("file-url", "Address of the file", "url", ""),
    input("file-content_type", "Type", "text", "image/jpeg"), input("file-name", "Name", "text", "photo.jpg"),
    el("button", { type: "submit" }, "Send file"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await attempt(() => act(number, "file", { ...Object.fromEntries(new FormData(form)), ...to() }))) {
      form.reset();
      done();
    }
  });
  return el("details", {}, el("summary", {}, "Send a file by its address"), form);
}

/** The strip of one phone: `element`, and `show(handset)` after each change. `done()` asks for the newest state, `to()`
 * names the sender of the open conversation. */
export function strip(number, done, to) {
  const rows = SWITCHES.map((row) => toggle(number, row, done));
  const name = nameForm(number, done);
  const summary = el("span", { class: "quiet" }, "");
  const body = el("div", { class: "strip-body", id: "strip-body" }, el("div", { class: "switches" }, rows.map((made) => made.row)), name.form,
    el("div", { class: "subscription" },
      el("p", { class: "switch-label" }, "Subscription"),
      el("p", { class: "quiet" }, "Tells the sender of the open conversation, as the phone's own menu does."),
      el("div", { class: "joined apart" }, ...["unsubscribe", "subscribe"].map((verb) =>
        el("button", { type: "button", onclick: async () => (await attempt(() => act(number, verb, to()))) && done() },
          verb === "subscribe" ? "Subscribe again" : "Unsubscribe")))),
    fileForm(number, done, to));
  const opener = el("button", { type: "button", class: "strip-opener", "aria-expanded": "false", "aria-controls": "strip-body", onclick: () => {
    const open = opener.getAttribute("aria-expanded") !== "true";
    opener.setAttribute("aria-expanded", String(open));
    body.classList.toggle("open", open);
  } }, el("span", {}, "Switches"), summary);

  function show(handset) {
    for (const made of rows) made.set(handset[made.field]);
    name.set(handset.name);
    const words = [...off(handset), !handset.reads && "Reads off", handset.muted && "Muted"].filter(Boolean);
    write(summary, words.join(" · ") || "All on");
  }
  return { element: el("aside", { class: "strip", "aria-label": "Switches of this phone" }, opener, body), show };
}
