// The queue: rows come, change and go by themselves. The row that has the focus stays where it is.

import { elements, read } from "./inbox_wire.js";

const place = document.getElementById("rows");
const { me, id: current } = document.getElementById("inbox").dataset; // the conversation that is looked at, also where it was far down the list
const list = () => document.getElementById("conversations");
const row = (id) => document.getElementById(`c-${id}`);

/** Whether a conversation belongs into the part of the queue that is looked at. */
function fits(one) {
  const asked = place.dataset;
  return (one.state === "closed") === Boolean(asked.closed)
    && (!asked.skill || asked.skill === one.skill)
    && (!asked.site || asked.site === one.site)
    && (!asked.mine || one.agent === me)
    && (!asked.unclaimed || one.agent === "");
}

export function leave(id) {
  const gone = row(id);
  if (!gone) return;
  if (gone.contains(document.activeElement)) {
    (gone.nextElementSibling ?? gone.previousElementSibling)?.querySelector("a[data-open]")?.focus();
  }
  gone.remove();
}

export function change(one) {
  const old = row(one.id);
  if (!fits(one)) {
    // The one that is open stays in sight until another is chosen.
    if (old && one.id !== current) leave(one.id);
    if (!old) return;
  }
  const [made] = elements(one.row);
  const link = made.querySelector("a[data-open]");
  link.href += location.search.replace(/[?&](before|view|part)=[^&]*/g, "").replace(/^&/, "?");
  if (one.id === current) link.setAttribute("aria-current", "page");
  else if (one.said || old?.classList.contains("new")) made.classList.add("new");
  const focused = old?.contains(document.activeElement);
  if (old && (focused || !fits(one))) {
    old.replaceWith(made);
    if (focused) link.focus({ preventScroll: true });
  } else {
    old?.remove();
    const later = [...list().children].find((other) => Number(other.dataset.touched) <= Number(made.dataset.touched));
    list().insertBefore(made, later ?? null);
  }
  place.querySelector("[data-empty]")?.remove();
}

export function count(queue) {
  const found = document.querySelector(`[data-queue][data-site="${CSS.escape(queue.site)}"][data-skill="${CSS.escape(queue.skill)}"]`);
  if (!found) return;
  const words = (n) => (n >= 100 ? "100+" : String(n));
  found.querySelector("[data-open-count]").textContent = words(queue.open);
  found.querySelector("[data-unclaimed-count]").textContent = words(queue.unclaimed);
}

/** Reads the first page of the list anew: something was missed. */
export async function again() {
  const query = new URLSearchParams(location.search);
  query.delete("view");
  query.delete("before");
  query.set("part", "rows");
  const said = await read(`/console/inbox?${query}`);
  const focused = document.activeElement?.closest("#conversations [data-id]")?.dataset.id;
  place.replaceChildren(...elements(said.rows));
  if (current) row(current)?.querySelector("a[data-open]").setAttribute("aria-current", "page");
  if (focused) row(focused)?.querySelector("a[data-open]").focus({ preventScroll: true });
}
