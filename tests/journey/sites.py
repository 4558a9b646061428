"""Sites of many kinds on one server: folders as `heliograph apply` takes them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from journey.outside import ROOT, Outside

SENDER = """
[[sender]]
name = "{name}"
channel = "rcs"
provider = "google-rbm"

[sender.settings]
agent = "{agent}"
key_file = "${{ACME_RBM_KEY_FILE}}"
webhook_token = "${{ACME_RBM_WEBHOOK_TOKEN:-}}"
base_url = "{base_url}"
token_url = "${{ACME_RBM_TOKEN_URL:-}}"
"""


def site(
    folder: Path,
    id: str,
    lines: str = "",
    *,
    agent: str = "${ACME_RBM_AGENT}",
    base_url: str = "${ACME_RBM_BASE_URL}",
    sender: bool = True,
) -> Path:
    """Writes a site's folder: `lines` stand in and after its [site]; templates are the example's."""
    place = folder / id
    shutil.copytree(ROOT / "examples" / "acme-air" / "templates", place / "templates", dirs_exist_ok=True)
    shutil.copytree(ROOT / "examples" / "acme-air" / "media", place / "media", dirs_exist_ok=True)
    text = f'[site]\nid = "{id}"\nname = "{id}"\nchannels = ["rcs"]\n{lines}\n'
    if sender:
        text += SENDER.format(name=f"{id}-rcs", agent=agent, base_url=base_url)
    (place / "site.toml").write_text(text)
    return place


def keys(outside: Outside, *ids: str) -> dict[str, Mapping[str, str]]:
    """A new key for each site."""
    return {id: json.loads(outside.run("keys", "create", id, "--json").stdout) for id in ids}
