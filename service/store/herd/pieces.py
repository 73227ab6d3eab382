"""Contents that are longer than one statement may be: kept in pieces, in a table of their own.

Where they belong the content is empty, which it is nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.store.herd.batches import batches
from service.store.sql import marks
from service.store.transaction import Transaction

IN_PIECES = b""
"""Stands where the content would."""


@dataclass(frozen=True)
class Pieces:
    """The pieces of the contents of one table, of which `column` names a row."""

    part_of: str
    column: str

    @property
    def size(self) -> str:
        """How long the content of a row is, in SQL."""
        return (
            "IF(`content` <> '', LENGTH(`content`), (SELECT COALESCE(SUM(LENGTH(piece.`content`)), "
            f"0) FROM `herdbook_piece` AS piece WHERE piece.`part_of` = '{self.part_of}' "
            f"AND piece.`id` = {self.column}))"
        )

    def write(self, tx: Transaction, name: bytes, content: bytes) -> None:
        """Write the pieces of what has none yet."""
        for number, start in enumerate(range(0, len(content), tx.room)):
            tx.execute(
                "INSERT INTO `herdbook_piece` (`part_of`, `id`, `number`, `content`) "
                "VALUES (?, ?, ?, ?)",
                (self.part_of, name, number, content[start : start + tx.room]),
            )

    def remove(self, tx: Transaction, names: Iterable[bytes]) -> None:
        """Remove the pieces of some rows, of which most have none."""
        for part in batches(names, len, room=tx.room):
            tx.execute(
                "DELETE FROM `herdbook_piece` "
                f"WHERE `part_of` = ? AND `id` IN ({marks(len(part))})",
                (self.part_of, *part),
            )

    def whole(self, tx: Transaction, contents: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        """The contents of some rows, those that lie in pieces put together."""
        found = dict(contents)
        for name in (name for name, content in contents.items() if content == IN_PIECES):
            found[name] = b"".join(content for (content,) in self._of(tx, name))
        return found

    def _of(self, tx: Transaction, name: bytes) -> Sequence[tuple[bytes]]:
        return tx.rows(
            "SELECT `content` FROM `herdbook_piece` WHERE `part_of` = ? AND `id` = ? "
            "ORDER BY `number`",
            (self.part_of, name),
        )


HELD = Pieces("held", "`herdbook_held`.`place`")
JOURNAL = Pieces("journal", "UNHEX(LPAD(HEX(`herdbook_journal`.`number`), 16, '0'))")


def name_of(number: int) -> bytes:
    """What names an entry of the journal."""
    return number.to_bytes(8, "big")
