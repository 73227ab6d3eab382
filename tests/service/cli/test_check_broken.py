"""`herdbook check` on broken projects: each is told where, what, and what to do about it.

The same project is well but for one thing; tests/service/config/test_mistakes.py has more that can
be wrong with the file alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.server import PrivateServer
from tests.service.cli.accounts import SECRET
from tests.service.cli.barn import Barn, migrated, written
from tests.service.cli.broken import AROUND_IT, DATABASE, IN_THE_FILE, Broken, setting
from tests.service.cli.conftest import Ran

Herdbook = Callable[..., Ran]


@pytest.fixture(scope="module")
def migrations(server: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project's revisions, which its database has."""
    folder = tmp_path_factory.mktemp("revisions")
    with migrated(server, folder, DATABASE):
        yield folder / "migrations"


@pytest.fixture
def barn(tmp_path: Path, migrations: Path, server: PrivateServer) -> Iterator[Barn]:
    """The project, in the folder where commands are run."""
    project = written(tmp_path, migrations, server, DATABASE)
    yield project
    project.mend()


def test_the_project_is_well_but_for_what_is_broken_here(herdbook: Herdbook, barn: Barn) -> None:
    """So each test below finds what it has broken, and nothing else."""
    ran = herdbook("check")
    assert (ran.code, ran.err, "FAILED" in ran.out) == (0, "", False)


@pytest.mark.parametrize("name", IN_THE_FILE)
def test_a_broken_file_is_told_with_its_line(herdbook: Herdbook, barn: Barn, name: str) -> None:
    """One problem, for people and for programs, and what to write instead; nothing is looked at."""
    broken = IN_THE_FILE[name]
    broken.spoil(barn)
    lines = barn.file.read_text(encoding="utf-8").splitlines()
    number = next(at for at, line in enumerate(lines, 1) if broken.at in line)
    ran = herdbook("check")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: the configuration has 1 problem:\n")
    assert f"herdbook.toml, line {number}" in ran.err
    assert_said(ran.err, broken, barn)
    [problem] = herdbook("check", "--json").error()["problems"]
    assert (problem["line"], bool(problem["hint"])) == (number, True)
    assert_said(f"{problem['where']}: {problem['message']} {problem['hint']}", broken, barn)


@pytest.mark.parametrize("name", AROUND_IT)
def test_what_the_file_names_is_told_by_the_check_that_fails(
    herdbook: Herdbook, barn: Barn, name: str
) -> None:
    """One check alone; those that need what it looked for say so, and say nothing else."""
    broken = AROUND_IT[name]
    broken.spoil(barn)
    ran = herdbook("check")
    assert (ran.code, ran.err) == (1, "")
    failed = re.findall(r"^FAILED  ([a-z ]+): (.*)$", ran.out, re.MULTILINE)
    told = [text for check, text in failed if check == broken.at]
    others = {text for check, text in failed if check != broken.at}
    assert others <= {f"not looked at; first mend the {broken.at}"}, others
    assert_said("\n".join(told), broken, barn)
    document = herdbook("check", "--json").document()
    [found] = [one for one in document["checks"] if one["name"] == broken.at]
    assert (document["passed"], found["passed"]) == (False, False)
    assert [line for line in found["messages"] if not line.startswith("WARNING")] == told


def assert_said(text: str, broken: Broken, barn: Barn) -> None:
    """All of it, and no password."""
    for piece in broken.said:
        assert piece.format(folder=barn.folder) in text
    assert f":{SECRET}@" not in text
    assert "loud" not in text


def test_no_two_of_them_are_told_the_same() -> None:
    """Forty-nine broken projects, as many messages."""
    said = [broken.said for broken in (*IN_THE_FILE.values(), *AROUND_IT.values())]
    assert len(set(said)) == len(said) == 49


def test_all_that_is_wrong_with_the_file_is_told_at_once(herdbook: Herdbook, barn: Barn) -> None:
    """In the order of its lines, and what the environment has last."""
    for name in ("an unknown key", "a wrong type", "no name", "itself for a sibling"):
        IN_THE_FILE[name].spoil(barn)
    problems = herdbook("check", "--json").error()["problems"]
    keys = [re.sub(r".*\[(\w+)\] (\w+)", r"\1.\2", one["where"]) for one in problems]
    assert keys == ["node.name", "herd.siblings", "log.levl", "lanes.read"]


def test_all_that_is_wrong_around_it_is_told_at_once(herdbook: Herdbook, barn: Barn) -> None:
    """Each by its own check, whatever the others say."""
    chosen = ["no folder of revisions", "a privilege that is missing", "settings that lose writes"]
    chosen += ["a key that others can read", "tokens that others can write"]
    chosen += ["classes that are declared wrongly"]
    for name in chosen:
        AROUND_IT[name].spoil(barn)
    ran = herdbook("check")
    for name in chosen:
        assert_said(ran.out, AROUND_IT[name], barn)
    assert "schema: not looked at; first mend the record module and the migrations folder" in (
        ran.out
    )


def test_a_server_that_takes_shorter_statements_than_calls_hold_is_warned_of(
    herdbook: Herdbook, barn: Barn
) -> None:
    """It is no fault: such calls are refused, and all others are served."""
    setting("max_allowed_packet", 2**20, 2**24)(barn)
    ran = herdbook("check")
    assert ran.code == 0
    assert "ok      database: WARNING: limits.body_bytes is 8388608" in ran.out
    assert "set max_allowed_packet to 16777216 there, or lower limits.body_bytes" in ran.out
