"""The server program is found where it is, and a useless one is told apart from none."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.server import (
    Program,
    ProgramMissing,
    ServerKind,
    ServerTooOld,
    find,
    find_program,
    inspect_program,
)
from tests.servers.programs import chosen_kinds, program_of


@pytest.fixture
def only_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only place where programs are looked for."""
    monkeypatch.setattr(find, "SYSTEM_FOLDERS", ())
    return tmp_path


def make_program(folder: Path, name: str, says: str) -> Path:
    """A program that only tells its version, by the shell's own means."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def look(folder: Path, kind: ServerKind | None = None) -> Program:
    """Find a program with the folder as the whole search path."""
    return find_program(kind, {"PATH": str(folder)})


@pytest.mark.parametrize("kind", chosen_kinds(), ids=str)
def test_a_real_program_tells_kind_and_version(kind: ServerKind) -> None:
    """The servers of this machine are recognised for what they are."""
    program = program_of(kind)
    assert program.kind is kind
    assert program.version.supported


def test_mariadb_comes_first(only_here: Path) -> None:
    """Where both are installed, MariaDB is taken, and MySQL if it is asked for."""
    mysql = make_program(only_here, "mysqld", "mysqld  Ver 9.7.4 for Linux")
    mariadb = make_program(only_here, "mariadbd", "mariadbd  Ver 10.11.19-MariaDB")
    assert look(only_here).path == mariadb
    assert look(only_here, ServerKind.MYSQL).path == mysql


def test_an_old_program_is_passed_over_for_a_usable_one(only_here: Path) -> None:
    """A MariaDB that is too old does not hide a MySQL that will do."""
    make_program(only_here, "mariadbd", "mariadbd  Ver 10.3.1-MariaDB")
    mysql = make_program(only_here, "mysqld", "mysqld  Ver 9.7.4 for Linux")
    assert look(only_here).path == mysql


def test_only_old_programs_are_an_error_with_each_reason(only_here: Path) -> None:
    """Where everything found is useless, the error says why for each program."""
    make_program(only_here, "mariadbd", "mariadbd  Ver 10.3.1-MariaDB")
    make_program(only_here, "mysqld", "mysqld  Ver 5.7.44 for Linux")
    with pytest.raises(ServerTooOld, match=r"(?s)MariaDB 10\.3\.1.*MySQL 5\.7\.44"):
        look(only_here)


def test_none_is_an_error_that_says_what_to_install(only_here: Path) -> None:
    """Without any program the error names the command that installs one."""
    with pytest.raises(ProgramMissing, match="apt-get install mariadb-server-core"):
        look(only_here)


def test_a_mysqld_that_is_really_mariadb_is_not_taken_for_mysql(only_here: Path) -> None:
    """Distributions call MariaDB `mysqld` too: its own words decide, not its name."""
    make_program(only_here, "mysqld", "mysqld  Ver 10.11.19-MariaDB")
    with pytest.raises(ProgramMissing):
        look(only_here, ServerKind.MYSQL)


def test_the_environment_names_the_program(tmp_path: Path) -> None:
    """HERDBOOK_SERVER decides, whatever else is installed."""
    named = make_program(tmp_path, "my-own", "mysqld  Ver 8.4.1 for Linux")
    assert find_program(environment={"HERDBOOK_SERVER": str(named)}).path == named


def test_a_named_program_of_the_wrong_kind_is_an_error(tmp_path: Path) -> None:
    """HERDBOOK_SERVER with the other kind of server says what is needed."""
    named = make_program(tmp_path, "my-own", "mysqld  Ver 8.4.1 for Linux")
    with pytest.raises(ProgramMissing, match=r"which is MySQL 8\.4\.1; a mariadbd is needed"):
        find_program(ServerKind.MARIADB, {"HERDBOOK_SERVER": str(named)})


def test_a_program_that_cannot_run_is_an_error_with_the_reason(tmp_path: Path) -> None:
    """A missing file and a failing program both tell what was wrong."""
    with pytest.raises(ProgramMissing, match="No such file or directory"):
        inspect_program(tmp_path / "mysqld")
    failing = tmp_path / "failing"
    failing.write_text("#!/bin/sh\necho no libaio here >&2\nexit 3\n")
    failing.chmod(0o755)
    with pytest.raises(ProgramMissing, match="ended with status 3, no libaio here"):
        inspect_program(failing)
