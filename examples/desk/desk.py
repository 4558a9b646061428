"""A small desk in 60 lines of the standard library: prints what recipients say, sends what you type (`/close` closes)
or the words of --reply by itself:  python3 desk.py --secret whsec_... [--port 8099]"""

import argparse
import base64
import hashlib
import hmac
import json
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

options = argparse.ArgumentParser(description="A small desk for heliograph.")
options.add_argument("--secret", required=True, help="the same as in the site's file, whsec_...")
options.add_argument("--port", type=int, default=8099)
options.add_argument("--reply", default="", help="answers every turn by itself")
given = options.parse_args()
seen, talk = set(), {}  # webhook-ids that were taken; the conversation that spoke last and where its answers go


def signature(id, stamp, body):
    key = base64.b64decode(given.secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def tell(type, **data):
    body = json.dumps({"type": type, "data": {"conversation": talk["conversation"], "author": "Desk", **data}}).encode()
    id, stamp = f"msg_{time.time_ns()}", str(int(time.time()))
    headers = {"content-type": "application/json", "webhook-id": id, "webhook-timestamp": stamp}
    headers["webhook-signature"] = signature(id, stamp, body)
    urllib.request.urlopen(urllib.request.Request(talk["callback"], body, headers), timeout=10).close()


class Desk(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        id, stamp = self.headers.get("webhook-id", ""), self.headers.get("webhook-timestamp", "")
        ours, theirs = signature(id, stamp, body), self.headers.get("webhook-signature", "").split()
        believed = any(hmac.compare_digest(ours, one) for one in theirs) and abs(time.time() - int(stamp)) < 300
        self.send_response(200 if believed else 401)
        self.end_headers()
        if believed and id not in seen:
            seen.add(id)
            heard.get((event := json.loads(body))["type"], lambda data: None)(event["data"])


def opened(data):
    who, alert = data["conversation"].get("name", "Somebody"), data["context"].get("alert", {"template": "nothing"})
    print(f"\n# {who} answers {alert['template']}: {data['context'].get('words', '')}")
    for label, value in alert.get("alert_info", {}).items():
        print(f"  {label}: {value}")


def said(data):
    talk.update(conversation=data["conversation"], callback=data["callback"])
    print(f"> {data['turn']['words']}", flush=True)
    if given.reply and data["turn"]["by"] == "recipient":
        tell("agent.said", text=given.reply)


def typed():
    for line in map(str.strip, sys.stdin):
        if line and talk:
            tell("conversation.closed") if line == "/close" else tell("agent.said", text=line)


heard = {"conversation.opened": opened, "turn.said": said}
heard["conversation.closed"] = lambda data: print(f"# closed by {data['closed_by']}", flush=True)
Desk.log_message = lambda *what: None  # its lines would stand between the turns
server = ThreadingHTTPServer(("127.0.0.1", given.port), Desk)
print(f"The desk listens at http://127.0.0.1:{server.server_port}/", flush=True)
threading.Thread(target=typed, daemon=True).start()
server.serve_forever()
