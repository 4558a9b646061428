// Cards side by side: swiped with a finger, moved with the arrow keys or with the two buttons.

import { calm, el, icon, write } from "./dom.js";

/** `cards`: elements in order; `width`: small or medium, as RCS has them (120 and 232 units wide). */
export function carousel(cards, width) {
  const items = cards.map((card, index) =>
    el("li", { class: "carousel-item", "aria-label": `Card ${index + 1} of ${cards.length}` }, card));
  const track = el("ul", { class: "carousel-track", tabindex: "0", "aria-label": `${cards.length} cards, arrow keys move` }, items);
  const place = el("span", { class: "carousel-place" }, `1 of ${cards.length}`);
  const back = el("button", { type: "button", class: "round", "aria-label": "Previous card", onclick: () => move(-1) }, icon("back"));
  const next = el("button", { type: "button", class: "round", "aria-label": "Next card", onclick: () => move(1) }, icon("next"));
  // Where a started movement will end; until it has ended, the next key counts from there.
  let target = null;

  function current() {
    if (target !== null) return target;
    if (track.scrollWidth > track.clientWidth && track.scrollLeft + track.clientWidth >= track.scrollWidth - 2) return items.length - 1;
    const distances = items.map((item) => Math.abs(item.offsetLeft - track.offsetLeft - track.scrollLeft));
    return distances.indexOf(Math.min(...distances));
  }
  function move(step) {
    show(Math.max(0, Math.min(items.length - 1, current() + step)));
  }
  function show(index) {
    target = index;
    track.scrollTo({ left: items[index].offsetLeft - items[0].offsetLeft, behavior: calm() ? "auto" : "smooth" });
    name();
  }
  function name() {
    const index = current();
    write(place, `${index + 1} of ${items.length}`);
    back.setAttribute("aria-disabled", String(index === 0));
    next.setAttribute("aria-disabled", String(index === items.length - 1));
  }
  const keys = { ArrowLeft: () => move(-1), ArrowRight: () => move(1), Home: () => show(0), End: () => show(items.length - 1) };
  track.addEventListener("keydown", (event) => {
    const deed = event.target === track ? keys[event.key] : undefined;
    if (deed === undefined) return;
    event.preventDefault();
    deed();
  });
  for (const touch of ["pointerdown", "wheel"]) track.addEventListener(touch, () => (target = null), { passive: true });
  track.addEventListener("scroll", name, { passive: true });
  // Which card stands where is known once the carousel has its size, not while it is made.
  new ResizeObserver(name).observe(track);
  return el("div", { class: `carousel ${width}`, role: "group", "aria-roledescription": "carousel", "aria-label": `${cards.length} cards` },
    track, el("div", { class: "carousel-tools" }, back, place, next));
}
