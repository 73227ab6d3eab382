"""Fields that are declared as atomic later: the revision, its way back, and what CHECKs ask for."""

from __future__ import annotations

import pytest

from records import Integer, Record, Reference, Text
from schema.capture.install import captures_in
from schema.connection import connected
from schema.errors import SchemaBehind
from tests.schema.conftest import Project
from tests.schema.test_capture_revisions import hand_written, noted
from tests.schema.test_capture_revisions import run as run_sql


class Price(Record):
    """As first declared."""

    code = Integer(primary=True)
    amount = Integer(default=0)
    currency = Text(length=9, default="")


class Later:
    """Classes as they are declared later, out of the way of the names above."""

    class Price(Record):
        """Both mean something only together."""

        code = Integer(primary=True)
        amount = Integer(default=0)
        currency = Text(length=9, default="")
        __atomic__ = (("amount", "currency"),)


class Renamed:
    """The same with another name for a field."""

    class Price(Record):
        """The currency is the unit."""

        code = Integer(primary=True)
        amount = Integer(default=0)
        unit = Text(length=9, default="")
        __atomic__ = (("amount", "unit"),)


def groups(project: Project) -> tuple[tuple[int, ...], ...]:
    """What the database notes as written together."""
    with connected(project.url) as connection:
        return captures_in(connection)["price"].groups


def fields_of_an_update(project: Project) -> bytes | None:
    """What is noted of an update of the amount."""
    run_sql(project, "UPDATE price SET amount = amount + 1")
    return noted(project)[-1][2]


def test_a_group_comes_and_goes_by_revisions(project: Project) -> None:
    """Until it is there no node that declares it starts; where it is, one without it does."""
    project.migrate(Price)
    run_sql(project, "INSERT INTO price (code) VALUES (1)")
    assert fields_of_an_update(project) == b"\x80\x02"
    later = project.migrator(Later.Price)
    problem = later.problem()
    assert isinstance(problem, SchemaBehind)
    assert "the capture of table price is declared otherwise" in problem.message
    written = project.migrate(Later.Price)
    assert written.changes == ("the capture of table price is declared otherwise",)
    assert "groups=[[2, 3]]," in written.path.read_text().partition("def downgrade")[0]
    assert (later.check(), later.problem(), groups(project)) == ([], None, ((2, 3),))
    assert fields_of_an_update(project) == b"\x80\x02\x80\x03"
    assert project.migrator(Price).problem() is None
    later.downgrade("-1")
    assert groups(project) == ()
    assert fields_of_an_update(project) == b"\x80\x02"


def test_a_renamed_column_stays_in_its_group(project: Project) -> None:
    """It keeps its number."""
    project.migrate(Later.Price)
    hand_written(project, ['op.rename_column("price", "currency", "unit")'], ["pass"])
    migrator = project.migrator(Renamed.Price)
    migrator.upgrade()
    assert (migrator.check(), groups(project)) == ([], ((2, 3),))
    run_sql(project, "INSERT INTO price (code) VALUES (1)")
    assert fields_of_an_update(project) == b"\x80\x02\x80\x03"


def test_a_column_may_leave_and_join_a_group_that_stays(project: Project) -> None:
    """By another revision each; recapture makes the same triggers."""
    project.migrate(Renamed.Price)
    project.migrate(Later.Price, drops=True)
    assert groups(project) == ((2, 4),)
    migrator = project.migrator(Later.Price)
    migrator.recapture()
    assert (migrator.check(), groups(project)) == ([], ((2, 4),))
    migrator.downgrade("-1")
    assert groups(project) == ((2, 3),)


CHECK = "ALTER TABLE price ADD CONSTRAINT dear CHECK ({})"
ADVICE = 'add ("amount", "currency") to __atomic__ of Price'


@pytest.mark.parametrize(
    "clause",
    [
        "amount > 0 OR currency <> ''",
        "IF(currency = 'it''s', 1, 2) < amount",
        r"CONCAT(currency, '\\''') <> amount",
    ],
)
def test_a_check_across_fields_that_are_no_group_is_found(project: Project, clause: str) -> None:
    """With what to declare; once that is done there is nothing to find."""
    project.migrate(Price)
    run_sql(project, CHECK.format(clause))
    (line,) = project.migrator(Price).check()
    assert line.startswith("the CHECK dear of table price is about fields")
    assert line.endswith(ADVICE)
    project.migrate(Later.Price)
    assert project.migrator(Later.Price).check() == []


@pytest.mark.parametrize(
    "clause",
    [
        "amount > 0",
        "code > 0 OR amount > 0",
        "CONCAT(amount, '') <> '`currency`'",
        r"CONCAT(amount, 'it''s `currency`') <> 'x\\'",
    ],
)
def test_a_check_that_one_write_alone_can_break_is_none(project: Project, clause: str) -> None:
    """It is about one field, or the key, or holds a text that looks like another field."""
    project.migrate(Price)
    run_sql(project, CHECK.format(clause))
    assert project.migrator(Price).check() == []


def test_each_table_is_told_its_own_checks(project: Project) -> None:
    """Constraints of one name in two tables, where the server allows it, are not mixed up."""

    class Other(Record):
        amount = Integer(default=0)
        currency = Text(length=9, default="")
        price = Reference(Price)

    project.migrate(Price, Other)
    run_sql(project, "ALTER TABLE other ADD CONSTRAINT odd CHECK (amount > 0 OR currency = '')")
    with connected(project.url) as connection:
        name = "odd" if connection.dialect.is_mariadb else "even"  # type: ignore[attr-defined]
    run_sql(project, f"ALTER TABLE price ADD CONSTRAINT {name} CHECK (amount > 0)")
    (line,) = project.migrator(Price, Other).check()
    assert line.startswith("the CHECK odd of table other")
