// The sheet that rises in a phone and says what a real one would do on the tap.

import { el, icon } from "./dom.js";

/** Kansas City's airport: any place will do, this one fits the example alert. */
const SOMEWHERE = { latitude: "39.2976", longitude: "-94.7139" };

let made = 0;

/** `place` is where the sheet goes; `share({latitude, longitude})` sends a location and tells whether it worked. */
export function sheets(place, share) {
  const title = `sheet-${(made += 1)}`;
  let opener = null;

  function close() {
    place.replaceChildren();
    if (opener?.isConnected) opener.focus();
    opener = null;
  }

  function coordinates() {
    const field = (name, label, limit) => el("label", {}, label,
      el("input", { name, type: "number", step: "any", min: -limit, max: limit, required: true, value: SOMEWHERE[name] }));
    const form = el("form", { class: "sheet-form" }, field("latitude", "Latitude", 90), field("longitude", "Longitude", 180),
      el("button", { class: "primary", type: "submit" }, "Share location"));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const values = new FormData(form);
      if (await share({ latitude: Number(values.get("latitude")), longitude: Number(values.get("longitude")) })) close();
    });
    return form;
  }

  /** `deed` as suggestion.js describes it; the focus returns to `from` when the sheet goes. */
  return function sheet({ title: name, rows, note, asksLocation, choices = [] }, from) {
    opener = from;
    const head = el("p", { class: "sheet-title", id: title }, name);
    const leave = el("button", { type: "button", class: "plain", "aria-label": "Close", onclick: close }, icon("close"));
    const body = el("div", { class: "sheet", role: "dialog", "aria-labelledby": head.id, tabindex: "-1" },
      el("div", { class: "sheet-head" }, head, leave),
      rows.length > 0 && el("dl", {}, rows.map(([key, value]) => [el("dt", {}, key), el("dd", { dir: "auto" }, String(value))])),
      note && el("p", { class: "quiet" }, note),
      choices.length > 0 && el("ul", { class: "choices" }, choices.map(([words, choose]) => el("li", {},
        el("button", { type: "button", dir: "auto", onclick: () => {
          close();
          choose();
        } }, words)))),
      asksLocation && coordinates());
    body.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
    });
    place.replaceChildren(body);
    body.focus();
  };
}
