"""From the layers to one configuration, or to the list of everything that is wrong.

Layers, the later over the earlier: defaults, the file, the environment, what the program itself was
told on its command line. A value that is laid over is not looked at.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from service.config.endpoints import (
    WIDER_FOR_SIBLINGS,
    check_endpoint,
    fixed_address,
    wider_for_calls,
)
from service.config.environment import overrides, unknown_variables
from service.config.keys import EffectiveValue, Setting
from service.config.problems import ConfigurationError, Problem, ValueWrong, did_you_mean, nearest
from service.config.siblings import check_sibling, is_at
from service.config.sources import DEFAULT_FILE, TomlFile, read_toml
from service.config.values import SECTIONS, Configuration, settings
from service.database_url import DatabaseUrl

# A password is one line; more is another file given by mistake.
_LONGEST_PASSWORD = 4_096


@dataclass(frozen=True)
class _Given:
    """One written value, where messages place it, if it comes as text, where its paths start."""

    raw: object
    where: str
    origin: str
    line: int | None = None
    textual: bool = False
    folder: Path | None = None


def load_configuration(
    path: Path | None,
    environment: Mapping[str, str],
    given: Mapping[str, object] | None = None,
) -> Configuration:
    """The configuration of a file (None: no file), the environment, and `given` over both.

    `given` maps `section.key` to values as they would stand in the file. Relative paths start at
    the file's folder, or at the current one. Raises ConfigurationError with every problem.
    """
    file = TomlFile(f"no {DEFAULT_FILE} here") if path is None else read_toml(path)
    folder = (Path.cwd() if path is None else path.absolute().parent).resolve()
    return _Loader(file, folder, environment, given or {}).load()


def effective_values(configuration: Configuration) -> list[EffectiveValue]:
    """Every key with what counts and who said so, secrets masked, in the order of the file."""
    return [
        EffectiveValue(
            setting.name,
            _shown(getattr(getattr(configuration, setting.section), setting.key)),
            configuration.origins[setting.name],
        )
        for setting in settings()
    ]


def _shown(value: object) -> str | int | float | None:
    if isinstance(value, tuple):
        return " ".join(value)
    return value if isinstance(value, int | float) or value is None else str(value)


class _Loader:
    """One reading of the layers; collects problems until all have been seen."""

    def __init__(
        self,
        file: TomlFile,
        folder: Path,
        environment: Mapping[str, str],
        given: Mapping[str, object],
    ) -> None:
        self.file = file
        self.folder = folder
        self.environment = environment
        self.given = given
        self.settings = {setting.name: setting for setting in settings()}
        self.variables = {setting.variable: name for name, setting in self.settings.items()}
        self.problems: list[Problem] = []
        self.misspelt: set[str] = set()
        self.written: dict[str, _Given] = {}

    def load(self) -> Configuration:
        """The configuration, or ConfigurationError."""
        self._read_file()
        self._read_environment()
        for name, value in self.given.items():
            self.written[name] = _Given(value, f"the command line, {name}", "command line")
        values = {name: self._value(setting) for name, setting in self.settings.items()}
        self._check_together(values)
        if self.problems:
            by_line = sorted(self.problems, key=lambda one: (one.line is None, one.line or 0))
            raise ConfigurationError(by_line)
        origins = {
            name: self.written[name].origin if name in self.written else "default"
            for name in self.settings
        }
        return _assembled(values, self.folder, origins)

    def _read_file(self) -> None:
        for section, table in self.file.document.items():
            if section not in SECTIONS:
                self._unknown_section(section, table)
            elif not isinstance(table, dict):
                self._refuse(
                    _Given(None, self.file.where(section), "", self.file.line(section)),
                    "a value stands where a section belongs",
                    f"write [{section}] on a line of its own and its keys below",
                )
            else:
                for key, raw in table.items():
                    self._read_key(section, key, raw)

    def _read_key(self, section: str, key: str, raw: object) -> None:
        line = self.file.line(section, key)
        where = self.file.where(section, key)
        if f"{section}.{key}" in self.settings:
            origin = self.file.label if line is None else f"{self.file.label}, line {line}"
            self.written[f"{section}.{key}"] = _Given(raw, where, origin, line, folder=self.folder)
            return
        siblings = [entry.key for entry in self.settings.values() if entry.section == section]
        advice = did_you_mean(key, siblings, "its keys are")
        if near := nearest(key, siblings):
            self.misspelt.add(f"{section}.{near}")
        elif home := self._home_of(key):
            advice = f"{key} belongs in [{home}]"
            self.misspelt.add(f"{home}.{key}")
        self._refuse(_Given(raw, where, "", line), "there is no such key", advice)

    def _unknown_section(self, name: str, content: object) -> None:
        """Refuse a top-level name: a misspelt section, or a key that stands in none."""
        home = None if isinstance(content, dict) else self._home_of(name)
        if home is not None:
            advice = f"{name} belongs in [{home}]"
            self.misspelt.add(f"{home}.{name}")
        else:
            advice = did_you_mean(name, list(SECTIONS), "the sections are")
            self._spare_section(nearest(name, SECTIONS))
        written = _Given(None, self.file.where(name), "", self.file.line(name))
        self._refuse(written, "there is no such section", advice)

    def _spare_section(self, name: str | None) -> None:
        """Do not also report as missing what probably stands in a misspelt section."""
        self.misspelt.update(key for key in self.settings if name and key.startswith(f"{name}."))

    def _home_of(self, key: str) -> str | None:
        """The section a key belongs in, when one alone has it."""
        homes = [entry.section for entry in self.settings.values() if entry.key == key]
        return homes[0] if len(homes) == 1 else None

    def _read_environment(self) -> None:
        self.problems += unknown_variables(self.environment, self.variables)
        for variable, text in overrides(self.environment, self.variables).items():
            where = f"environment, {variable}"
            self.written[self.variables[variable]] = _Given(text, where, where, textual=True)

    def _value(self, setting: Setting) -> Any:
        """The checked value of a key; None stands in for one that is wrong."""
        written = self.written.get(setting.name)
        if written is None:
            if setting.required and setting.name not in self.misspelt:
                self._missing(setting)
            return None if setting.required else setting.default
        try:
            value = setting.reader.read(written.raw, textual=written.textual)
        except ValueWrong as wrong:
            self._refuse(written, wrong.message, wrong.advice)
            return None
        # A path from the file starts at the file's folder, any other at the current one.
        return (written.folder or Path.cwd()) / value if isinstance(value, Path) else value

    def _missing(self, setting: Setting) -> None:
        example = f'{setting.key} = "{setting.example}"'
        advice = f"write {example} under [{setting.section}], or set {setting.variable}"
        if setting.name == "database.url":
            advice += "; `herdbook up --dir DIR` needs none, nor do commands with --dir DIR"
        where = self.file.where(setting.section, setting.key)
        line = self.file.line(setting.section, setting.key)
        self.problems.append(Problem(where, "this key is missing", advice, line))

    def _check_together(self, values: dict[str, Any]) -> None:
        """The rules that no key can check alone."""
        self._read_password(values)
        self._check_listeners(values)
        self._check_links(values)
        self._check_advertised(values)
        self._check_not_itself(values)
        self._check_waits(values)
        self._check_wider(values)

    def _check_not_itself(self, values: dict[str, Any]) -> None:
        """No sibling is the node's own listener."""
        own = values["herd.listen"]
        for sibling in (values["herd.siblings"] or ()) if own else ():
            if is_at(sibling, own):
                self._refuse(
                    self.written["herd.siblings"],
                    f"{sibling!r} is this node itself, which listens there by herd.listen",
                    "name the other nodes only",
                )

    def _check_waits(self, values: dict[str, Any]) -> None:
        """A statement may wait for locks no longer than it may run at all."""
        wait, run = "database.lock_wait_seconds", "database.statement_seconds"
        if None in (values[wait], values[run]) or values[wait] <= values[run]:
            return
        self._refuse(
            self.written[wait if wait in self.written else run],
            f"{wait} is {values[wait]}, and {run} ends the statement after {values[run]}",
            f"give lock_wait_seconds {values[run]} at most, or raise statement_seconds",
        )

    def _check_wider(self, values: dict[str, Any]) -> None:
        """Applications on other machines are listened for with TLS, and let in with tokens."""
        files = ("listen.certificate", "listen.key")
        if not self._are_all_or_none(files, "name both"):
            return
        advice = wider_for_calls(files[0] in self.written, values["access.required"] is True)
        if advice is not None:
            for name in ("listen.rpc", "listen.admin", "listen.stream"):
                self._require_local(name, values[name], advice)

    def _check_links(self, values: dict[str, Any]) -> None:
        """Links have all that TLS needs, or stay on this machine."""
        names = ("herd.certificate", "herd.key", "herd.ca")
        advice = "name all three, as `herdbook herd ca issue` makes them"
        if self._are_all_or_none(names, advice) and names[0] not in self.written:
            self._require_no_peers(values["herd.peers_required"])
            self._require_local("herd.listen", values["herd.listen"], WIDER_FOR_SIBLINGS)
            for sibling in values["herd.siblings"] or ():
                self._try("herd.siblings", partial(check_sibling, sibling))
            if values["herd.advertise"]:
                self._try("herd.advertise", partial(check_sibling, values["herd.advertise"]))

    def _check_advertised(self, values: dict[str, Any]) -> None:
        """Others are told only of what listens."""
        if values["herd.advertise"] and not values["herd.listen"]:
            message = "this node does not listen for siblings, so none could dial it there"
            self._refuse(
                self.written["herd.advertise"], message, "set herd.listen, or leave it out"
            )

    def _require_no_peers(self, required: bool | None) -> None:
        """Without certificates nobody's name is certain, so his ranges tell nothing."""
        if required:
            message = "links have no TLS here, and without it `peers` ranges count for nothing"
            advice = "name certificate, key and ca too, or leave it out"
            self._refuse(self.written["herd.peers_required"], message, advice)

    def _are_all_or_none(self, names: Sequence[str], advice: str) -> bool:
        """Whether keys that belong together are all written, or none is; else that is told."""
        missing = [name for name in names if name not in self.written]
        written = [name for name in names if name in self.written]
        if missing and written:
            lacking = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
            self._refuse(self.written[written[0]], lacking, advice)
            return False
        return True

    def _require_local(self, name: str, address: str, advice: str) -> None:
        if address:
            self._try(name, partial(check_endpoint, address, advice))

    def _try(self, name: str, check: Callable[[], object]) -> None:
        try:
            check()
        except ValueWrong as wrong:
            self._refuse(self.written[name], wrong.message, wrong.advice)

    def _check_listeners(self, values: dict[str, Any]) -> None:
        """No two listeners share an address."""
        first: dict[str, str] = {}
        for name in ("listen.rpc", "listen.admin", "listen.stream", "herd.listen"):
            address = fixed_address(values[name]) if values[name] else None
            other = None if address is None else first.setdefault(address, name)
            if other is None or other == name:
                continue
            told, silent = (name, other) if name in self.written else (other, name)
            default = "" if silent in self.written else f", which is the default of {silent}"
            self._refuse(
                self.written[told],
                f"{other} and {name} are both on {address}{default}",
                "give each a port of its own",
            )

    def _read_password(self, values: dict[str, Any]) -> None:
        """Put the password from its file into the URL."""
        path, url = values["database.password_file"], values["database.url"]
        if not isinstance(path, Path) or not isinstance(url, DatabaseUrl):
            return
        written = self.written["database.password_file"]
        if url.password is not None:
            self._refuse(written, "the URL holds a password as well", "leave one of the two out")
            return
        try:
            values["database.url"] = dataclasses.replace(url, password=_password(path))
        except ValueWrong as wrong:
            self._refuse(written, wrong.message, wrong.advice)

    def _refuse(self, written: _Given, message: str, advice: str) -> None:
        self.problems.append(Problem(written.where, message, advice, written.line))


def _password(path: Path) -> str:
    """The one line of a password file, without its line break."""
    advice = "name a readable file whose only line is the password"
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST_PASSWORD + 1).removesuffix("\n").removesuffix("\r")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ValueWrong(f"{path} cannot be read: {reason}", advice) from None
    if not text or "\n" in text or len(text) > _LONGEST_PASSWORD:
        raise ValueWrong(f"{path} does not hold exactly one line", advice)
    return text


def _assembled(
    values: Mapping[str, Any], folder: Path, origins: Mapping[str, str]
) -> Configuration:
    sections: dict[str, Any] = {section: {} for section in SECTIONS}
    for name, value in values.items():
        section, key = name.split(".")
        sections[section][key] = value
    made = {section: cls(**sections[section]) for section, cls in SECTIONS.items()}
    return Configuration(**made, folder=folder, origins=origins)
