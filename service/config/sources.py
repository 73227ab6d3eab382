"""Where values come from: the TOML file with its line numbers, and the environment."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from service.config.problems import ConfigurationError, Problem

DEFAULT_FILE = "herdbook.toml"
# A configuration is a page or two; whatever is larger is another file given by mistake.
LARGEST_FILE = 1_000_000

_LINE_IN_MESSAGE = re.compile(r"\(at line (\d+), column \d+\)")
_HEADER = re.compile(r"\s*\[\[?\s*(\"?)([A-Za-z0-9_-]+)\1\s*\]")
_ASSIGNMENT = re.compile(r"\s*(\"?)([A-Za-z0-9_-]+)\1\s*(?:\.\s*(\"?)([A-Za-z0-9_-]+)\3\s*)?=")
_LONG_TEXT = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'', re.DOTALL)


@dataclass(frozen=True)
class TomlFile:
    """What the file says, and on which line each key stands."""

    label: str
    document: Mapping[str, object] = field(default_factory=dict)
    lines: Mapping[tuple[str, str | None], int] = field(default_factory=dict)

    def line(self, section: str, key: str | None = None) -> int | None:
        """The line of a key, or else of its section, None when neither is found."""
        return self.lines.get((section, key)) or self.lines.get((section, None))

    def where(self, section: str, key: str | None = None) -> str:
        """`file, line 3, [section] key` for a message."""
        line = self.line(section, key)
        place = f"[{section}] {key}" if key else f"[{section}]"
        return f"{self.label}, {place}" if line is None else f"{self.label}, line {line}, {place}"


def find_file(given: Path | None, environment: Mapping[str, str], folder: Path) -> Path | None:
    """The file to read: the given one, else HERDBOOK_CONFIG, else herdbook.toml if it is there."""
    if given is not None:
        return given
    if environment.get("HERDBOOK_CONFIG"):
        return folder / environment["HERDBOOK_CONFIG"]
    default = folder / DEFAULT_FILE
    return default if default.exists() else None


def read_toml(path: Path) -> TomlFile:
    """The parsed file, or ConfigurationError when it cannot be read at all."""
    label = str(path)
    text = _read_text(path, label)
    try:
        return TomlFile(label, tomllib.loads(text), _lines(text))
    except ValueError as error:
        raise _invalid(label, str(error), text) from None
    except RecursionError:
        raise _unreadable(label, "it nests too deeply", "use plain sections and keys") from None


def _read_text(path: Path, label: str) -> str:
    """The file's text with plain line ends, or ConfigurationError."""
    advice = "name a readable file; herdbook check --example prints one to begin with"
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise _unreadable(label, f"it is larger than {LARGEST_FILE} bytes", advice)
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _unreadable(label, f"it cannot be read: {reason}", advice) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _unreadable(label, "it is not UTF-8 here", "save it as UTF-8", line) from None


def _invalid(label: str, message: str, text: str) -> ConfigurationError:
    """The error for text that is no TOML, with the line from the parser's message."""
    found = _LINE_IN_MESSAGE.search(message)
    shown = _LINE_IN_MESSAGE.sub("", message).strip()
    advice = "write key = value under a [section]; text goes in double quotes"
    line = int(found[1]) if found else None
    if shown.endswith("(at end of document)"):
        line = text.rstrip().count("\n") + 1
    return _unreadable(label, f"it is not valid TOML: {shown}", advice, line)


def _unreadable(
    label: str, message: str, advice: str, line: int | None = None
) -> ConfigurationError:
    where = label if line is None else f"{label}, line {line}"
    return ConfigurationError([Problem(where, message, advice, line)])


def _lines(text: str) -> dict[tuple[str, str | None], int]:
    """The line of each section and key. Only for messages: where it is unsure it says nothing."""
    plain = _LONG_TEXT.sub(lambda match: '""' + "\n" * match[0].count("\n"), text)
    found: dict[tuple[str, str | None], int] = {}
    section = ""
    for number, line in enumerate(plain.split("\n"), 1):
        if header := _HEADER.match(line):
            section = header[2]
            found.setdefault((section, None), number)
        elif assignment := _ASSIGNMENT.match(line):
            first, second = assignment[2], assignment[4]
            place = (first, second) if second and not section else (section, first)
            found.setdefault(place, number)
            if not section:
                found.setdefault((first, None), number)
    return found
