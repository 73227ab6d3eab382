"""Whatever programs leave behind, to be searched for secrets that are known."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest import mock
from urllib.parse import quote

from service.cli.main import run

ROOT = Path(__file__).parents[2]
_PROGRAM = [sys.executable, "-P", "-m", "service.cli.main"]
_SECONDS = 120.0
_OF_THEIR_OWN = ("serve",)
"""Commands that change the process that they run in."""
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass
class Secrets:
    """What must be seen nowhere, by what it is."""

    known: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def password(self, what: str, text: str) -> None:
        """A password: as it is, as in a URL, as in SQL and as in JSON."""
        sql = text.replace("\\", "\\\\").replace("'", "\\'")
        self.known[what] = (text, quote(text, safe=""), sql, json.dumps(text)[1:-1])

    def token(self, what: str, text: str) -> None:
        """A token, and what is left of it where its ends were cut off."""
        assert len(text) > 40
        self.known[what] = (text, text[8:32])

    def key(self, what: str, path: Path) -> None:
        """A private key: the lines of its file that hold it; the one after them is public."""
        self.known[what] = tuple(path.read_text(encoding="ascii").splitlines()[1:3])

    def found_in(self, text: str) -> list[str]:
        """Which of them a text holds."""
        return [what for what, shapes in self.known.items() if any(one in text for one in shapes)]


@dataclass
class Traces:
    """What was said so far, by where; every process that is started is looked at."""

    folder: Path
    settings: Mapping[str, str]
    said: dict[str, str] = field(default_factory=dict)

    def run(
        self, *words: str, code: int = 0, stdin: str = "", env: Mapping[str, str] = NOTHING
    ) -> str:
        """What a command says to stdout; both its streams are kept."""
        in_process = words[0] not in _OF_THEIR_OWN
        ended, out, err = (self._within if in_process else self._apart)(words, stdin, env)
        self.note(f"out: {' '.join(words)}", out)
        self.note(f"err: {' '.join(words)}", err)
        assert ended == code, (words, out, err)
        return out

    def secret(self, *words: str) -> str:
        """What a command shows this once: it is not kept, as whoever asked for it may see it."""
        ended, out, err = self._within(words, "", NOTHING)
        self.note(f"err: {' '.join(words)}", err)
        assert ended == 0, err
        return out.strip()

    @contextmanager
    def running(self, *words: str) -> Iterator[dict[str, Any]]:
        """A program that goes on, and the line that it is ready with; both its streams are kept."""
        name = f"{len(self.said)}"
        out, err = (self.folder / f"{name}.{stream}" for stream in ("out", "err"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            started = self._started(words, NOTHING, stdout, stderr)
        try:
            yield json.loads(_first_line(out, started, err))
            self.look_at(started.pid)
        finally:
            started.terminate()
            started.wait(_SECONDS)
            self.note(f"out: {' '.join(words)} {name}", out.read_text())
            self.note(f"err: {' '.join(words)} {name}", err.read_text())

    def note(self, where: str, text: str) -> None:
        """Keep what was said somewhere."""
        self.said[where if where not in self.said else f"{where} ({len(self.said)})"] = text

    def look_at(self, pid: int) -> None:
        """Keep what everybody on the machine can see of a process."""
        for name in ("cmdline", "comm"):
            text = Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
            self.note(f"process {pid}, {name}", text)

    def leaks(self, secrets: Secrets) -> dict[str, list[str]]:
        """Where which of the secrets were said."""
        found = {where: secrets.found_in(text) for where, text in self.said.items()}
        return {where: which for where, which in found.items() if which}

    def _within(
        self, words: tuple[str, ...], stdin: str, env: Mapping[str, str]
    ) -> tuple[int, str, str]:
        """How a command ends that is run here, and what it says: a process takes seconds more."""
        out, err, typed = io.StringIO(), io.StringIO(), io.StringIO(stdin)
        with (
            mock.patch.dict(os.environ, {**self.settings, **env}),
            mock.patch.object(sys, "stdin", typed),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            return run(words), out.getvalue(), err.getvalue()

    def _apart(
        self, words: tuple[str, ...], stdin: str, env: Mapping[str, str]
    ) -> tuple[int, str, str]:
        started = self._started(words, env, subprocess.PIPE, subprocess.PIPE)
        out, err = started.communicate(stdin, timeout=_SECONDS)
        return started.returncode, out, err

    def _started(
        self, words: tuple[str, ...], settings: Mapping[str, str], stdout: Any, stderr: Any
    ) -> subprocess.Popen[str]:
        started = subprocess.Popen(
            [*_PROGRAM, *words],
            stdin=subprocess.PIPE if stdout is subprocess.PIPE else subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | dict(self.settings) | dict(settings),
        )
        self.look_at(started.pid)
        return started


def _first_line(out: Path, started: subprocess.Popen[str], err: Path) -> str:
    ended = threading.Event()
    for _ in range(int(_SECONDS * 20)):
        text = out.read_text()
        if "\n" in text:
            return text.partition("\n")[0]
        assert started.poll() is None, err.read_text()
        ended.wait(0.05)
    raise AssertionError(f"it is not ready: {err.read_text()}")


def holders(folder: Path, secrets: Secrets) -> dict[str, int]:
    """Which files below a folder hold a secret, and their modes."""
    return {
        str(path.relative_to(folder)): path.stat().st_mode & 0o777
        for path in folder.rglob("*")
        if path.is_file() and secrets.found_in(path.read_bytes().decode("utf-8", "replace"))
    }
