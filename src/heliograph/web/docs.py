"""/docs, the page of the API's documentation, and /openapi.json. Both are made from the route table and the documented
types; nothing on the page is fetched from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from importlib import resources

import jinja2
import msgspec
from markupsafe import Markup

from heliograph.web import address
from heliograph.web.call import JSON, Doors, WebAnswer, WebCall
from heliograph.web.livedeflect import shapes
from heliograph.web.openapi import document, example
from heliograph.web.problem import encode
from heliograph.web.route import Docs, Listener, Said

Row = tuple[str, str, str, str]  # method, path, summary, who may call

WHO = {
    "oauth1": "A site's key, OAuth 1.0a",
    "key": "A site's key: bearer, or OAuth 1.0a",
    "callback": "The provider, signed in its own way",
    "open": "Anybody",
    "private": "The private listener, or this machine",
}

ANSWERS = (
    ("200", "A provider took the alert", '{"success": true, "response": <the provider\'s answer>}'),
    ("200", "Held on purpose", '{"success": true, "response": {"state": "scheduled", "sendAt": "…"}}'),
    ("200", "No provider took it, or no word came back", '{"success": "false", "message": "{…}"}'),
    ("400", "No channel reaches the recipient", '{"success": false, "error": "Failed Compatibility Check"}'),
    ("400", "Fields are wrong", '{"success": false, "error": "…", "fields": {"<field>": "…"}}'),
    ("400", "A rule forbids it: opted out, quiet hours, too many", '{"success": false, "error": "…"}'),
    ("401", "No credentials", '{"error": "No Authorization Header"}'),
    ("401", "Nonce used again", '{"error": "Invalid Nonce - Nonce has been previously used"}'),
    ("401", "Other trouble with the credentials", '{"error": "…"}'),
    ("403", "The key belongs to another site", '{"success": false, "error": "…"}'),
    ("422", "Idempotency-Key used with another body", '{"success": false, "error": "…"}'),
    ("429", "Too many calls", '{"success": false, "error": "…"}'),
    ("503", "The database is away; nothing was stored or sent", '{"success": false, "error": "…"}'),
)
SENTENCES = (
    ("400", "customerPhoneNumber must be a string or a number, the call sends an array."),
    ("400", 'proactiveTemplate is missing. Send it, for example "flightdelay".'),
    ("400", "skill is sent 2 times. Send it once."),
    ("400", 'The body is not JSON: it has typographic quotes (“ ”) … Write straight quotes (").'),
    ("401", "The signature does not match. The server saw POST …; if you signed another address, a proxy changes it."),
    ("401", "oauth_timestamp … is 412 s too old: the server's time is …, and 300 s either way are allowed."),
    ("403", "The call names siteId 999, the key belongs to site 25508804. Sign with its own key."),
    ("415", "The body must be JSON, the call sends text/plain. Send Content-Type: application/json."),
)
# The answer of the source document, shortened by nothing: a caller can hold its own parser against it.
SUCCESS = """{
  "success": true,
  "response": {
    "name": "phones/+17703101414/agentMessages/1534532110",
    "sendTime": "2018-08-17T18:55:10.100Z",
    "contentMessage": {
      "richCard": {
        "standaloneCard": {
          "cardOrientation": "VERTICAL",
          "thumbnailImageAlignment": "RIGHT",
          "cardContent": {
            "title": "Tap to Select Desired Action",
            "media": {"fileName": "files/jkl7y5btiioJTIjSNahX0heD", "height": "TALL"},
            "suggestions": [
              {"reply": {"text": "See Menu of Functions", "postbackData": "postback_data_Menu"}},
              {"reply": {"text": "Learn More", "postbackData": "postback_data_LearnMore"}}
            ]
          }
        }
      }
    }
  }
}"""
CURL = r"""key=… secret=… token=… token_secret=…
url=@BASE@/api/proactiveAlert

enc() { printf %s "$1" | sed 's/%/%25/g; s/:/%3A/g; s,/,%2F,g; s/&/%26/g; s/=/%3D/g; s/+/%2B/g'; }
nonce=$(openssl rand -hex 16)
params="oauth_consumer_key=$key&oauth_nonce=$nonce&oauth_signature_method=HMAC-SHA256"
params="$params&oauth_timestamp=$(date +%s)&oauth_token=$token&oauth_version=1.0"
signature=$(printf %s "POST&$(enc "$url")&$(enc "$params")" |
  openssl dgst -sha256 -hmac "$secret&$token_secret" -binary | base64)
header=$(printf %s "$params&oauth_signature=$(enc "$signature")" | sed 's/=/="/g; s/&/", /g; s/$/"/')

curl -sS "$url" -H "Authorization: OAuth $header" -H 'Content-Type: application/json' --data @alert.json"""
PYTHON = """import urllib.request
from oauthlib.oauth1 import Client

url = "@BASE@/api/proactiveAlert"
body = open("alert.json", encoding="utf-8").read()
client = Client("KEY", "SECRET", "TOKEN", "TOKEN_SECRET")
_, headers, _ = client.sign(url, "POST", body, {"Content-Type": "application/json"})
call = urllib.request.Request(url, body.encode(), headers, method="POST")
print(urllib.request.urlopen(call).read().decode())"""

NATIVE = """curl -sS @BASE@/v1/alerts \\
  -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' --data '{
  "recipient": "+17703101414", "template": "flightdelay", "language": "en", "skill": "service",
  "variables": {"Time": "7:35 pm", "City": "Kansas City", "Gate": "C35"}
}'

{"id": "01a2135c-f957-7a1d-a96a-2de47cfe8000", "state": "sending", "channel": "rcs"}

curl -sS @BASE@/v1/alerts/01a2135c-f957-7a1d-a96a-2de47cfe8000 -H "Authorization: Bearer $KEY\""""

_files = resources.files(__package__)
_style = _files.joinpath("docs.css").read_text("utf-8")
_page = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined).from_string(
    _files.joinpath("docs.html").read_text("utf-8")
)
_digest = base64.b64encode(hashlib.sha256(_style.encode()).digest()).decode()
# Nothing is loaded, nothing runs, nobody frames it; the one style is named by its hash.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_digest}'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)


async def page(call: WebCall, doors: Doors) -> WebAnswer:
    """The documentation for people, with this server's own address in its examples."""
    settings = doors.settings
    rows = tuple(
        (route.method, route.path, route.summary, route.auth.value)
        for route in doors.routes
        if route.docs is not None and route.listener is not Listener.PRIVATE
    )
    body = _rendered(_base(call, doors), rows, settings.body_limit, settings.oauth_window, settings.repeat_window)
    return WebAnswer(status=200, body=body, headers=_HEADERS)


async def openapi(call: WebCall, doors: Doors) -> WebAnswer:
    """The same for programs."""
    return WebAnswer(status=200, body=encode(document(doors.routes, _base(call, doors))), headers=JSON)


def _base(call: WebCall, doors: Doors) -> str:
    """Scheme and host as the caller reached us: callers drop any path before /api."""
    scheme, _, rest = address.url(doors.plate, call.scope).partition("://")
    return f"{scheme}://{rest.partition('/')[0]}".encode("utf-8", "replace").decode()


@lru_cache(maxsize=16)  # 1.5 ms each; an address more costs that, not memory
def _rendered(base: str, rows: tuple[Row, ...], limit: int, clock: int, window: int) -> bytes:
    text = _page.render(
        style=Markup(_style),  # our own file, not a caller's text
        base=base,
        limit=limit,
        clock=clock,
        window=f"{window // 3600} hours" if window % 3600 == 0 else f"{window} seconds",
        example=json.dumps(example(shapes.ProactiveAlert), indent=2, ensure_ascii=False),
        success=SUCCESS,
        curl=CURL.replace("@BASE@", base),
        python=PYTHON.replace("@BASE@", base),
        native=NATIVE.replace("@BASE@", base),
        fields=_fields(),
        answers=ANSWERS,
        sentences=SENTENCES,
        rows=rows,
        who=WHO,
    )
    return text.encode()


def _fields() -> list[dict[str, object]]:
    """The fields as the type documents them, the required ones first."""
    schema = msgspec.json.schema(shapes.ProactiveAlert)["$defs"]["ProactiveAlert"]
    return [
        {
            "name": name,
            "required": name in schema["required"],
            "about": field["description"],
            "example": json.dumps(field["examples"][0], ensure_ascii=False) if field.get("examples") else "",
        }
        for name, field in schema["properties"].items()
    ]


PAGE_DOCS = Docs(about="For people. Nothing on it is fetched from elsewhere.", says=(Said(200, "HTML"),))
OPENAPI_DOCS = Docs(about="OpenAPI 3.1, made from the route table.", says=(Said(200, "The document"),))
