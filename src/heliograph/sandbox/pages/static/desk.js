// The page of one account at a desk: who wrote, what was said, what the brand told, and an agent's answer.

import { talk } from "./case.js";
import { arrange, el, latest, unseen, write } from "./dom.js";
import { hush, shell, tell } from "./shell.js";
import { account } from "./wire.js";
import { DESKS, exact, relative } from "./words.js";

const [, , desk, id] = location.pathname.split("/").map(decodeURIComponent);
const called = DESKS[desk] ?? desk;
const byId = (name) => document.getElementById(name);
const refresh = latest(fetchAndShow);
const rows = new Map();
const agent = () => byId("agent").value.trim() || "Agent";
const conversation = talk(byId("case"), { desk, id, agent, done: refresh });
let known = null;
let lost = false;

const wanted = () => new URLSearchParams(location.search).get("conversation");

/** A relative time inside a link, where nothing else can take the focus. */
const moment = (at) => el("time", { datetime: new Date(at).toISOString(), title: exact(at), "data-at": at }, el("span", {}, relative(at)));

function row(key) {
  const who = el("span", { dir: "auto" });
  const when = el("span", { class: "case-under" });
  const last = el("span", { class: "case-last", dir: "auto" });
  const under = el("span", { class: "case-under" });
  const link = el("a", { href: `?conversation=${encodeURIComponent(key)}`, onclick: (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    show();
  } }, el("span", { class: "case-top" }, who, when), last, under);
  const node = el("li", {}, link);
  function set(one, chosen) {
    const line = one.lines.at(-1);
    write(who, one.customer || "Somebody");
    when.replaceChildren(...(line ? [moment(line.at)] : []));
    write(last, line?.text ?? "Nothing was said yet");
    write(under, [one.open ? "Open" : "Closed", one.skill, one.agent].filter(Boolean).join(" · "));
    link.setAttribute("aria-current", String(chosen));
  }
  return { node, set };
}

function facts(one) {
  byId("facts").replaceChildren(...Object.entries(one.facts).flatMap(([label, value]) => [
    el("dt", {}, label), el("dd", { dir: "auto" }, value)]));
  if (Object.keys(one.facts).length === 0) byId("facts").append(el("dd", { class: "quiet" }, "Nothing was passed along."));
}

function show() {
  const all = known.conversations;
  byId("empty").hidden = all.length > 0;
  byId("columns").hidden = all.length === 0;
  const chosen = all.find((one) => one.id === wanted()) ?? all[0];
  for (const key of rows.keys()) if (!all.some((one) => one.id === key)) rows.delete(key);
  for (const one of all) {
    if (!rows.has(one.id)) rows.set(one.id, row(one.id));
    rows.get(one.id).set(one, one === chosen);
  }
  arrange(byId("cases"), all.map((one) => rows.get(one.id).node));
  if (chosen === undefined) return;
  conversation(chosen, Object.keys(known.skills));
  facts(chosen);
}

async function fetchAndShow() {
  try {
    known = await account(desk, id);
    if (lost) hush();
    lost = false;
    write(byId("title"), known.name === known.id ? `${called} ${id}` : known.name);
    byId("lead").replaceChildren(`A stand-in for ${called}, as the agents of account ${id} see it.`, unseen(" It is no page of theirs."));
    document.title = `${known.name} at ${called} · heliograph sandbox`;
    show();
  } catch (trouble) {
    lost = true;
    tell(trouble.message);
  }
}

addEventListener("popstate", () => known !== null && show());
shell(() => {}, (changed) => {
  if (changed === null || changed === `${desk}/${id}`) refresh();
});
refresh();
