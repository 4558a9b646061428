// The stream of what changes. A browser has six connections to one host (HTTP/1.1), and each stream takes one: of several
// tabs one listens and tells the others. When it is closed, another takes its place where it was.

const KINDS = ["turn", "typing", "gone", "queue", "missed"];

/**
 * Listens from `place` on, for the user `me`. `on(kind, data)` hears each event, `light(state, word)` how the line is.
 */
export function listen(place, me, { on, light }) {
  if (!navigator.locks || !window.BroadcastChannel) {  // no TLS, and no loopback address
    stream(() => place, { on: (kind, data) => on(kind, data), light });
    return;
  }
  let last = place;
  let shown = ["waiting", "connecting"];
  let leads = false;
  const tabs = new BroadcastChannel(`heliograph inbox ${me}`);
  const hear = (kind, data, id) => {
    if (id) last = id;
    on(kind, data);
  };
  const show = (...now) => {
    shown = now;
    light(...now);
  };
  tabs.addEventListener("message", ({ data: said }) => {
    if (said.hello) {
      if (leads) tabs.postMessage({ shown });
    } else if (said.shown) show(...said.shown);
    else hear(said.kind, said.data, said.id);
  });
  navigator.locks.request(`heliograph inbox ${me}`, { ifAvailable: true }, async (lock) => {
    if (!lock) {
      // Another tab listens already; what it heard between the making of this page and now is read once.
      tabs.postMessage({ hello: true });
      on("missed", {});
      navigator.locks.request(`heliograph inbox ${me}`, lead);
      return;
    }
    await lead();
  });

  function lead() {
    leads = true;
    let over;
    const until = new Promise((done) => { over = done; }); // the tab is closed, or the log-in is over
    stream(() => last, {
      on: (kind, data, id) => {
        hear(kind, data, id);
        tabs.postMessage({ kind, data, id });
        if (kind !== "ended") return;
        leads = false;
        over();
      },
      light: (...now) => {
        show(...now);
        tabs.postMessage({ shown: now });
      },
    });
    return until;
  }
}

/**
 * The browser comes back by itself with the id of the last event; where it gives up (an answer that is no stream) it is
 * tried again, slower each time.
 */
function stream(place, { on, light }) {
  let last = "";
  let wait = 1000;
  function open() {
    const source = new EventSource(`/console/live?after=${encodeURIComponent(last || place())}`);
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        if (event.lastEventId) last = event.lastEventId;
        on(kind, JSON.parse(event.data), event.lastEventId);
      });
    }
    source.addEventListener("open", () => {
      wait = 1000;
      light("live", "live");
    });
    source.addEventListener("ended", () => {
      source.close();
      light("waiting", "logged out");
      on("ended", {});
    });
    source.addEventListener("error", () => {
      light("waiting", "connecting");
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(open, wait);
      wait = Math.min(wait * 2, 30000);
    });
    addEventListener("pagehide", () => source.close(), { once: true });
  }
  open();
}
