"""The frame of the command line: commands, help, exit codes, and how every error is told."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pytest

from records.errors import DeclarationError, Failure
from schema.errors import (
    CodeTooOld,
    DatabaseUnreachable,
    LockHeld,
    MigrationInterrupted,
    RevisionChanged,
    RevisionUnwritten,
    SchemaAhead,
    SchemaBehind,
    UnsafeChange,
)
from service.cli import main as frame
from service.cli.main import COMMANDS, LazyCommand, LazyGroup
from service.cli.output import CommandFailed, ExitCode, Output, output_option
from service.errors import NotFound
from service.server.errors import ProgramMissing
from tests.service.cli.conftest import Ran

Herdbook = Callable[..., Ran]
ROOT = Path(frame.__file__).parents[2]


def existing(names: Any = COMMANDS) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command there is, those within groups too, with its words."""
    for name in names:
        if find_spec(COMMANDS[name].target.partition(":")[0]) is not None:
            command = COMMANDS[name].load()
            yield from with_inner((name,), command)


def with_inner(
    words: tuple[str, ...], command: click.Command
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command, and those within it where it is a group."""
    yield words, command
    if isinstance(command, click.Group):
        for inner in sorted(command.commands):
            yield from with_inner((*words, inner), command.commands[inner])


COMMAND_WORDS = [" ".join(words) for words, _ in existing()]


def command_of(words: str) -> click.Command:
    """The command of these words."""
    return next(command for name, command in existing() if " ".join(name) == words)


@pytest.mark.parametrize("words", COMMAND_WORDS)
def test_every_command_explains_itself(herdbook: Herdbook, words: str) -> None:
    """--help says what the command does, describes each option and shows examples."""
    ran = herdbook(*words.split(), "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: herdbook {words} ")
    command = command_of(words)
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{words} {option.opts[0]}"
    assert "\\b" not in ran.out
    if not isinstance(command, click.Group):
        assert re.search(rf"^ +(cd .* && )?herdbook {words}\b", ran.out, re.MULTILINE)


@pytest.mark.parametrize("words", COMMAND_WORDS)
def test_every_command_speaks_json(words: str) -> None:
    """--json is an option of every command that does something."""
    command = command_of(words)
    options = {name for parameter in command.params for name in parameter.opts}
    assert isinstance(command, click.Group) or "--json" in options


def test_help_lists_every_command_with_examples_and_exit_codes(herdbook: Herdbook) -> None:
    """The first page a user sees names what there is, and how to begin."""
    out = herdbook("--help").out
    for name, lazy in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(lazy.summary)}$", out, re.MULTILINE)
    assert "\n    herdbook demo    " in out
    assert "4 unsafe change refused" in out


def test_without_a_command_the_help_is_shown(herdbook: Herdbook) -> None:
    """Plain `herdbook` is wrong usage, answered with all there is to know."""
    ran = herdbook()
    assert (ran.code, ran.out) == (2, "")
    assert "Commands:" in ran.err


def test_the_version_is_shown(herdbook: Herdbook) -> None:
    """--version names the program and its Python."""
    ran = herdbook("--version")
    assert ran.code == 0
    assert re.fullmatch(r"herdbook \S.* \(Python 3\.\d+\.\d+\S*\)\n", ran.out)


def test_help_imports_no_command_and_no_large_library() -> None:
    """Asking for help costs no more than it must."""
    program = (
        "import sys; from service.cli.main import run; run(['--help'])\n"
        "print(sorted(set(sys.modules) & {'service.cli.call', 'service.cli.check', 'twisted',"
        " 'sqlalchemy', 'alembic', 'rich'}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["chek"], "check"),
        (["check", "--exampel"], "--example"),
        (["--wrong"], "--wrong"),
        (["new"], "Missing argument 'NAME'"),
    ],
)
def test_wrong_usage_ends_with_2(herdbook: Herdbook, words: list[str], message: str) -> None:
    """A typo is answered with what was probably meant."""
    ran = herdbook(*words)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert herdbook(*words, "--json").error()["code"] == "usage"


def _raise(error: BaseException) -> None:
    raise error


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, herdbook: Herdbook) -> Callable[..., Ran]:
    """Run a command that does as the test says."""

    def ran(act: Callable[[Output], Any], *options: str) -> Ran:
        @click.command()
        @output_option
        def command(output: Output) -> Any:
            return act(output)

        monkeypatch.setattr(LazyCommand, "load", lambda _lazy: command)
        return herdbook("check", *options)

    return ran


@pytest.mark.parametrize("code", list(ExitCode))
def test_a_command_decides_how_it_ends(failing: Callable[..., Ran], code: ExitCode) -> None:
    """What a command returns, or fails with, is the program's exit code."""
    assert failing(lambda _output: code).code == code
    assert failing(lambda _output: _raise(CommandFailed("no", exit_code=code))).code == code


@pytest.mark.parametrize(
    ("error", "code", "pieces"),
    [
        (CommandFailed("it is so", "do this"), "failed", ["it is so", "do this"]),
        (DeclarationError(["one", "two"]), "declaration", ["2 problems", "one", "two"]),
        (
            NotFound([Failure("record.not_found", "no AT")]),
            "record.not_found",
            ["no AT", "List the records"],
        ),
        (DatabaseUnreachable("no db"), "schema.database_unreachable", ["no db", "server runs"]),
        (ProgramMissing("no mysqld"), "server.program_missing", ["no mysqld"]),
        (click.FileError("x.toml", "gone"), "failed", ["x.toml", "gone"]),
    ],
)
def test_errors_of_ours_are_told_without_a_traceback(
    failing: Callable[..., Ran], error: Exception, code: str, pieces: list[str]
) -> None:
    """What is wrong and what to do, for people as text and for programs as JSON."""
    ran = failing(lambda _output: _raise(error))
    assert (ran.code, ran.out) == (1, "")
    for piece in pieces:
        assert piece in ran.err
    assert "Traceback" not in ran.err
    told = failing(lambda _output: _raise(error), "--json")
    assert (told.code, told.error()["code"]) == (1, code)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SchemaBehind("behind"), 3),
        (RevisionUnwritten("no table"), 3),
        (SchemaAhead("ahead"), 3),
        (CodeTooOld("old"), 3),
        (MigrationInterrupted("half"), 3),
        (RevisionChanged("no file"), 3),
        (UnsafeChange("it drops a table"), 4),
        (LockHeld("held"), 5),
    ],
)
def test_some_errors_have_an_exit_code_of_their_own(
    failing: Callable[..., Ran], error: Exception, code: int
) -> None:
    """Pending changes, an unsafe change and a held lock can be told apart by scripts."""
    ran = failing(lambda _output: _raise(error))
    assert (ran.code, str(error) in ran.err) == (code, True)


def test_the_unexpected_is_one_line_and_a_file(
    failing: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mistake in Herdbook itself shows no traceback but says where it is kept."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("HERDBOOK_DEBUG", raising=False)
    ran = failing(lambda _output: _raise(ZeroDivisionError("by mysql://me:hush@db/x")))
    (kept,) = tmp_path.glob("herdbook-*.traceback")
    assert ran.code == 1
    assert "ZeroDivisionError: by mysql://me:***@db/x" in ran.err
    assert str(kept) in ran.err
    assert "Traceback" not in ran.err
    assert "Traceback" in kept.read_text(encoding="utf-8")
    assert "hush" not in ran.err + kept.read_text(encoding="utf-8")
    assert kept.stat().st_mode & 0o077 == 0


def test_with_debug_the_traceback_is_shown(
    failing: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HERDBOOK_DEBUG=1 puts it on stderr."""
    monkeypatch.setenv("HERDBOOK_DEBUG", "1")
    ran = failing(lambda _output: _raise(ZeroDivisionError("x")))
    assert "Traceback (most recent call last)" in ran.err


def test_a_missing_command_module_is_told(herdbook: Herdbook, monkeypatch: Any) -> None:
    """A command that cannot be loaded fails like anything unexpected."""
    broken = LazyGroup({"gone": LazyCommand("service.cli.gone:gone", "Not there.")}, name="x")
    monkeypatch.setattr(frame, "herdbook", broken)
    monkeypatch.setenv("HERDBOOK_DEBUG", "1")
    assert "No module named 'service.cli.gone'" in herdbook("gone").err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_ends_with_130_and_no_traceback(
    failing: Callable[..., Ran], error: BaseException
) -> None:
    """Ctrl-C is no error worth a message."""
    ran = failing(lambda _output: _raise(error))
    assert ran.code == 130
    assert "Traceback" not in ran.err


def _program(*arguments: str, **settings: Any) -> subprocess.Popen[str]:
    """The real program as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "service.cli.main", *arguments],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **settings,
    )


def test_ctrl_c_in_the_real_program_ends_with_130() -> None:
    """Interrupted while it waits for standard input, it leaves at once and quietly."""
    with _program("call", "m", "--params", "-", stdin=subprocess.PIPE) as process:
        # /proc says in which system call it sleeps: the interrupt must come once it reads.
        assert process.stdin is not None
        _wait_until_reading(process.pid)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err.strip()) == (130, "")


def _wait_until_reading(pid: int) -> None:
    """Return once the process waits in a read of its standard input (file 0)."""
    import time

    for _ in range(1500):
        if re.match(r"0 0x0 ", Path(f"/proc/{pid}/syscall").read_text(encoding="ascii")):
            return
        time.sleep(0.02)
    raise AssertionError("it never read its standard input")


def test_a_reader_that_leaves_is_no_error() -> None:
    """With nobody at the other end of the pipe the program ends quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "service.cli.main", "check", "--example"],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_full_disk_is_told_in_one_line() -> None:
    """Output that cannot be written is an error with a message."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "service.cli.main", "check", "--example"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env={**os.environ, "HERDBOOK_DEBUG": ""},
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_terminal_there_is_no_bar_and_no_colour(failing: Callable[..., Ran]) -> None:
    """Progress is for people at a terminal; a pipe gets the result alone."""

    def act(output: Output) -> None:
        with output.progress("loading", 3) as advance:
            advance()
            advance(2)
        output.table(("name", "count"), [("[red]x[/red]", 3), ("long " * 60, None)])
        output.note("a remark")
        output.result({"done": 3}, "done")

    ran = failing(act)
    assert ran.err == "a remark\n"
    assert ran.out.splitlines()[1].split() == ["[red]x[/red]", "3"]
    assert len(ran.out.splitlines()) == 4
    assert "\x1b" not in ran.out
    assert failing(act, "--json").document() == {"done": 3}
    assert failing(act, "--json").err == ""


def test_text_that_the_terminal_cannot_show_is_escaped(tmp_path: Path) -> None:
    """In an ASCII locale JSON stays valid and text is told as well as it can be."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "HERDBOOK_NODE_NAME": "größe🐄"}
    for options in (["--json"], []):
        done = subprocess.run(
            [sys.executable, "-m", "service.cli.main", "check", *options],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        if options:
            assert "größe🐄" in json.loads(done.stderr)["error"]["message"]


def test_json_after_the_end_of_options_is_no_option(herdbook: Herdbook) -> None:
    """What stands after -- belongs to the command, so errors are told to people."""
    ran = herdbook("new", "--", "--json")
    assert ran.code == ExitCode.USAGE
    assert ran.err.startswith("error: ")


def test_no_password_gets_into_errors_for_programs(failing: Callable[..., Ran]) -> None:
    """With --json the message, the hint and every detail are masked."""
    address = "mysql://me:hush@db/x"
    error = CommandFailed(address, address, details={"list": [address], "number": 7})
    told = failing(lambda _output: _raise(error), "--json").error()
    masked = "mysql://me:***@db/x"
    assert told == {
        "code": "failed",
        "message": masked,
        "hint": masked,
        "list": [masked],
        "number": 7,
    }
