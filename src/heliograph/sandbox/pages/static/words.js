// Numbers, times and short descriptions as people read them.

import { el, write } from "./dom.js";

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const EXACT = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long" });
const STEPS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

export const CHANNELS = { rcs: "RCS", wa: "WA", sms: "SMS" };
export const DESKS = { liveperson: "LivePerson", chatwoot: "Chatwoot" };
export const STATES = { sending: "Sending", sent: "Sent", delivered: "Delivered", read: "Read" };

/** What keeps messages from a phone: the switches that are off, by the badge's words. */
export function off(handset) {
  return [!handset.has_rcs && "No RCS", !handset.has_wa && "No WhatsApp", !handset.has_sms && "No SMS",
    !handset.online && "Offline", !handset.signal && "No signal"].filter(Boolean);
}

/** What keeps messages from one conversation (`key`, `channel`) of a phone; with none open, from any. */
export function troubles(handset, { key, channel }) {
  const on = (name) => channel === null || channel === name;
  const waiting = handset.waiting > 0 && `${handset.waiting} ${handset.waiting === 1 ? "message waits" : "messages wait"}`;
  return [on("rcs") && !handset.has_rcs && "RCS is off", on("wa") && !handset.has_wa && "WhatsApp is off",
    on("sms") && !handset.has_sms && "SMS is off", channel !== "sms" && !handset.online && "Offline",
    on("sms") && !handset.signal && "No signal", handset.stopped.includes(key) && "Opted out at the provider", waiting].filter(Boolean);
}

/** Country codes of one and of two digits (E.164's list); all others have three. */
const COUNTRY = /^\+(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3})(\d+)$/;

/** +17703101414 → +1 770 310 1414: the country's code, then groups of three and at the end three or four. */
export function spaced(number) {
  const parts = COUNTRY.exec(number);
  return parts === null ? number : `+${parts[1]} ${parts[2].replace(/\d{3}(?=\d{3})/g, "$& ")}`;
}

/** What a person typed, as E.164, or null. */
export function e164(typed) {
  const number = typed.trim().replace(/[\s().\u2010-\u2015-]/g, "").replace(/^00/, "+");
  return /^\+[1-9]\d{6,14}$/.test(number) ? number : null;
}

export function relative(at, now = Date.now()) {
  for (const [unit, length] of STEPS) {
    if (Math.abs(now - at) >= length) return RELATIVE.format(-Math.floor((now - at) / length), unit);
  }
  return "now";
}

export const exact = (at) => EXACT.format(at);

/** A relative time that gives its exact one on hover and on focus. */
export function time(at) {
  const node = el("time", { datetime: new Date(at).toISOString(), tabindex: "0", "data-at": at },
    el("span", { class: "relative" }, relative(at)), el("span", { class: "exact" }, ` ${exact(at)}`));
  return node;
}

/** Keeps every relative time on the page true. */
export function keepTime() {
  setInterval(() => {
    for (const node of document.querySelectorAll("time[data-at]")) {
      write(node.firstChild, relative(Number(node.dataset.at)));
    }
  }, 10_000);
}

export function day(at) {
  const days = Math.round((startOfDay(Date.now()) - startOfDay(at)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return DAY.format(at);
}

export const startOfDay = (at) => new Date(at).setHours(0, 0, 0, 0);

/** An RFC 3339 time in the reader's own zone; a time that cannot be read stays as it was written. */
export function moment(written) {
  const at = Date.parse(written);
  return Number.isNaN(at) ? written : exact(at);
}
