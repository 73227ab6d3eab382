"""Files that are exchanged while a node runs: the new ones count, or the former go on counting."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from service.identity.errors import IdentityRefused

_Held = TypeVar("_Held")
_Stamp = tuple[int, int, int, int]


class Exchanged(Generic[_Held]):
    """What some files hold. Raises IdentityRefused where they are no good to begin with.

    `told` writes to the log that something else counts from now on, and says whether it did.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        load: Callable[[], _Held],
        told: Callable[[_Held, _Held], bool],
        log: logging.Logger,
    ) -> None:
        self._paths = tuple(paths)
        self._load = load
        self._told = told
        self._log = log
        self._stamps = _stamps(self._paths)
        self.trouble: str | None = None
        self.held = load()

    def look(self) -> None:
        """Take files that were exchanged; what was wrong with them may be mended without that."""
        stamps = _stamps(self._paths)
        if stamps == self._stamps and self.trouble is None:
            return
        self._stamps = stamps
        try:
            found = self._load()
        except IdentityRefused as error:
            self._complain("; ".join(map(str, error.troubles)))
        except Exception as error:
            # Whoever looks again and again would look no more.
            self._log.debug("certificate files cannot be taken", exc_info=True)
            self._complain(f"they cannot be taken ({type(error).__name__})")
        else:
            self._take(found)

    def _take(self, found: _Held) -> None:
        former, self.held = self.held, found
        if not self._told(former, found) and self.trouble is not None:
            self._log.info("the certificate files are in order again")
        self.trouble = None

    def _complain(self, trouble: str) -> None:
        """What is wrong is told once, though it is looked at again and again."""
        if trouble != self.trouble:
            self._log.error("the exchanged certificate files cannot be used: %s", trouble)
        self.trouble = trouble


def _stamps(paths: Iterable[Path]) -> tuple[_Stamp | None, ...]:
    """What changes when a file is exchanged, or its mode or owner is."""
    return tuple(map(_stamp, paths))


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size
