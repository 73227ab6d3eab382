"""What is missing is told, whatever else an account was given."""

from __future__ import annotations

import pytest

from service.privileges.lacking import TRIGGERS_FORBIDDEN, Standing
from service.privileges.statements import Account, Target
from service.server.versions import ServerKind

APP, FARM = Account("app", "localhost"), Target("farm")
HERE = "GRANT ALL PRIVILEGES ON `farm`.* TO `app`@`localhost`"
FORBIDDEN = f"WARNING: {TRIGGERS_FORBIDDEN}"


def standing(kind: ServerKind, *lines: str) -> Standing:
    """Of the account that SHOW GRANTS says this of."""
    return Standing.read(APP, FARM, kind, lines)


@pytest.mark.parametrize("kind", ServerKind)
def test_all_on_the_database_is_nothing_on_the_server(kind: ServerKind) -> None:
    """It serves and migrates, but RELOAD and SUPER are given for the whole server only."""
    here = standing(kind, HERE)
    reload = [line for line in here.further(triggers_forbidden=False) if " lacks RELOAD: " in line]
    assert here.without_serving() == ()
    assert len(reload) == (kind is ServerKind.MARIADB)
    assert here.further(triggers_forbidden=False) == tuple(reload)
    assert here.further(triggers_forbidden=True) == (*reload, FORBIDDEN)


@pytest.mark.parametrize("kind", ServerKind)
def test_all_on_the_server_is_all(kind: ServerKind) -> None:
    """SUPER is in it."""
    everywhere = standing(kind, "GRANT ALL PRIVILEGES ON *.* TO `app`@`localhost`")
    assert everywhere.without_serving() == ()
    assert everywhere.further(triggers_forbidden=True) == ()


@pytest.mark.parametrize("kind", ServerKind)
def test_what_is_given_by_name_on_the_server_counts(kind: ServerKind) -> None:
    """Beside all on the database."""
    more = "GRANT RELOAD, SUPER ON *.* TO `app`@`localhost`"
    assert standing(kind, more, HERE).further(triggers_forbidden=True) == ()


@pytest.mark.parametrize("kind", ServerKind)
def test_a_line_that_is_not_understood_is_told_of(kind: ServerKind) -> None:
    """Whether anything is missing or not, and without the hash of a password."""
    odd = "GRANT Milk2 ON *.* TO `app`@`localhost` IDENTIFIED BY PASSWORD '*8B'"
    everything = "GRANT ALL PRIVILEGES ON *.* TO `app`@`localhost`"
    for lines in ([odd], [everything, odd]):
        (told,) = (
            line
            for line in standing(kind, *lines).further(triggers_forbidden=False)
            if "was not understood" in line
        )
        assert told.startswith("WARNING: ")
        assert "GRANT Milk2 ON *.*" in told
        assert "*8B" not in told
    assert len(standing(kind, odd).without_serving()) == 4
