"""`herdbook node gate` and `herdbook join`: a machine comes in, whatever breaks off meanwhile."""

from __future__ import annotations

import importlib
import re
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.cli import coming_in, join_start
from service.cli.joined import tell_joined
from service.cli.output import Output
from service.config import load_configuration
from service.identity.certificates import fingerprint_of, read_certificate
from service.identity.credentials import load_credentials
from service.identity.files import NewFile, write_new
from service.identity.joining import place
from service.identity.joining.invitations import Invitations
from service.identity.joining.kept import change_kept, read_kept
from service.identity.joining.place import paths_in
from tests.service.cli.gates import SIBLING, Gate, Herdbook

ORCHARD = """
from records import Record, Text

class Tree(Record):
    name = Text(length=20)
"""


@pytest.fixture
def gate(tmp_path: Path, herdbook: Herdbook) -> Iterator[Gate]:
    """A gate that is not open yet."""
    made = Gate(tmp_path / "authority", herdbook)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def require_whole(directory: Path, name: str, gate: Gate) -> None:
    """All that a node needs, and nothing else."""
    paths = paths_in(directory)
    load_credentials(paths, name, datetime.now(UTC))
    assert paths.ca.read_bytes() == (gate.folder / "ca.crt").read_bytes()
    assert stat.S_IMODE(paths.key.stat().st_mode) == 0o600
    given = {"database.url": "mysql://me@db/farm", "node.records": "farm.records"}
    settings = load_configuration(directory / "herdbook.toml", {}, given)
    assert (settings.node.name, settings.herd.siblings) == (name, (SIBLING,))
    assert settings.herd.joining
    assert settings.herd.certificate == paths.certificate
    found = sorted(path.name for path in (directory / "herd").iterdir())
    assert found == ["ca.crt", "invitation", "node.crt", "node.key", "noted"]


def test_one_command_on_each_side_and_the_gate_closes_behind_the_last(
    gate: Gate, herdbook: Herdbook, tmp_path: Path
) -> None:
    """The key stays in the directory. Run again it changes nothing, with the gate closed too."""
    token = gate.invite("barn")
    gate.open()
    words = (
        "join",
        gate.address,
        token,
        "--no-start",
        "--dir",
        "barn",
        "--records",
        "farm.records",
        "--json",
    )
    first = herdbook(*words)
    assert first.code == 0, first.err
    assert gate.closed() == 0
    assert gate.states() == {"barn": "used"}
    require_whole(tmp_path / "barn", "barn", gate)
    before = {path: path.read_bytes() for path in (tmp_path / "barn").rglob("*.*")}
    second = herdbook(*words)
    assert second.document() == first.document()
    assert {path: path.read_bytes() for path in (tmp_path / "barn").rglob("*.*")} == before
    [kept] = read_kept(gate.folder)
    assert kept.bond is not None
    certificate = read_certificate(kept.bond.certificate.encode(), "")
    assert fingerprint_of(certificate) == first.document()["fingerprint"]
    secret = paths_in(tmp_path / "barn").key.read_text().splitlines()[1]
    assert secret not in (gate.folder / "invitations").read_text()


def test_the_repeated_command_says_what_is_so_and_which_options_count(
    gate: Gate, herdbook: Herdbook
) -> None:
    """The gate was told at the first time. Only what is not read again is named, and no port."""
    token = gate.invite("barn")
    gate.open()
    words = ("join", gate.address, token, "--no-start", "--dir", "barn", "--port", "8777")
    assert herdbook(*words).code == 0
    assert gate.closed() == 0
    again = herdbook(*words)
    assert "4 of 4: the gate knows that it is in" in again.err
    assert "not read again" not in again.err
    more = herdbook(*words, "--records", "farm.records", "--migrations", "revisions")
    assert "--records and --migrations are not read again" in more.err
    assert "--port" not in more.err


def test_a_joined_node_says_how_it_is_started_later(capsys: pytest.CaptureFixture[str]) -> None:
    """With its settings, and the port that it was given, as it can be typed."""
    names = ("name", "herd", "rpc", "stream", "admin", "database", "pid")
    document = dict.fromkeys(names, "x") | {"directory": "/a barn", "settings": "/a barn/h.toml"}
    tell_joined(document, Output(as_json=False), 8777)
    last = capsys.readouterr().out.splitlines()[-1].split(maxsplit=1)
    start = "herdbook up --dir '/a barn' --config '/a barn/h.toml' --port 8777"
    assert last == ["later", start]


def test_a_second_machine_and_who_was_not_invited_get_nothing(
    gate: Gate, herdbook: Herdbook, tmp_path: Path
) -> None:
    """The machine that came first goes on; a token of another herd is told to nobody."""
    token, other = gate.invite("barn"), gate.invite("shed")
    strange = Gate(tmp_path / "strange", herdbook).invite("mill")
    gate.open()
    assert herdbook("join", gate.address, token, "--no-start", "--dir", "barn").code == 0
    ran = herdbook("join", gate.address, token, "--no-start", "--dir", "thief", "--json")
    assert (ran.code, ran.error()["code"]) == (1, "invitation.taken")
    assert not paths_in(tmp_path / "thief").certificate.exists()
    ran = herdbook("join", gate.address, strange, "--no-start", "--dir", "mill")
    assert ran.code == 1
    assert "not of the herd" in ran.err
    assert herdbook("node", "withdraw", "shed", "--ca", str(gate.folder)).code == 0
    assert gate.closed() == 0
    assert gate.states() == {"barn": "used", "shed": "withdrawn"}
    ran = herdbook("join", gate.address, other, "--no-start", "--dir", "shed")
    assert ran.code == 1
    assert "cannot be reached" in ran.err


PLACES = ["the note", "the key", "the authority", "the settings", "the certificate", "the telling"]


def test_interrupted_anywhere_and_run_again_it_ends_in_the_same_state(
    gate: Gate, herdbook: Herdbook, tmp_path: Path
) -> None:
    """Before each file is written, and before the gate is told; the gate is killed meanwhile."""
    tokens = [gate.invite(f"n{number}") for number in range(len(PLACES))]
    gate.open()
    for number, token in enumerate(tokens):
        words = ("join", gate.address, token, "--no-start", "--dir", f"n{number}")
        assert interrupted(herdbook, words, number) == 130, PLACES[number]
    gate.kill()
    asked = {f"n{number}": "made" if number < 2 else "bound" for number in range(len(PLACES))}
    assert gate.states() == asked
    gate.open()
    for number, token in enumerate(tokens):
        ran = herdbook("join", gate.address, token, "--no-start", "--dir", f"n{number}")
        assert ran.code == 0, ran.err
        steps = re.findall(r"^(\d) of 4: ", ran.err, re.MULTILINE)
        assert steps == (["1", "3", "4"] if number == len(PLACES) - 1 else ["1", "2", "3", "4"])
        require_whole(tmp_path / f"n{number}", f"n{number}", gate)
    assert gate.closed() == 0
    assert set(gate.states().values()) == {"used"}


def interrupted(herdbook: Herdbook, words: tuple[str, ...], at: int) -> int:
    """Run a command that is interrupted before it writes its file of this number."""
    written: list[object] = []

    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    def count(*files: NewFile) -> None:
        if len(written) == at:
            stop()
        written.append(files)
        write_new(*files)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(place, "write_new", count)
        patched.setattr(coming_in, "_tell_gate", stop)
        return herdbook(*words).code


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("http://localhost/", "TOKEN"), "no address of a gate"),
        (("tcp://localhost", "TOKEN"), "no address of a gate"),
        (("tcp://127.0.0.1:1", "TOKEN"[:-1]), "no token"),
        (("tcp://127.0.0.1:1", "TOKEN"), "cannot be reached"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    gate: Gate, herdbook: Herdbook, words: tuple[str, str], said: str
) -> None:
    """Addresses, tokens, and where nobody is; what is refused at once leaves nothing behind."""
    token = gate.invite("barn")
    held = token if words[1] == "TOKEN" else words[1]
    ran = herdbook("join", words[0], held, "--no-start", "--dir", "barn")
    assert ran.code == 1
    assert said in ran.err
    assert Path("barn").exists() == ("reached" in said)
    assert token not in ran.err


def test_a_directory_of_something_else_is_left_alone(gate: Gate, herdbook: Herdbook) -> None:
    """Settings of another project, a node's key, or what another token has begun."""
    first, second = gate.invite("barn"), gate.invite("shed")
    Path("mine").mkdir()
    Path("mine/herdbook.toml").write_text("[node]\n")
    Path("node/herd").mkdir(parents=True)
    Path("node/herd/node.key").write_text("a key")
    address = "tcp://127.0.0.1:1"
    assert (
        "cannot be reached" in herdbook("join", address, first, "--no-start", "--dir", "begun").err
    )
    for token, directory in ((first, "mine"), (first, "node"), (second, "begun")):
        ran = herdbook("join", address, token, "--no-start", "--dir", directory)
        assert (ran.code, "is there already" in ran.err) == (1, True), ran.err
    assert Path("mine/herdbook.toml").read_text() == "[node]\n"
    assert not Path("mine/herd").exists()
    assert Path("node/herd/node.key").read_text() == "a key"


def test_a_gate_for_nobody_does_not_open(gate: Gate, herdbook: Herdbook) -> None:
    """It says whom to invite; nor does one that listens to whoever knows a socket."""
    words = ("node", "gate", "--ca", str(gate.folder), "--listen")
    ran = herdbook(*words, "tcp:0:interface=127.0.0.1")
    assert ran.code == 1
    assert "node invite" in ran.err
    assert herdbook(*words, "unix:/tmp/gate").code == 2


def test_ranges_and_what_the_newcomer_says_stand_in_its_settings(
    gate: Gate, herdbook: Herdbook, tmp_path: Path
) -> None:
    """So the node knows them when it starts, whoever starts it."""
    blocks = ("--serves", "10.1.0.0/16", "--serves", "2001:db8::/32", "--pool", "10.2.0.0/16")
    token = gate.invite("barn", *blocks, "--peers", "192.0.2.0/24")
    gate.open()
    words = ("join", gate.address, token, "--dir", "barn", "--no-start")
    more = ("--listen", "tcp:8653:interface=192.0.2.11", "--migrations", "revisions")
    assert herdbook(*words, *more, "--records", "farm.records").code == 0
    require_whole(tmp_path / "barn", "barn", gate)
    given = {"database.url": "mysql://me@db/farm"}
    settings = load_configuration(tmp_path / "barn/herdbook.toml", {}, given)
    assert settings.herd.ranges == (
        "serves=10.1.0.0/16",
        "serves=2001:db8::/32",
        "peers=192.0.2.0/24",
        "pool=10.2.0.0/16",
    )
    assert settings.herd.listen == "tcp:8653:interface=192.0.2.11"
    assert settings.node.records == "farm.records"
    assert settings.node.migrations == tmp_path / "revisions"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), "join.records", "--records"),
        (("--records", "no.such.module"), None, "no.such.module"),
        (("--detach", "--no-start"), None, "--no-start"),
        (("--listen", "udp:1"), None, "listener"),
    ],
)
def test_what_could_not_start_is_told_before_the_gate_is_asked(
    gate: Gate, herdbook: Herdbook, words: tuple[str, ...], code: str | None, said: str
) -> None:
    """Nothing is made, and the invitation is as it was."""
    token = gate.invite("barn")
    gate.open()
    ran = herdbook("join", gate.address, token, "--dir", "barn", "--json", *words)
    assert ran.code != 0
    assert said in ran.err
    if code is not None:
        assert ran.error()["code"] == code
    assert not Path("barn").exists()
    assert gate.states() == {"barn": "made"}


def test_revisions_and_classes_are_looked_for_where_the_command_runs(
    gate: Gate, herdbook: Herdbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a project of `herdbook new` both are there; also when the command is repeated."""
    (tmp_path / "orchard_here").mkdir()
    (tmp_path / "orchard_here" / "__init__.py").write_text(ORCHARD)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each != str(tmp_path)])
    monkeypatch.setattr(
        join_start, "start", lambda *_given: importlib.import_module("orchard_here")
    )
    token = gate.invite("barn")
    gate.open()
    words = ("join", gate.address, token, "--dir", "barn", "--records", "orchard_here", "--json")
    ran = herdbook(*words)
    assert ran.error()["code"] == "join.migrations"
    assert gate.states() == {"barn": "made"}
    (tmp_path / "migrations").mkdir()
    for _time in range(2):
        ran = herdbook(*words)
        assert ran.code == 0, ran.err
        sys.path.remove(str(tmp_path))
        del sys.modules["orchard_here"]
    given = {"database.url": "mysql://me@db/farm"}
    settings = load_configuration(tmp_path / "barn" / "herdbook.toml", {}, given)
    assert settings.node.migrations == tmp_path / "migrations"


def test_revisions_that_the_environment_names_are_enough(
    gate: Gate, herdbook: Herdbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not written into the settings, over which it counts."""
    (tmp_path / "orchard_there").mkdir()
    (tmp_path / "orchard_there" / "__init__.py").write_text(ORCHARD)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(join_start, "start", lambda *_given: None)
    monkeypatch.setenv("HERDBOOK_NODE_MIGRATIONS", str(tmp_path / "elsewhere"))
    token = gate.invite("barn")
    gate.open()
    words = ("join", gate.address, token, "--dir", "barn", "--records", "orchard_there")
    ran = herdbook(*words)
    assert ran.code == 0, ran.err
    assert "migrations" not in (tmp_path / "barn" / "herdbook.toml").read_text()


def test_a_token_lets_nobody_in_again_when_it_is_used_withdrawn_or_over(
    gate: Gate, herdbook: Herdbook, tmp_path: Path
) -> None:
    """With the gate open for somebody else; whoever has the token gets no certificate."""
    tokens = {name: gate.invite(name) for name in ("used", "withdrawn", "bound", "over", "open")}
    gate.open()
    words = ("join", gate.address)
    assert herdbook(*words, tokens["used"], "--no-start", "--dir", "used").code == 0
    first = (*words, tokens["bound"], "--no-start", "--dir", "bound")
    assert interrupted(herdbook, first, PLACES.index("the authority")) == 130
    for name in ("withdrawn", "bound"):
        assert herdbook("node", "withdraw", name, "--ca", str(gate.folder)).code == 0
    end(gate, "over")
    refusals = {
        "used": "invitation.taken",
        "withdrawn": "invitation.withdrawn",
        "bound": "invitation.withdrawn",
        "over": "invitation.expired",
    }
    for name, code in refusals.items():
        again = (*words, tokens[name], "--no-start", "--dir", f"thief of {name}", "--json")
        ran = herdbook(*again)
        assert (ran.code, ran.error()["code"]) == (1, code)
        assert not paths_in(tmp_path / f"thief of {name}").certificate.exists()
        assert tokens[name] not in ran.err
    assert herdbook(*first, "--json").error()["code"] == "invitation.withdrawn"
    assert gate.states()["used"] == "used"
    assert herdbook(*words, tokens["open"], "--no-start", "--dir", "open").code == 0


def end(gate: Gate, name: str) -> None:
    """The time of an invitation is over, as far as the gate knows."""
    past = datetime.now(UTC) - timedelta(seconds=1)

    def change(book: Invitations) -> tuple[Invitations, None]:
        return Invitations(
            each._replace(ends=past) if each.name == name else each for each in book
        ), None

    change_kept(gate.folder, change)
