"""A TOML file as people write it: `${NAME}` filled in, sections as structs, faults with file, line and field."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from heliograph.errors import SetupError
from heliograph.settings import close, in_words

Struct = TypeVar("Struct", bound=msgspec.Struct)
Keys = tuple[str | int, ...]

# Written as seconds, or with a unit as in "24h".
_DURATIONS = frozenset({"time_to_live", "look_back", "within"})
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Faults:
    """What is wrong, over all files, so that it is told at once."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def raise_any(self, what: str) -> None:
        """Raises SetupError with every fault, one per line."""
        if self.sentences:
            count = "1 fault" if len(self.sentences) == 1 else f"{len(self.sentences)} faults"
            raise SetupError(
                f"{what} has {count}; nothing was changed. Mend and repeat:\n  " + "\n  ".join(self.sentences),
                code="site_files",
            )


class Section:
    """A table of a TOML file, with its place."""

    def __init__(self, document: Document, keys: Keys, table: Mapping[str, Any]) -> None:
        self.document = document
        self.keys = keys
        self.table = table

    def fault(self, sentence: str, *more: str | int, into: Faults | None = None) -> None:
        """Notes `sentence` about this section, or about the key `more` in it (`into` other faults than the file's)."""
        where = _written(self.keys)
        line = self.document.line((*self.keys, *more))
        text = f"{self.document.name}:{line}: {where}{sentence}"
        faults = into or self.document.faults
        if text not in faults.sentences:  # two readers may look at one key
            faults.sentences.append(text)

    def text(self, name: str, default: str = "") -> str:
        value = self.table.get(name, default)
        if isinstance(value, str):
            return value
        self.fault(f"{name} is {value!r}; write it in quotes.", name)
        return default

    def section(self, name: str) -> Section:
        """The table `name` in this one; empty where it is absent."""
        value = self.table.get(name, {})
        if not isinstance(value, dict):
            self.fault(f"{name} must be a table: {{ … }} or a section of its own.", name)
            value = {}
        return Section(self.document, (*self.keys, name), value)

    def sections(self, name: str) -> list[Section]:
        """The tables of the list `name`; empty where it is absent."""
        values = self.table.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.fault(f"{name} must be a list of tables.", name)
            return []
        return [Section(self.document, (*self.keys, name, at), value) for at, value in enumerate(values)]

    def known(self, names: Iterable[str], what: str) -> None:
        """Notes every key that is none of `names`."""
        allowed = list(dict.fromkeys(names))
        for name in self.table:
            if name not in allowed:
                known = f"It has: {', '.join(allowed)}." if allowed else "It has nothing to set."
                self.fault(f"{what} has no {name}.{close(name, allowed)} {known}", name)

    def struct(
        self, kind: type[Struct], what: str, *, given: Mapping[str, Any] | None = None, own: Iterable[str] = ()
    ) -> Struct | None:
        """This section as `kind`, every fault noted (then None). `given` are fields that were read otherwise, `own`
        keys of the section that are not fields."""
        given = given or {}
        # By the names that a file gives them: `from` is no name that Python allows.
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        self.known([*own, *(name for name in fields if name not in given or name in self.table)], what)
        values = dict(given)
        sound = all(name in fields or name in own for name in self.table)
        for name, field in fields.items():
            if name in given or name not in self.table:
                if field.required and name not in given:
                    self.fault(f"{what} needs {name}.")
                    sound = False
                continue
            try:
                values[name] = _converted(name, self.table[name], field.type)
            except ValueError as wrong:
                self.fault(f"{name} is {_shown(self.table[name])}; {wrong}.", name)
                sound = False
        if not sound:
            return None
        try:
            return kind(**{fields[name].name: value for name, value in values.items()})
        except (TypeError, ValueError) as wrong:
            self.fault(f"{what}: {wrong}")
            return None


class Document(Section):
    """One TOML file. Faults of its syntax, its encoding and of missing `${NAME}` are noted on reading."""

    def __init__(self, path: Path, environ: Mapping[str, str], faults: Faults, *, name: str = "") -> None:
        self.path = path
        self.name = name or str(path)
        self.faults = faults
        self._lines: list[tuple[Keys, int]] = []
        self.unfilled: list[Keys] = []  # values whose ${NAME} is not in the environment
        super().__init__(self, (), {})
        try:
            text = path.read_text("utf-8")
            data = tomllib.loads(text)
        except OSError as error:
            faults.sentences.append(f"{self.name}: cannot be read: {error.strerror}.")
        except UnicodeDecodeError as error:
            faults.sentences.append(f"{self.name}: byte {error.start} is not UTF-8. Save the file as UTF-8.")
        except tomllib.TOMLDecodeError as error:
            faults.sentences.append(f"{self.name}: this is not TOML: {error}.")
        else:
            self._lines = list(_places(text))
            self.table = {key: _filled(value, environ, self, (key,)) for key, value in data.items()}

    def line(self, keys: Keys) -> int:
        """The line (from 1) that comes nearest to `keys`. tomllib keeps no lines, so this reads the text again."""
        best, length = 1, 0
        for place, number in self._lines:
            common = 0
            for one, two in zip(place, keys, strict=False):
                if one != two:
                    break
                common += 1
            if common > length and common in (len(place), len(keys)):
                best, length = number, common
        return best


_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def _places(text: str) -> Iterable[tuple[Keys, int]]:
    section: Keys = ()
    counts: dict[Keys, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names: Keys = ()
            for part in _PART.findall(header[2]):
                names = (*names, part.strip("\"'"))
                if names in counts and not (header[1] == "[[" and len(names) == len(_PART.findall(header[2]))):
                    names = (*names, counts[names])
            if header[1] == "[[":
                counts[names] = counts.get(names, -1) + 1
                names = (*names, counts[names])
            section = names
            yield section, number
        elif key := _KEY.match(line):
            yield (*section, *(part.strip("\"'") for part in _PART.findall(key[1]))), number


_NAME = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{[^}]*\}?")


def _filled(value: Any, environ: Mapping[str, str], document: Document, keys: Keys) -> Any:
    """`${NAME}` and `${NAME:-default}` in every text; `$${` is a plain `${`."""

    def fill(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        name, default = match[1], match[2]
        if name is None:
            owner.fault(f"{keys[-1]}: {match[0]} is not ${{NAME}} or ${{NAME:-default}}; write $${{ for a plain ${{.")
            return ""
        if environ.get(name):
            return environ[name]
        if default is None:
            owner.fault(
                f"{keys[-1]} needs {name}, which is not in the environment. Set it, or give a default: "
                f"${{{name}:-value}}.",
                keys[-1],
            )
            document.unfilled.append(keys)
            return ""
        return default

    owner = Section(document, keys[:-1], {})
    if isinstance(value, str):
        return _NAME.sub(fill, value)
    if isinstance(value, dict):
        return {key: _filled(one, environ, document, (*keys, key)) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, environ, document, (*keys, at)) for at, one in enumerate(value)]
    return value


def _written(keys: Keys) -> str:
    """`[languages.en.rcs] `, with list places counted from 1: `[sender 2] `."""
    parts: list[str] = []
    for key in keys:
        if isinstance(key, int):
            parts[-1] += f" {key + 1}"
        else:
            parts.append(key)
    return f"[{'.'.join(parts)}] " if parts else ""


def _converted(name: str, value: Any, form: Any) -> Any:
    if name in _DURATIONS and isinstance(value, str):
        return _seconds(value)
    if isinstance(value, dict):  # [site.cap] within = "1h"
        value = {
            key: _seconds(one) if key in _DURATIONS and isinstance(one, str) else one for key, one in value.items()
        }
    try:
        return msgspec.convert(value, form, strict=not isinstance(value, str))
    except msgspec.ValidationError as error:
        raise ValueError(_needed(form) or str(error).replace("`", "").replace(" - at $", " at ")) from error


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)\s*([smhd])", text.strip())
    if not found:
        raise ValueError('a time is seconds, or a number with s, m, h or d, as in "24h"')
    return int(found[1]) * _UNITS[found[2]]


def _needed(form: Any) -> str:
    """`one of short, medium, tall is needed`; nothing where the type has no plain words."""
    schema = msgspec.json.schema(form)
    named = schema.get("$defs", {})
    schema = next((one for one in schema.get("anyOf", ()) if "$ref" in one), schema)  # `Need | None`
    if "$ref" in schema:
        schema = named[schema["$ref"].rsplit("/", 1)[1]]
    if schema.get("type") == "array":
        return 'a list in brackets is needed, as in ["one", "two"]'
    try:
        words = in_words(schema)
    except KeyError:
        return ""
    return "it must stand in quotes" if words == "text" else f"{words} is needed"


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else text[:57] + "…"
