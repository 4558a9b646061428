// The page of one phone.

import { latest, write } from "./dom.js";
import { phone } from "./phone.js";
import { hush, shell, tell } from "./shell.js";
import { strip } from "./strip.js";
import { handset } from "./wire.js";
import { spaced } from "./words.js";

const written = decodeURIComponent(location.pathname.split("/").pop());
const number = written.startsWith("+") ? written : `+${written}`;
const title = document.getElementById("title");
const subtitle = document.getElementById("subtitle");
const place = document.getElementById("phone");
const refresh = latest(fetchAndShow);
const device = phone(number, { done: refresh });
const switches = strip(number, refresh, device.to);
let lost = false;

async function fetchAndShow() {
  try {
    const state = await handset(number);
    if (lost) hush();
    lost = false;
    write(title, state.name || spaced(number));
    write(subtitle, spaced(number));
    subtitle.hidden = !state.name;
    document.title = `${state.name || spaced(number)} · heliograph sandbox`;
    if (!device.element.isConnected) {
      place.replaceChildren(device.element);
      document.getElementById("strip").replaceChildren(switches.element);
    }
    switches.show(state);
    device.show(state);
  } catch (trouble) {
    lost = true;
    tell(trouble.message);
  }
}

write(title, spaced(number));
shell((changed) => {
  if (changed === null || changed === number) refresh();
});
refresh();
