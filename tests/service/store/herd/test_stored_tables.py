"""What planning asks of tables on a server: the answers that tables in memory give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from records.stamps import Version
from service.herd.shapes import Place, Unique
from service.herd.vectors import Vector
from service.store.herd.described import Described
from service.store.herd.tables import StoredTables
from service.store.herd.unseen import unseen
from service.store.transaction import Transaction
from tests.service.store.herd.herds import Member, in_transaction_of
from tests.service.store.herd.test_applying import family
from tests.service.store.herd.test_applying_order import HORSE

HORSE_1: Place = ("horse", (1,))


def asked(member: Member, question: Callable[[StoredTables], Any]) -> Any:
    """What the tables of a node answer."""
    return in_transaction_of(
        member, lambda tx, known: question(StoredTables(tx, known, frozenset()))
    )


def test_writes_above_a_vector_are_unseen_wherever_they_stand(one: Member, other: Member) -> None:
    """Written here or come from others, sealed or not; deaths and other rows are none."""
    family(one)
    one.tell(other)
    other.seal()
    versions: list[Version] = []

    def write(member: Member, name: str) -> None:
        member.sql(f"UPDATE horse SET name = '{name}' WHERE number = 1")
        stamp = "SELECT herdbook_stamp, herdbook_origin FROM horse WHERE number = 1"
        versions.append(Version(*member.rows(stamp)[0]))

    begin = other.vector()
    write(other, "ours, sealed")
    other.seal()
    write(one, "theirs, sealed")
    one.tell(other)
    other.seal()
    came = other.vector()
    write(one, "theirs, not sealed")
    one.tell(other)
    write(other, "ours, not sealed")
    other.sql("DELETE FROM horse WHERE number = 2")

    def unseen(vector: Vector) -> Any:
        return asked(other, lambda tables: tables.unseen(vector, {HORSE_1, ("ranch", (99,))}))

    assert unseen(begin) == {HORSE_1: set(versions)}
    assert unseen(came) == {HORSE_1: set(versions[2:])}
    theirs = {one.origin(): came[one.origin()], other.origin(): begin.get(other.origin(), 0)}
    assert unseen(theirs) == {HORSE_1: {versions[0], *versions[2:]}}
    assert len(unseen({})[HORSE_1]) == 5


def test_what_was_only_written_is_no_birth_and_no_death(one: Member, other: Member) -> None:
    """Who asks for lives alone does not mind an update that the other side has not seen."""
    family(other)
    other.seal()
    seen_so_far = other.vector()
    other.sql(
        "UPDATE horse SET name = 'new' WHERE number = 1", "DELETE FROM horse WHERE number = 2"
    )

    def seen(lives: bool) -> Any:
        places = {HORSE_1, ("horse", (2,))}
        return asked(other, lambda tables: tables.seen(seen_so_far, places, lives))

    assert (seen(lives=False), seen(lives=True)) == (set(), {HORSE_1})
    other.seal()
    assert (seen(lives=False), seen(lives=True)) == (set(), {HORSE_1})


class SealedMeanwhile:
    """A transaction beside which the node is sealed before one of its statements."""

    def __init__(self, tx: Transaction, member: Member, before: int) -> None:
        self.statements = 0
        self._tx = tx
        self._member = member
        self._before = before

    @property
    def room(self) -> int:
        """As the transaction says."""
        return self._tx.room

    def rows(self, *statement: Any) -> list[Any]:
        """What the query finds."""
        if self.statements == self._before:
            self._member.seal()
        self.statements += 1
        return self._tx.rows(*statement)


def unseen_while_sealed(member: Member, vector: Vector, before: int) -> tuple[Any, int]:
    """What is found where the node is sealed before one statement, and how many there were."""

    def look(tx: Transaction, known: Described) -> tuple[Any, int]:
        beside = SealedMeanwhile(tx, member, before)
        found = unseen(cast(Transaction, beside), known.tables, vector, {HORSE_1})
        return found, beside.statements

    found: tuple[Any, int] = in_transaction_of(member, look)
    return found


def test_what_is_sealed_while_it_is_looked_for_is_seen(one: Member, other: Member) -> None:
    """A write goes from the inbox to the changelog between any two statements: it is above."""
    family(one)
    one.tell(other)
    other.seal()
    before, last = 0, 1
    while before < last:
        vector = other.vector()
        other.sql(f"UPDATE horse SET name = 'before {before}' WHERE number = 1")
        stamp = "SELECT herdbook_stamp, herdbook_origin FROM horse WHERE number = 1"
        written = Version(*other.rows(stamp)[0])
        found, last = unseen_while_sealed(other, vector, before)
        assert found == {HORSE_1: {written}}
        assert other.rows("SELECT * FROM herdbook_inbox") == []
        before += 1
    assert last > 3, "it looked in one place only"


def test_claims_fold_as_the_database_compares(one: Member) -> None:
    """Each pair of claims has the same fold exactly if the server takes both for equal."""
    texts = ["a", "A", "a ", "á", "ß", "ss", "SS ", "", " ", "a\t", "æ", "ae", "\N{COW FACE}", "zz"]
    for collation in (
        "utf8mb4_bin",
        "utf8mb4_general_ci",
        "utf8mb4_unicode_ci",
        "latin1_german2_ci",
    ):
        charset = collation.partition("_")[0]
        one.sql(
            f"ALTER TABLE stable MODIFY sign VARCHAR(20) CHARACTER SET {charset} "
            f"COLLATE {collation} NOT NULL"
        )
        one.known.forget()
        some = [t for t in texts if charset == "utf8mb4" or t.isascii() or t in "áßæ"]

        def folds(tables: StoredTables, some: list[str] = some) -> Any:
            unique = Unique("sign", (tables.described.tables["stable"].columns[2].id,))
            return list(tables.folded("stable", unique, [(text,) for text in some]))

        found = asked(one, folds)
        for at, text in enumerate(some):
            for to, another in enumerate(some):
                pair = f"CONVERT(%s USING {charset}) COLLATE {collation}"
                equal = bool(one.rows(f"SELECT {pair} = {pair}", (text, another))[0][0])
                assert (found[at] == found[to]) == equal, (collation, text, another)


def test_holders_and_children_are_found_in_any_number(one: Member) -> None:
    """Also claims that no column can hold, which nobody has."""
    one.sql(
        "INSERT INTO ranch (number, brand) VALUES (1, 'A'), (2, 'B')",
        "INSERT INTO stable (number, ranch_number, sign) VALUES (1, 1, 's'), (2, 2, 't')",
        *(HORSE + f"({number}, {1 + number % 2}, 1, NULL, {number})" for number in range(1, 8)),
    )

    def look(tables: StoredTables) -> Any:
        horse = tables.described.tables["horse"].shape
        of_stable = next(each for each in horse.references if each.parent == "stable")
        chips = [(number,) for number in range(-2_000, 3)]
        return (
            tables.children("horse", of_stable, [(1,), (9,)]),
            tables.holders("horse", horse.uniques[0], [*chips, (2**70,), ("x\N{COW FACE}",)]),
        )

    children, holders = asked(one, look)
    assert children == {("horse", (number,)) for number in (2, 4, 6)}
    assert holders == {("horse", (1,)), ("horse", (2,))}
