"""Readers: from what is written under a key to a checked value.

A reader takes the value from TOML, or the text of an environment variable, and gives back the
checked value or raises ValueWrong. Nothing here knows which key it reads for.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from service.config.problems import ValueWrong, did_you_mean
from service.database_url import DatabaseUrl, DatabaseUrlError

_TOML_NAMES = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number with a fraction",
    list: "a list",
    dict: "a section",
}


class Reader(Protocol):
    """Checks one value; `textual` says that it comes as text and has to be taken for its type."""

    def read(self, raw: object, *, textual: bool) -> object:
        """The checked value, or ValueWrong."""


@dataclass(frozen=True)
class WholeNumber:
    """A whole number within bounds."""

    least: int
    most: int

    def read(self, raw: object, *, textual: bool) -> int:
        """The number; digits only when it comes as text."""
        advice = f"write a whole number from {self.least} to {self.most}"
        if textual and isinstance(raw, str):
            # Twenty digits hold any 64-bit number, and keep int() away from endless ones.
            raw = int(raw) if re.fullmatch(r"[+-]?[0-9]{1,20}", raw) else raw
        if not isinstance(raw, int) or isinstance(raw, bool):
            raise ValueWrong(f"{_type_of(raw)} stands where a whole number belongs", advice)
        if not self.least <= raw <= self.most:
            raise ValueWrong(f"{_brief(raw)} is out of range", advice)
        return raw


@dataclass(frozen=True)
class Seconds:
    """A length of time in seconds, or a number of something else, fractions allowed, in bounds."""

    least: float
    most: float
    what: str = "seconds"

    def read(self, raw: object, *, textual: bool) -> float:
        """The number as a float."""
        advice = f"write a number of {self.what} from {self.least:g} to {self.most:g}"
        if textual and isinstance(raw, str):
            raw = float(raw) if re.fullmatch(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", raw) else raw
        if not isinstance(raw, int | float) or isinstance(raw, bool):
            raise ValueWrong(
                f"{_type_of(raw)} stands where a number of {self.what} belongs", advice
            )
        # Not a number is within no bounds either.
        if not self.least <= raw <= self.most:
            raise ValueWrong(f"{_brief(raw)} is out of range", advice)
        return float(raw)


@dataclass(frozen=True)
class YesOrNo:
    """True or false."""

    def read(self, raw: object, *, textual: bool) -> bool:
        """The truth; as text it is one of the same two words."""
        if textual and isinstance(raw, str):
            raw = {"true": True, "false": False}.get(raw, raw)
        if not isinstance(raw, bool):
            message = f"{_type_of(raw)} stands where true or false belongs"
            raise ValueWrong(message, "write true or false, without quotes")
        return raw


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, raw: object, *, textual: bool) -> str:
        """The word, as it is in the list."""
        word = _text(raw, f"write one of {', '.join(self.words)}")
        if word not in self.words:
            raise ValueWrong(
                f"{_brief(word)} is not a choice", did_you_mean(word, self.words, "choose one of")
            )
        return word


@dataclass(frozen=True)
class Name:
    """A short name of letters, digits, dots, hyphens and underscores."""

    longest: int = 64

    def read(self, raw: object, *, textual: bool) -> str:
        """The name."""
        advice = f"use letters, digits, '.', '-' and '_', {self.longest} at most"
        name = _text(raw, advice)
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or len(name) > self.longest:
            raise ValueWrong(f"{_brief(name)} is no name", advice)
        return name


@dataclass(frozen=True)
class ModuleName:
    """The dotted name of a Python module."""

    def read(self, raw: object, *, textual: bool) -> str:
        """The dotted name."""
        advice = "write a dotted name as in an import, such as garden.records"
        name = _text(raw, advice)
        parts = name.split(".")
        if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
            if name.endswith(".py") or "/" in name:
                advice = "name the module, not its file: garden.records for garden/records.py"
            raise ValueWrong(f"{_brief(name)} is no module name", advice)
        return name


@dataclass(frozen=True)
class FilePath:
    """A path; the loader makes it absolute from the folder of whoever wrote it."""

    def read(self, raw: object, *, textual: bool) -> Path:
        """The path as written, with a leading ~ resolved."""
        advice = "write a path, relative to the configuration file or absolute"
        path = _text(raw, advice)
        if "\0" in path:
            raise ValueWrong("the path holds a NUL character", advice)
        try:
            return Path(path).expanduser()
        except RuntimeError:
            raise ValueWrong("there is no such user's home for the ~", advice) from None


@dataclass(frozen=True)
class DatabaseAddress:
    """The URL of a database. Messages never quote it: it may hold a password."""

    def read(self, raw: object, *, textual: bool) -> DatabaseUrl:
        """The parsed URL."""
        text = _text(raw, "write mysql://user@host/database")
        try:
            return DatabaseUrl.parse(text)
        except DatabaseUrlError as error:
            message = "; ".join(error.problems)
            advice = "an address reads mysql://user@host:3306/database, with :password before the @"
            raise ValueWrong(message, advice) from None


@dataclass(frozen=True)
class OrNothing:
    """What another reader reads; an empty text stands for nothing."""

    reader: Reader

    def read(self, raw: object, *, textual: bool) -> object:
        """The value, or the empty text."""
        return "" if raw == "" else self.reader.read(raw, textual=textual)


@dataclass(frozen=True)
class Texts:
    """A list of texts that a function checks one by one, and one that checks them together.

    As text they stand with white space between them.
    """

    check: Callable[[str], str]
    together: Callable[[Sequence[str]], None]
    advice: str

    def read(self, raw: object, *, textual: bool) -> tuple[str, ...]:
        """The texts as the function gives them back."""
        if textual and isinstance(raw, str):
            raw = raw.split()
        if not isinstance(raw, list | tuple):
            raise ValueWrong(f"{_type_of(raw)} stands where a list of texts belongs", self.advice)
        texts = self._checked(raw)
        self.together(texts)
        return texts

    def _checked(self, raw: Sequence[object]) -> tuple[str, ...]:
        """All of them, or ValueWrong with what is wrong with any."""
        texts, wrong = [], []
        for each in raw:
            try:
                texts.append(self.check(_text(each, self.advice)))
            except ValueWrong as one:
                wrong.append(one)
        if wrong:
            advice = dict.fromkeys(one.advice for one in wrong)
            raise ValueWrong("; ".join(one.message for one in wrong), "; ".join(advice))
        return tuple(texts)


@dataclass(frozen=True)
class Checked:
    """Text that a function checks and gives back."""

    check: Callable[[str], str]
    advice: str

    def read(self, raw: object, *, textual: bool) -> str:
        """The text as the function gives it back."""
        return self.check(_text(raw, self.advice))


def _text(raw: object, advice: str) -> str:
    """The value as text, refused when it is something else or empty."""
    if not isinstance(raw, str):
        raise ValueWrong(f"{_type_of(raw)} stands where text belongs", advice)
    if not raw.strip():
        raise ValueWrong("it is empty", advice)
    return raw


def _type_of(raw: object) -> str:
    """What a value is, in the words of the file, with the value itself where that helps."""
    name = _TOML_NAMES.get(type(raw), "a date or time")
    return f"{name} ({_brief(raw)})" if isinstance(raw, str | bool | int | float) else name


def _brief(raw: object) -> str:
    """A value as it is quoted in messages: short, one line."""
    shown = repr(raw) if isinstance(raw, str) else str(raw).lower()
    return shown if len(shown) <= 40 else f"{shown[:37]}..."
