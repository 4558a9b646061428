// A page around this one may have one address for all its conversations (a Chatwoot dashboard app). It tells which one
// is open, unasked when that changes and once when it is asked; each has its own address here.
// Source: chatwoot.com/hc/user-guide, "How to use dashboard apps": {event: "appContext", data: {conversation: {id}}}.

addEventListener("message", (event) => {
  if (event.source !== window.parent || typeof event.data !== "string") return;
  let told;
  try {
    told = JSON.parse(event.data);
  } catch {
    return; // not for us
  }
  const id = told?.event === "appContext" ? told.data?.conversation?.id : undefined;
  if (!Number.isSafeInteger(id)) return;
  const address = new URL(location.href);
  if (address.searchParams.get("conversation") === String(id)) return;
  address.searchParams.set("conversation", id);
  location.replace(address);
});

if (window.parent !== window) window.parent.postMessage("chatwoot-dashboard-app:fetch-info", "*");
