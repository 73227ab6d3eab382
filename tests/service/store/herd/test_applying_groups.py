"""What two nodes write apart into one group of columns merges to what one of them wrote."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from records import Integer, Record, Reference, Text
from records.catalogue import Catalogue, catalogue_of
from records.states import RowState
from schema.direct import create_tables
from service.database_url import DatabaseUrl
from service.herd.held import REFUSED
from service.herd.journal import LATER_WRITE
from service.server import PrivateServer
from service.store.herd.described import describe
from service.store.herd.rows import standings
from service.store.transaction import Transaction
from tests.service.store.feeds import page
from tests.service.store.herd.herds import Member, quiet
from tests.service.store.tools import read


class Shop(Record):
    """A parent whose key has two columns."""

    __storm_primary__ = ("town", "street")
    town = Text(length=9)
    street = Text(length=9)


class Bill(Record):
    """What was paid, in what, and where."""

    number = Integer(primary=True, bits=32)
    amount = Integer(bits=32)
    note = Text(length=9, default="")
    currency = Text(length=3)
    shop = Reference(Shop, allow_none=True)
    __atomic__ = (("amount", "currency"),)


class Ungrouped:
    """The same without the group, out of the way of the name above."""

    class Bill(Record):
        """Each of its columns wins or loses by itself."""

        number = Integer(primary=True, bits=32)
        amount = Integer(bits=32)
        note = Text(length=9, default="")
        currency = Text(length=3)


CHECK = (
    "ALTER TABLE bill ADD CONSTRAINT priced CHECK "
    "((amount < 100 AND currency = 'EUR') OR (amount >= 100 AND currency = 'YEN'))"
)
"""Yen are many, euros are few."""

ROW = "SELECT amount, currency, note FROM bill"
Pair = tuple[Member, Member]


def member(url: str, *classes: type[Record]) -> Member:
    """A node with the tables of some classes, and the CHECK."""
    catalogue: Catalogue = catalogue_of(classes)
    create_tables(DatabaseUrl.parse(url).as_sqlalchemy(), catalogue)
    read(url, "CREATE TABLE herdbook_revision (version_num VARCHAR(32) PRIMARY KEY)")
    read(url, CHECK)
    return Member(url, catalogue)


@pytest.fixture
def urls(server: PrivateServer, database: str) -> Iterator[tuple[str, str]]:
    """Two databases."""
    name = DatabaseUrl.parse(database).database + "_other"
    server.create_database(name)
    yield database, server.url(name)
    server.drop_database(name)


@pytest.fixture
def pair(urls: tuple[str, str]) -> Pair:
    """Two nodes that know of the group, and one bill."""
    one, other = (member(url, Bill) for url in urls)
    one.sql("INSERT INTO bill (number, amount, currency) VALUES (1, 50, 'EUR')")
    one.tell(other)
    return one, other


def versions(node: Member) -> list[object]:
    """The versions of amount and currency."""

    def look(tx: Transaction) -> RowState:
        return standings(tx, describe(tx).tables["bill"], [(1,)])[1,].state

    state = node.do(look)
    return [state.version("2"), state.version("4")]


def test_a_group_is_stamped_with_one_version_wherever_it_comes(pair: Pair) -> None:
    """Also where only one of its columns was written; and it travels whole."""
    one, other = pair
    one.sql("UPDATE bill SET amount = 60")
    delta = one.delta(other.vector())
    (row,) = delta.rows
    assert dict(row.state.values) == {"2": 60, "4": "EUR"}
    assert delta.entries[0].columns == ("2", "4")
    other.apply(delta)
    for node in pair:
        assert len(set(versions(node))) == 1
    assert versions(one) == versions(other)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    ("here", "there", "outcomes"),
    [
        # Column by column 70 and YEN would meet.
        ("amount = 70", "amount = 5000, currency = 'YEN'", [(70, "EUR"), (5000, "YEN")]),
        ("currency = 'YEN', amount = 100", "amount = 7", [(100, "YEN"), (7, "EUR")]),
        (
            "amount = 5000, currency = 'YEN'",
            "amount = 70, note = 'n'",
            [(5000, "YEN"), (70, "EUR")],
        ),
    ],
)
def test_what_two_nodes_wrote_apart_becomes_what_one_of_them_wrote(
    pair: Pair, here: str, there: str, outcomes: list[tuple[int, str]], first: int
) -> None:
    """The later write stands whole on both, and no CHECK refuses it; other columns are merged."""
    wrote = [(pair[0], here), (pair[1], there)]
    for node, change in (wrote[first], wrote[1 - first]):
        node.sql(f"UPDATE bill SET {change}")
    quiet(*pair)
    rows = [node.rows(ROW) for node in pair]
    assert rows[0] == rows[1]
    assert rows[0][0][:2] == outcomes[1 - first]
    assert rows[0][0][2] == ("n" if "note" in there else "")
    assert [node.held() for node in pair] == [[], []]
    assert versions(pair[0]) == versions(pair[1])
    assert len(set(versions(pair[0]))) == 1
    rules = [rule for node in pair for rule in node.rows("SELECT `rule` FROM herdbook_journal")]
    assert rules == [(LATER_WRITE,)]


def test_without_the_group_the_check_refuses_what_became_of_them(urls: tuple[str, str]) -> None:
    """The same writes, merged column by column, are a row that no node wrote and none can take."""
    one, other = (member(url, Ungrouped.Bill) for url in urls)
    one.sql("INSERT INTO bill (number, amount, currency) VALUES (1, 50, 'EUR')")
    one.tell(other)
    other.sql("UPDATE bill SET amount = 5000, currency = 'YEN'")
    one.sql("UPDATE bill SET amount = 70")
    quiet(one, other)
    assert REFUSED in {held.reason for node in (one, other) for held in node.held()}
    assert one.rows(ROW) != other.rows(ROW)


def test_a_reference_of_two_columns_leads_to_a_parent_that_somebody_meant(pair: Pair) -> None:
    """Not to the town of one and the street of the other."""
    one, other = pair
    one.sql(
        "INSERT INTO shop VALUES ('Bonn', 'East'), ('Bonn', 'West'), ('Ulm', 'East')",
        "UPDATE bill SET shop_town = 'Bonn', shop_street = 'East'",
    )
    one.tell(other)
    other.sql("UPDATE bill SET shop_town = 'Ulm'")
    one.sql("UPDATE bill SET shop_street = 'West'")
    quiet(one, other)
    rows = [node.rows("SELECT shop_town, shop_street FROM bill") for node in pair]
    assert rows == [[("Bonn", "West")], [("Bonn", "West")]]
    assert [node.held() for node in pair] == [[], []]


def test_the_feed_of_both_names_all_of_the_group(pair: Pair) -> None:
    """Of what was written here, and of what came."""
    one, other = pair
    one.sql("UPDATE bill SET amount = 60", "UPDATE bill SET note = 'x'")
    one.tell(other)
    for node in pair:
        node.seal()
        changes = page(node.url, catalogue=node.catalogue).changes
        assert [change.entry.fields for change in changes] == [
            (), ("amount", "currency"), ("note",),
        ]  # fmt: skip
