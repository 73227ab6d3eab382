"""`docs/joining.md`: its commands run or can be read, and its limits are those that count."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from service.cli.main import herdbook, run
from service.config import load_configuration
from service.identity.joining.invitations import Phase
from service.identity.joining.messages import LARGEST
from service.identity.joining.papers import GATE_DAYS
from service.identity.joining.token import PREFIX, SECRET_BYTES
from service.transports.gate import GateLimits

PAGE = (Path(__file__).parents[2] / "docs" / "joining.md").read_text()


def lines(kind: str) -> list[list[str]]:
    """The words of the lines in the page's blocks of a kind."""
    blocks = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    return [shlex.split(line.partition(" <")[0]) for line in text.splitlines() if line]


def test_the_invitations_of_the_page_are_made_shown_and_withdrawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other; the list shows the node that was invited."""
    monkeypatch.chdir(tmp_path)
    assert run(["herd", "ca", "init", "authority"]) == 0
    wanted = lines("sh")
    assert len(wanted) == 3
    for program, *words in wanted:
        assert program == "herdbook"
        assert run(words) == 0, words
    told = capsys.readouterr().out
    assert PREFIX in told
    assert "barn  made" in told


def test_the_commands_of_both_sides_are_written_as_they_are_taken() -> None:
    """Each word is an argument or an option that its command has."""
    found = [read(words) for _program, *words in lines("text")]
    assert found == ["gate", "join", "gate", "renew"]


def test_the_walk_through_names_commands_and_files_as_they_are(tmp_path: Path) -> None:
    """Each command is taken, and the settings load with what a project has."""
    blocks = "".join(re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    commands = re.findall(r"herdbook ([^;&<>)\n]+)", blocks)
    found = [read(shlex.split(each)) for each in commands]
    assert found == [
        *("init", "issue", "down", "up", "invite", "gate", "join", "status"),
        *("down", "up"),
    ]
    [settings] = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "herdbook.toml").write_text(settings)
    given = {"database.url": "mysql://me@db/farm", "node.records": "farm.records"}
    herd = load_configuration(tmp_path / "herdbook.toml", {}, given).herd
    assert herd.certificate == tmp_path / "herd" / "node.crt"
    assert herd.listen == "tcp:8653:interface=127.0.0.1"
    assert "--sibling tcp:127.0.0.1:8653" in blocks


def read(words: list[str]) -> str:
    """The name of the command that words are for, read but not run; raises where they are wrong."""
    command: click.Command = herdbook
    context = click.Context(command)
    while isinstance(command, click.Group):
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, name
        command = found
    return command.make_context(command.name, words).info_name or ""


def test_the_page_knows_the_phases_and_the_limits() -> None:
    """As the code has them."""
    table = PAGE.partition("| phase |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| (\w+) \|", table, re.MULTILINE) == [each.value for each in Phase]
    assert GateLimits() == GateLimits(30, 8, 50)
    assert "may last 30 seconds and hold eight lines of 64 KiB; there\nare fifty at most" in PAGE
    assert (LARGEST, GATE_DAYS, SECRET_BYTES * 8) == (65_536, 30, 128)
    assert "counts for 30 days" in PAGE
    assert "128 bits of chance" in PAGE
