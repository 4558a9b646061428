"""Channels are found by looking; a broken one stops the start by name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import msgspec
import pytest

import heliograph.channels
from heliograph import plugs
from heliograph.core.ports import Call
from heliograph.core.site import Sender
from heliograph.errors import PlugError, SendError
from heliograph.out import Fence
from heliograph.seal import Sealer

GOOD = """
import msgspec
from heliograph.core.channel import Carries
NAME = "pigeon"
CARRIES = Carries()
SECRETS = frozenset({"word"})
class Settings(msgspec.Struct):
    word: str = ""
def open(sender, settings, ways): ...
def check(content): return []
def measure(content): ...
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A channel's folder `carrier` beside ours, which has one good provider."""
    made = tmp_path / "carrier"
    made.mkdir()
    (made / "__init__.py").write_text('CHANNEL = "carrier"\nPROVIDERS = ("pigeon",)\n')
    (made / "pigeon.py").write_text(GOOD)
    monkeypatch.setattr(heliograph.channels, "__path__", [*heliograph.channels.__path__, str(tmp_path)])
    plugs.channels.cache_clear()
    yield made
    plugs.channels.cache_clear()
    for name in [name for name in sys.modules if name.startswith("heliograph.channels.carrier")]:
        del sys.modules[name]
    vars(heliograph.channels).pop("carrier", None)


def test_our_own_channel_is_found():
    assert plugs.channels()["rcs"].providers["google-rbm"].NAME == "google-rbm"


def test_a_folder_is_enough(folder):
    found = plugs.channels()
    assert set(found) >= {"rcs", "carrier"}
    assert list(found["carrier"].providers) == ["pigeon"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('NAME = "pigeon"', "", "NAME must be its name"),
        ("class Settings(msgspec.Struct)", "class Settings", "Settings must be a msgspec.Struct"),
        ('frozenset({"word"})', '{"word"}', "SECRETS must be a frozenset"),
        ('frozenset({"word"})', 'frozenset({"wort"})', "SECRETS names wort, which Settings does not have"),
        ("def open(sender, settings, ways): ...", "", r"open\(sender, settings, ways\) is missing"),
        ("CARRIES = Carries()", "", "CARRIES must be a core.channel.Carries"),
        ("def open(sender, settings, ways)", "def open(sender, ways)", r"open takes \(sender, ways\)"),
        ("def check(content): return []", "", r"check\(content\) is missing"),
    ],
)
def test_a_provider_that_lacks_something_is_named(folder, old, new, sentence):
    assert old in GOOD
    (folder / "pigeon.py").write_text(GOOD.replace(old, new))
    with pytest.raises(PlugError, match=rf"carrier\.pigeon is not a provider: .*{sentence}"):
        plugs.channels()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "channels/carrier does not export CHANNEL"),
        ('CHANNEL = "carrier"', "channels/carrier does not export PROVIDERS"),
        ('CHANNEL = "carrier"\nPROVIDERS = ["pigeon"]', "does not export PROVIDERS, a tuple"),
        ('CHANNEL = "carrier"\nPROVIDERS = ("owl",)', r"channels/carrier/owl\.py cannot be imported"),
        ("import nothing_of_this_name", "channels/carrier cannot be imported: ModuleNotFoundError"),
        ("raise RuntimeError('no wind')", "channels/carrier cannot be imported: RuntimeError: no wind"),
        ('CHANNEL = "carrier"\nPROVIDERS = ("pigeon", "pigeon")', "two providers named 'pigeon'"),
    ],
)
def test_a_channel_that_is_broken_is_named(folder, text, sentence):
    (folder / "__init__.py").write_text(text)
    with pytest.raises(PlugError, match=sentence):
        plugs.channels()


def test_a_package_brings_a_provider_to_a_channel_that_is_there(folder):
    (folder / "__init__.py").write_text('CHANNEL = "sms"\nPROVIDERS = ("pigeon",)\n')
    assert set(plugs.channels()["sms"].providers) == {"twilio", "smpp", "pigeon"}
    assert "carrier" not in plugs.channels()


def test_two_providers_of_one_name_are_told(folder):
    (folder / "__init__.py").write_text('CHANNEL = "sms"\nPROVIDERS = ("pigeon",)\n')
    (folder / "pigeon.py").write_text(GOOD.replace('NAME = "pigeon"', 'NAME = "twilio"'))
    with pytest.raises(PlugError, match="'sms' has two providers named 'twilio'; the second is of channels/"):
        plugs.channels()


def test_a_package_brings_a_channel_by_its_entry_point(folder, monkeypatch):
    """The same folder as an installed package would offer it."""
    monkeypatch.setattr(heliograph.channels, "__path__", heliograph.channels.__path__[:-1])
    monkeypatch.syspath_prepend(folder.parent)
    entry = EntryPoint(name="carrier", value="carrier", group=plugs.GROUP)
    monkeypatch.setattr(plugs, "entry_points", lambda group: [entry] if group == plugs.GROUP else [])
    assert plugs.channels()["carrier"].providers["pigeon"].NAME == "pigeon"
    monkeypatch.delitem(sys.modules, "carrier")
    monkeypatch.delitem(sys.modules, "carrier.pigeon")


def test_twins_are_found_by_their_name(folder):
    (folder / "pigeon_twin.py").write_text("")
    (folder / "pigeon_twin_parts.py").write_text("raise RuntimeError('not a twin')")
    assert plugs.twins()["pigeon"].__name__ == "heliograph.channels.carrier.pigeon_twin"


def test_twins_do_not_bring_their_adapters_along():
    """Neither of any provider: an adapter is the module of a twin's name without its ending."""
    code = (
        "import sys; from heliograph import plugs; found = plugs.twins(); "
        "print(len(found), [twin.__name__ for twin in found.values() "
        "if twin.__name__.removesuffix('_twin') in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    many, brought = told.stdout.split(maxsplit=1)
    assert int(many) >= 1
    assert brought.strip() == "[]"


def _sealed(**settings: object) -> Sender:
    return Sender(site="acme", name="rcs", channel="rcs", provider="google-rbm", settings=settings)


async def test_a_sender_is_opened_with_its_secrets_unsealed(ways, service_account):
    sealer = Sealer(["a secret key of a server, long enough"])
    sender = _sealed(agent="acme-air", key=sealer.seal(service_account), webhook_token=sealer.seal("client-token"))
    opened = plugs.open_sender(sender, sealer, ways)
    assert opened.fault == ""
    assert opened.provider is not None
    verification = Call(method="POST", url="u", headers={}, body=b'{"clientToken":"client-token","secret":"s"}')
    assert opened.provider.read(verification).answer.body == b"s"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"provider": "owl"}, "rcs/owl is not installed"),
        ({"channel": "smoke"}, "smoke/google-rbm is not installed"),
        ({"settings": {"agent": "a", "surprise": 1}}, "surprise"),
        ({"settings": {"agent": "a"}}, "key_file"),
        ({"settings": {"agent": "a", "key": "not sealed"}}, "not a sealed value"),
    ],
)
async def test_a_sender_that_cannot_be_opened_says_why_and_stops_nobody_else(ways, change, words):
    sealer = Sealer(["a secret key of a server, long enough"])
    opened = plugs.open_sender(msgspec.structs.replace(_sealed(), **change), sealer, ways)
    assert opened.provider is None
    assert opened.fault.startswith("config: ")
    assert words in opened.fault


async def test_a_plug_that_breaks_while_it_is_opened_is_its_senders_fault_alone(folder, ways):
    broken = "def open(sender, settings, ways): raise RuntimeError(settings.word)"
    (folder / "pigeon.py").write_text(GOOD.replace("def open(sender, settings, ways): ...", broken))
    sealer = Sealer(["a secret key of a server, long enough"])
    sender = Sender(
        site="acme", name="loft", channel="carrier", provider="pigeon", settings={"word": sealer.seal("sesame")}
    )
    opened = plugs.open_sender(sender, sealer, ways)
    assert opened.provider is None
    assert opened.fault.startswith("config: pigeon broke while it was opened (RuntimeError)")
    assert "sesame" not in opened.fault


SANDBOX = Fence(("127.0.0.1",))


@pytest.mark.parametrize(
    ("settings", "sandbox"),
    [
        ({"base_url": "http://127.0.0.1:8090", "token_url": "http://127.0.0.1:8090/token"}, True),
        ({"base_url": "http://127.0.0.1:8090"}, False),  # tokens would come from the key file's address, Google's
        ({"token_url": "http://127.0.0.1:8090/token"}, False),
        ({"region": "us", "token_url": "http://127.0.0.1:8090/token"}, False),
        ({}, False),
    ],
)
async def test_a_sender_is_the_sandboxes_where_every_host_of_it_is(ways, service_account, settings, sandbox):
    sealer = Sealer(["a secret key of a server, long enough"])
    key = msgspec.json.encode(
        {**msgspec.json.decode(service_account), "token_uri": "https://oauth2.googleapis.com/token"}
    )
    sender = _sealed(agent="acme-air", key=sealer.seal(key.decode()), **settings)
    assert plugs.open_sender(sender, sealer, ways, SANDBOX).sandbox is sandbox
    assert not plugs.open_sender(sender, sealer, ways).sandbox  # nothing is listed


async def test_a_module_that_does_not_name_its_hosts_is_not_the_sandboxes(folder, ways):
    sender = Sender(site="acme", name="loft", channel="carrier", provider="pigeon", settings={})
    assert not plugs.open_sender(sender, Sealer(["a secret key of a server, long enough"]), ways, SANDBOX).sandbox


async def test_the_sandboxes_sender_gets_ways_that_end_at_the_fence(folder, ways):
    named = GOOD.replace("def open(sender, settings, ways): ...", "def open(sender, settings, ways): return ways")
    (folder / "pigeon.py").write_text(named + "\ndef hosts(settings): return ('127.0.0.1:2775',)\n")
    sealer = Sealer(["a secret key of a server, long enough"])
    sender = Sender(site="acme", name="loft", channel="carrier", provider="pigeon", settings={"word": sealer.seal("x")})
    opened = plugs.open_sender(sender, sealer, ways, SANDBOX)
    assert opened.sandbox
    with pytest.raises(SendError, match="the sandbox alone"):
        await opened.provider.out.request("GET", "https://rcsbusinessmessaging.googleapis.com/x", deadline=0.0)
    with pytest.raises(SendError, match="the sandbox alone"):
        await opened.provider.out.addresses("smsc.example", 2775)
    assert plugs.open_sender(sender, sealer, ways).provider.out is ways.out


# The least settings of a sender, and what puts it into the sandbox.
LEAST = {
    "google-rbm": ({"agent": "a"}, {"base_url": "http://127.0.0.1:1", "token_url": "http://127.0.0.1:1/token"}),
    "whatsapp-cloud": ({"phone_number_id": "1"}, {"base_url": "http://127.0.0.1:1"}),
    "smpp": ({"host": "smsc.example", "system_id": "acme"}, {"host": "127.0.0.1", "port": 1}),
    "twilio": ({"account_sid": "AC1", "from": "+12025550123"}, {"base_url": "http://127.0.0.1:1"}),
}


def test_every_one_of_our_own_is_among_them():
    assert set(LEAST) == {name for channel in plugs.channels().values() for name in channel.providers}


@pytest.mark.parametrize("name", LEAST)
def test_our_own_providers_name_their_hosts(name, service_account):
    [plug] = [channel.providers[name] for channel in plugs.channels().values() if name in channel.providers]
    settings, inside = LEAST[name]
    if name == "google-rbm":
        settings = {**settings, "key": service_account}
    real = plug.hosts(msgspec.convert(settings, plug.Settings))
    assert real and not SANDBOX.holds(real)
    assert SANDBOX.holds(plug.hosts(msgspec.convert({**settings, **inside}, plug.Settings)))
