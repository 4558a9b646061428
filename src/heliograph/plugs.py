"""Finds channels and their providers: the folders in channels/, and packages' entry points ("heliograph.channels").

A channel is a package that exports `CHANNEL` (its name) and `PROVIDERS` (its modules, or their names within it). What
core.ports.Plug asks of a provider's module is checked here; one that is broken stops the start, by name. A package
may name a channel that is there already: its providers then carry it too.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import cast

import msgspec

import heliograph.channels
import heliograph.desks
from heliograph.core.channel import Carries
from heliograph.core.desk import SiteDesk
from heliograph.core.ports import DeskPlug, DeskWays, Plug, Ways
from heliograph.core.site import Sender
from heliograph.errors import HeliographError, PlugError
from heliograph.flow.registry import OpenDesk, OpenSender
from heliograph.out import Fence
from heliograph.seal import Sealer

GROUP = "heliograph.channels"  # entry points of other packages
DESKS = "heliograph.desks"
NO_SANDBOX = Fence(())
TWIN = "_twin"  # google_rbm.py → google_rbm_twin.py

# What a provider's module exports → the names of the parameters it must take (core.ports.Plug).
_FUNCTIONS = {"open": ("sender", "settings", "ways"), "check": ("content",), "measure": ("content",)}


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A medium and those who carry it. `providers`: the provider's name ("google-rbm") → its module."""

    name: str
    providers: dict[str, Plug]


@cache
def channels() -> dict[str, Channel]:
    """Every channel found, by name. Raises PlugError for a broken one; the result is kept for the process."""
    found: dict[str, Channel] = {}
    for where, package in packages():
        channel = _channel(where, package)
        others = found[channel.name].providers if channel.name in found else {}
        if twice := sorted(others.keys() & channel.providers.keys()):
            raise PlugError(
                f"The channel {channel.name!r} has two providers named {twice[0]!r}; the second is of {where}. "
                "Uninstall one of them.",
                code="provider_twice",
            )
        found[channel.name] = Channel(name=channel.name, providers={**others, **channel.providers})
    return found


def twins() -> dict[str, ModuleType]:
    """The sandbox's twins: provider's name → module. Only the twins are imported, never the adapter beside them."""
    found: dict[str, ModuleType] = {}
    for where, package in packages():
        for module in _modules(package):
            if module.endswith(TWIN):
                twin = _import(f"{package.__name__}.{module}", where)
                name = module.removesuffix(TWIN).replace("_", "-")
                found[str(getattr(twin, "NAME", name))] = twin
    return found


def desk_twins() -> dict[str, ModuleType]:
    """The sandbox's twins of desks: desk's name → module (`twin.py`, or `<name>_twin.py`, in the desk's folder)."""
    found: dict[str, ModuleType] = {}
    for where, package in desk_packages():
        for module in _modules(package):
            if f"_{module}".endswith(TWIN):
                twin = _import(f"{package.__name__}.{module}", where)
                found[str(getattr(twin, "NAME", package.__name__.rpartition(".")[2]))] = twin
    return found


def open_sender(sender: Sender, sealer: Sealer, ways: Ways, fence: Fence = NO_SANDBOX) -> OpenSender:
    """A sender with its provider opened. One that cannot be opened says why and takes nothing; the others run.

    One whose hosts are all inside the `fence` is the sandbox's and gets no way out of it."""
    channel = channels().get(sender.channel)
    plug = channel.providers.get(sender.provider) if channel else None
    if plug is None:
        fault = f"config: {sender.channel}/{sender.provider} is not installed"
        return OpenSender(sender=sender, plug=None, provider=None, fault=fault)
    try:
        settings = msgspec.convert(_unsealed(sender.settings, plug.SECRETS, sealer), plug.Settings)
        sandbox = fence.holds(_hosts(plug, settings))
        if sandbox:
            ways = msgspec.structs.replace(ways, out=fence.around(ways.out))
        return OpenSender(sender=sender, plug=plug, provider=plug.open(sender, settings, ways), sandbox=sandbox)
    except (msgspec.ValidationError, HeliographError) as error:
        sentence = error.sentence if isinstance(error, HeliographError) else str(error)
    except Exception as error:  # noqa: BLE001  a plug's bug is this sender's fault alone; its words may hold a secret
        sentence = f"{sender.provider} broke while it was opened ({type(error).__name__}); its plug has a bug."
    return OpenSender(sender=sender, plug=plug, provider=None, fault=f"config: {sentence}")


def _unsealed(settings: Mapping[str, object], secrets: frozenset[str], sealer: Sealer) -> dict[str, object]:
    return {
        name: sealer.open(value) if name in secrets and isinstance(value, str) and value else value
        for name, value in settings.items()
    }


def _hosts(plug: Plug, settings: msgspec.Struct) -> tuple[str, ...]:
    """Every host that the sender would speak to; none where its module does not say."""
    told = getattr(plug, "hosts", None)
    return tuple(told(settings)) if told is not None else ()


@cache
def desks() -> dict[str, DeskPlug]:
    """Every desk found, by name: the folders in desks/, and packages' entry points ("heliograph.desks"). Raises
    PlugError for a broken one."""
    found: dict[str, DeskPlug] = {}
    for where, package in desk_packages():
        if faults := _desk_faults(package):
            raise PlugError(f"{where} is not a desk: {'; '.join(faults)}.", code="plug_broken")
        plug = cast(DeskPlug, package)
        if plug.NAME in found:
            raise PlugError(f"Two desks are named {plug.NAME!r}; the second is {where}. Remove one.", code="desk_twice")
        found[plug.NAME] = plug
    return found


def open_desk(setup: SiteDesk, sealer: Sealer, ways: DeskWays, fence: Fence = NO_SANDBOX) -> OpenDesk:
    """A site's desk, opened. One that cannot be says why; its turns wait. One whose hosts are all inside the `fence` is
    the sandbox's and gets no way out of it."""
    plug = desks().get(setup.desk)
    if plug is None:
        return OpenDesk(setup=setup, fault=f"The desk {setup.desk} is not installed. There is: {', '.join(desks())}.")
    try:
        settings = msgspec.convert(_unsealed(setup.settings, plug.SECRETS, sealer), plug.Settings)
        sandbox = fence.holds(plug.hosts(settings))
        if sandbox:
            ways = msgspec.structs.replace(ways, out=fence.around(ways.out))
        desk = plug.open(setup, settings, ways)
        framed = plug.framed(settings)
        return OpenDesk(setup=setup, desk=desk, keeps=plug.KEEPS, framed=framed, sandbox=sandbox)
    except (msgspec.ValidationError, HeliographError) as error:
        sentence = error.sentence if isinstance(error, HeliographError) else str(error)
    except Exception as error:  # noqa: BLE001  a plug's bug is this desk's fault alone; its words may hold a secret
        sentence = f"{setup.desk} broke while it was opened ({type(error).__name__}); its plug has a bug."
    return OpenDesk(setup=setup, fault=sentence)


def desk_packages() -> Iterator[tuple[str, ModuleType]]:
    """(where it was found, the package) of each desk: our own folders first."""
    for info in sorted(pkgutil.iter_modules(heliograph.desks.__path__), key=lambda info: info.name):
        if info.ispkg:
            yield f"desks/{info.name}", _import(f"{heliograph.desks.__name__}.{info.name}", f"desks/{info.name}")
    for entry in sorted(entry_points(group=DESKS), key=lambda entry: entry.name):
        where = f"the entry point {entry.name!r} ({entry.value})"
        yield where, _import(entry.module, where)


_DESK_FUNCTIONS = {"open": ("desk", "settings", "ways"), "hosts": ("settings",), "framed": ("settings",)}


def _desk_faults(package: ModuleType) -> list[str]:
    """What a package lacks of core.ports.DeskPlug, one sentence each."""
    faults = _plug_faults(package, _DESK_FUNCTIONS)
    faults += [
        f"{word} must be True or False"
        for word in ("KEEPS", "ONE_PER_RECIPIENT")
        if not isinstance(getattr(package, word, None), bool)
    ]
    return faults


def packages() -> Iterator[tuple[str, ModuleType]]:
    """(where it was found, the package) of all that bring channels or providers: our own folders first."""
    for info in sorted(pkgutil.iter_modules(heliograph.channels.__path__), key=lambda info: info.name):
        if info.ispkg:
            yield (
                f"channels/{info.name}",
                _import(f"{heliograph.channels.__name__}.{info.name}", f"channels/{info.name}"),
            )
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        where = f"the entry point {entry.name!r} ({entry.value})"
        yield where, _import(entry.module, where)


def _import(name: str, where: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # whatever a plug does on import, its name must be told
        raise PlugError(
            f"{where} cannot be imported: {type(error).__name__}: {error}. Mend or remove it.", code="plug_broken"
        ) from error


def _modules(package: ModuleType) -> list[str]:
    return [info.name for info in pkgutil.iter_modules(package.__path__) if not info.ispkg]


def _channel(where: str, package: ModuleType) -> Channel:
    name = getattr(package, "CHANNEL", None)
    listed = getattr(package, "PROVIDERS", None)
    if not isinstance(name, str) or not name:
        raise PlugError(f"{where} does not export CHANNEL, the channel's name.", code="plug_broken")
    if not isinstance(listed, tuple) or not listed:
        raise PlugError(f"{where} does not export PROVIDERS, a tuple of its providers' modules.", code="plug_broken")
    providers: dict[str, Plug] = {}
    for one in listed:
        module = one if isinstance(one, ModuleType) else _import(f"{package.__name__}.{one}", f"{where}/{one}.py")
        faults = _faults(module)
        if faults:
            raise PlugError(f"{module.__name__} is not a provider: {'; '.join(faults)}.", code="plug_broken")
        plug = cast(Plug, module)
        if plug.NAME in providers:
            raise PlugError(f"{where} has two providers named {plug.NAME!r}; rename one.", code="plug_broken")
        providers[plug.NAME] = plug
    return Channel(name=name, providers=providers)


def _faults(module: ModuleType) -> list[str]:
    """What a module lacks of core.ports.Plug, one sentence each."""
    faults = _plug_faults(module, _FUNCTIONS)
    if not isinstance(getattr(module, "CARRIES", None), Carries):
        faults.append("CARRIES must be a core.channel.Carries")
    return faults


def _plug_faults(module: ModuleType, functions: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What a module lacks of what all plugs export."""
    faults = []
    name, settings, secrets = (getattr(module, word, None) for word in ("NAME", "Settings", "SECRETS"))
    if not isinstance(name, str) or not name:
        faults.append("NAME must be its name, a word")
    if not (isinstance(settings, type) and issubclass(settings, msgspec.Struct)):
        faults.append("Settings must be a msgspec.Struct")
    if not isinstance(secrets, frozenset):
        faults.append("SECRETS must be a frozenset of names of fields in Settings")
    elif isinstance(settings, type) and issubclass(settings, msgspec.Struct):
        strange = sorted(secrets - set(settings.__struct_fields__))
        if strange:
            faults.append(f"SECRETS names {', '.join(strange)}, which Settings does not have")
    for function, wanted in functions.items():
        told = getattr(module, function, None)
        # `open` of a module that defines none would be found nowhere: builtins are not attributes of modules.
        if not inspect.isfunction(told):
            faults.append(f"{function}({', '.join(wanted)}) is missing")
            continue
        taken = tuple(inspect.signature(told).parameters)
        if taken != wanted:
            faults.append(f"{function} takes ({', '.join(taken)}), not ({', '.join(wanted)})")
    return faults
