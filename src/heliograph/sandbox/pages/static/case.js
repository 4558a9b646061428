// One conversation at a desk: its lines, the answer box, and what else an agent can do with it.

import { el, unseen, write } from "./dom.js";
import { attempt } from "./shell.js";
import { deed } from "./wire.js";
import { time } from "./words.js";

/** A typing notice at most this often (ms). */
const TYPING = 5_000;
/** This near the end (pixels) a reader follows the conversation. */
const FOLLOWING = 96;

const BY = { recipient: "Customer", agent: "Agent", system: "Desk" };

function line(one) {
  if (one.by === "system") return el("p", { class: "happened", dir: "auto" }, one.text, " ", time(one.at));
  const own = one.by === "agent";
  return el("article", { class: `message ${own ? "own" : "theirs"}` }, unseen(`${one.author || BY[one.by]}: `),
    el("div", { class: "bubble", dir: "auto" }, one.text),
    el("div", { class: "meta" }, own && el("span", { "aria-hidden": "true" }, one.author), time(one.at)));
}

/** `place` is filled; the answer is a function that shows a conversation and the skills that it can go to. */
export function talk(place, { desk, id, agent, done }) {
  const title = el("h2", { id: "case-title" }, "Conversation");
  const under = el("p", { class: "quiet" }, "");
  const to = el("select", { "aria-label": "Skill to transfer it to" });
  const transfer = el("button", { type: "button", onclick: () => act({ do: "transfer", to: to.value }) }, "Transfer");
  const take = el("button", { type: "button", onclick: () => act({ do: "take" }) }, "Take it");
  const close = el("button", { type: "button", onclick: () => act({ do: "close" }) }, "Close conversation");
  const lines = el("div", { class: "lines", role: "log", tabindex: "0", "aria-label": "What was said" });
  const field = el("textarea", { rows: "2", placeholder: "Answer", "aria-label": "Answer" });
  const form = el("form", { class: "composer" }, field, el("button", { type: "submit", class: "primary" }, "Send"));
  const ended = el("p", { class: "ended", hidden: true }, "This conversation is closed. What the customer says next opens another.");
  place.append(el("div", { class: "case-head" }, el("div", {}, title, under), el("div", { class: "case-tools" }, to, transfer, take, close)),
    lines, form, ended);
  let current = null;
  let drawn = 0;
  let typed = 0;
  let read = "";

  async function act(body) {
    const worked = await attempt(() => deed(desk, id, { ...body, conversation: current.id, agent: agent() }));
    if (worked) done();
    return worked;
  }
  /** A courtesy that nobody asked for: a desk that has no such thing says no, and nobody is told. */
  function courtesy(what) {
    deed(desk, id, { do: what, conversation: current.id, agent: agent() }).then(done, done);
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (text === "") return field.focus();
    field.value = "";
    typed = 0;
    if (!(await act({ do: "say", text }))) field.value ||= text;
    field.focus();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  field.addEventListener("input", () => {
    if (field.value === "" || Date.now() - typed < TYPING) return;
    typed = Date.now();
    courtesy("type");
  });

  /** What the customer said last counts as read once somebody sees it. */
  function look() {
    const last = current?.lines.findLastIndex((one) => one.by === "recipient");
    if (!current?.open || last < 0 || document.visibilityState !== "visible" || read === `${current.id}/${last}`) return;
    read = `${current.id}/${last}`;
    courtesy("read");
  }
  document.addEventListener("visibilitychange", look);

  return function show(next, skills) {
    if (current?.id !== next.id) {
      drawn = 0;
      lines.replaceChildren();
    }
    const following = drawn === 0 || lines.scrollHeight - lines.scrollTop - lines.clientHeight < FOLLOWING;
    current = next;
    lines.append(...next.lines.slice(drawn).map(line));
    drawn = next.lines.length;
    if (following) lines.scrollTop = lines.scrollHeight;
    write(title, next.customer || "Somebody");
    write(under, [next.open ? "Open" : "Closed", next.skill, next.agent && `taken by ${next.agent}`].filter(Boolean).join(" · "));
    const others = skills.filter((skill) => skill !== next.skill);
    if (to.dataset.skills !== others.join("\n")) to.replaceChildren(...others.map((skill) => el("option", { value: skill }, skill)));
    to.dataset.skills = others.join("\n");
    to.hidden = transfer.hidden = !next.open || others.length === 0;
    take.hidden = !next.open || next.agent !== "";
    close.hidden = form.hidden = !next.open;
    ended.hidden = next.open;
    look();
  };
}
