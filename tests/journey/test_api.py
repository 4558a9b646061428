"""The page of the native API as a reader follows it: every command block, against a server and a sandbox."""

from __future__ import annotations

import json
import re
import time

from journey.caller import Phones
from journey.outside import ROOT
from journey.test_tutorial import SANDBOX, Terminals, blocks, terminals

__all__ = ["terminals"]


def test_the_page_of_the_native_api_can_be_followed(terminals: Terminals) -> None:
    page = blocks("how-to/api.md")
    terminals.begin = f'cd "{terminals.home}"\nexport ACME_RBM_AGENT=acme-air ACME_RBM_KEY_FILE="$PWD/account.json"\n'
    sandbox = terminals.here(f"http://{SANDBOX}")
    terminals.begin += f"export HELIOGRAPH_ALLOW_PRIVATE_ADDRESSES=true ACME_RBM_BASE_URL={sandbox}\n"
    terminals.begin += f"export ACME_RBM_TOKEN_URL={sandbox}/token\n"
    terminals.stay("heliograph sandbox --data sandbox", until="Ctrl-C stops it.")
    terminals.run(f'cp sandbox/acme-service-account.json account.json\nheliograph apply "{ROOT}/examples/acme-air"')
    terminals.stay("heliograph serve --log-format text", until="heliograph serves.")
    made = terminals.run(page["Make a key"][0])
    key = re.search(r"^bearer\s+(hg_live_\S+)$", made, re.M)
    assert key is not None, made
    time.sleep(1)  # "within a second"
    terminals.begin += f"export KEY={key[1]}\n"

    first, waiting = page["Begin an alert"]
    begun = json.loads(terminals.run(first))
    assert begun["state"] in ("sending", "sent")
    assert json.loads(terminals.run(first))["id"] == begun["id"]
    outcome = json.loads(terminals.run(waiting))
    assert outcome["state"] == "sent" and outcome["id"] != begun["id"]
    phones = Phones(terminals.here(f"http://{SANDBOX}"))
    assert len(phones.messages("7703101414")) == 2

    seen = terminals.run(f"export ID={outcome['id']}", page["See what became of it"][0])
    listed, end = json.JSONDecoder().raw_decode(seen)
    assert [one["id"] for one in listed["alerts"]] == [outcome["id"], begun["id"]]
    record = json.loads(seen[end:])
    assert record["attempts"][0]["channel"] == "rcs" and record["decision"]["considered"][0]["why"] == "chosen"

    explained, shown = page["Ask what would happen"]
    told = json.loads(terminals.run(explained))
    assert (told["would"], told["channels"]) == ("send", ["rcs"])
    card = told["messages"][0]["content"]["card"]
    assert card["title"] == record["attempts"][0]["content"]["card"]["title"]
    assert "It would be sent on rcs. This was a dry run." in terminals.run(shown)
    assert len(phones.messages("7703101414")) == 2

    make, ask, of_a_list = page["Ask who can be reached"]
    reach_key = re.search(r"^bearer\s+(hg_live_\S+)$", terminals.run(make), re.M)
    assert reach_key is not None
    time.sleep(1)
    found = json.loads(terminals.run(f"export REACH_KEY={reach_key[1]}", ask))["recipients"]
    answers = [(one["recipient"], one["channels"][0]["reach"], one["channels"][0]["cached"]) for one in found]
    assert answers == [("+17703101414", "yes", True), ("+17703101415", "yes", False)]
    terminals.run("printf 'recipient\\n+17703101414\\n+17703101415\\n' > customers.csv")
    listed = json.loads(terminals.run(of_a_list))["answers"]
    assert [(one["recipient"], one["cached"]) for one in listed] == [("+17703101414", True), ("+17703101415", True)]
    assert len(phones.messages("7703101414")) == 2

    refused = json.loads(terminals.run(page["When it is refused"][0]))
    example = json.loads(blocks("how-to/api.md", "json")["When it is refused"][0])
    assert refused["code"] == example["code"]
    said = {one["field"]: one["detail"] for one in refused["errors"]}
    for one in example["errors"]:
        assert said[one["field"]].startswith(one["detail"].removesuffix(" …"))


def test_a_test_key_reaches_the_sandbox(terminals: Terminals) -> None:
    """With the example's own addresses: its sender is the sandbox's where both of them are."""
    page = blocks("how-to/api.md")
    terminals.begin = f'cd "{terminals.home}"\nexport ACME_RBM_AGENT=acme-air ACME_RBM_KEY_FILE="$PWD/account.json"\n'
    sandbox = terminals.here(f"http://{SANDBOX}")
    terminals.begin += f"export HELIOGRAPH_ALLOW_PRIVATE_ADDRESSES=true ACME_RBM_BASE_URL={sandbox}\n"
    terminals.stay("heliograph sandbox --data sandbox", until="Ctrl-C stops it.")
    terminals.run("cp sandbox/acme-service-account.json account.json")
    terminals.run(f'ACME_RBM_TOKEN_URL=http://{SANDBOX}/token heliograph apply "{ROOT}/examples/acme-air"')
    made = terminals.run(f"{page['Make a key'][0].strip()} --kind test --json")
    terminals.begin += f"export KEY={json.loads(made)['bearer']}\n"
    terminals.stay("heliograph serve --log-format text", until="heliograph serves.")
    assert json.loads(terminals.run(page["Begin an alert"][1]))["state"] == "sent"
    # The same sender with Google's token endpoint is a real provider's.
    terminals.run(f'ACME_RBM_TOKEN_URL=https://oauth2.googleapis.com/token heliograph apply "{ROOT}/examples/acme-air"')
    time.sleep(1)
    assert json.loads(terminals.run(page["Begin an alert"][0]))["code"] == "not_for_test"
