"""The cheapest provider there can be: answers every call with what its path asks for, ready-made: Google's
AgentMessage, features, files and token, WhatsApp's and Twilio's messages. It stands on the load's core, so that only
heliograph is measured.

Run as a program: prints its port, then serves until it is killed.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httptools
import uvloop

MESSAGE = json.dumps(
    {
        "name": "phones/+17703101414/agentMessages/0192d7c0-6d1c-7000-8000-000000000000",
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
                            {"reply": {"text": "Learn More", "postbackData": "postback_data_LearnMore"}},
                        ],
                    },
                }
            }
        },
    }
).encode()
FEATURES = b'{"features":["RICHCARD_STANDALONE","RICHCARD_CAROUSEL","ACTION_OPEN_URL"]}'
TOKEN = b'{"access_token":"stub","expires_in":3600,"token_type":"Bearer"}'
FILE = b'{"name":"files/jkl7y5btiioJTIjSNahX0heD"}'
WHATSAPP = json.dumps(
    {
        "messaging_product": "whatsapp",
        "contacts": [{"input": "+17703101414", "wa_id": "17703101414"}],
        "messages": [
            {"id": "wamid.HBgLMTc3MDMxMDE0MTQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA", "message_status": "accepted"}
        ],
    }
).encode()
TWILIO = json.dumps(
    {
        "account_sid": "AC0123456789abcdef0123456789abcdef",
        "api_version": "2010-04-01",
        "body": "Acme Air: your flight to Kansas City is delayed. It now leaves at 7:35 pm from gate C35.",
        "date_created": "Fri, 17 Aug 2018 18:55:10 +0000",
        "date_sent": None,
        "date_updated": "Fri, 17 Aug 2018 18:55:10 +0000",
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": "+12025550100",
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": "SM0123456789abcdef0123456789abcdef",
        "status": "queued",
        "subresource_uris": {
            "media": "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages/SM0/Media.json"
        },
        "to": "+17703101414",
        "uri": "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages/SM0.json",
    }
).encode()


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


class Provider(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_message_complete(self) -> None:
        if b"/token" in self.url:
            body = TOKEN
        elif b"/capabilities" in self.url:
            body = FEATURES
        elif b"/files" in self.url:
            body = FILE
        elif self.url.startswith(b"/2010-04-01/"):
            body = TWILIO
        elif self.url.startswith(b"/v2"):  # the version of Meta's Graph API
            body = WHATSAPP
        else:
            body = MESSAGE
        self.transport.write(_answer(body))


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
