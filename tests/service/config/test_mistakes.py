"""Broken configurations: each mistake is told with its place and what to do, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.config import ConfigurationError, Problem, load_configuration

NODE = '[node]\nrecords = "farm.records"\n'
DATABASE = '[database]\nurl = "mysql://me:hush@db/farm"\n'
GOOD = NODE + DATABASE

# name: (text, the place, pieces of the message and the advice)
BROKEN: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "nothing in it, url": ("", "[database] url", ("missing", "HERDBOOK_DATABASE_URL")),
    "nothing in it, records": ("", "[node] records", ("missing", "HERDBOOK_NODE_RECORDS")),
    "a section that is missing": (DATABASE, "[node] records", ("missing", "under [node]")),
    "a key misspelt": (GOOD + '[log]\nlevl = "info"', "line 6, [log] levl", ("mean level?",)),
    "a section misspelt": (GOOD + "[lane]\nread = 1", "line 5, [lane]", ("mean lanes?",)),
    "an unknown section": (GOOD + "[zoo]\n", "line 5, [zoo]", ("the sections are: node,",)),
    "an unknown key": (GOOD + "[lanes]\nq = 1", "[lanes] q", ("its keys are: read, write",)),
    "a key in the wrong section": (
        '[node]\nrecords = "a"\nurl = "mysql://me@db/x"\n',
        "line 3, [node] url",
        ("url belongs in [database]",),
    ),
    "a key in no section": (
        'url = "mysql://me@db/x"\n' + NODE,
        "line 1, [url]",
        ("url belongs in [database]",),
    ),
    "a section that is text": ('lanes = "4"\n' + GOOD, "line 1, [lanes]", ("write [lanes] on a",)),
    "a section twice over": (
        GOOD + "[[lanes]]\nread = 1",
        "line 5, [lanes]",
        ("a section belongs",),
    ),
    "text for a number": (
        GOOD + '[lanes]\nread = "4"',
        "line 6, [lanes] read",
        ("text ('4') stands where a whole number belongs", "from 1 to 256"),
    ),
    "true for a number": (GOOD + "[lanes]\nread = true", "[lanes] read", ("true or false (true)",)),
    "a fraction for a number": (GOOD + "[lanes]\nread = 1.5", "[lanes] read", ("fraction (1.5)",)),
    "a number for text": ("[node]\nrecords = 7\n" + DATABASE, "[node] records", ("number (7)",)),
    "a list for text": ("[node]\nrecords = []\n" + DATABASE, "[node] records", ("a list stands",)),
    "a date for text": (
        "[node]\nrecords = 2026-01-01\n" + DATABASE,
        "[node] records",
        ("a date or time stands",),
    ),
    "too few": (GOOD + "[lanes]\nread = 0", "[lanes] read", ("0 is out of range", "from 1 to 256")),
    "too many": (GOOD + "[lanes]\nread = 257", "[lanes] read", ("257 is out of range",)),
    "a huge number": (GOOD + "[lanes]\nread = " + "9" * 400, "[lanes] read", ("out of range",)),
    "endless seconds": (
        GOOD + "[limits]\ncall_seconds = inf",
        "[limits]",
        ("inf is out of range",),
    ),
    "no seconds": (GOOD + "[limits]\ncall_seconds = nan", "[limits]", ("nan is out of range",)),
    "text for seconds": (
        GOOD + '[limits]\ncall_seconds = "1s"',
        "[limits]",
        ("number of seconds",),
    ),
    "a body of no size": (GOOD + "[limits]\nbody_bytes = 1", "[limits] body_bytes", ("1024 to",)),
    "nesting beyond reading": (
        GOOD + "[limits]\nnesting = 9999",
        "[limits] nesting",
        ("4 to 512",),
    ),
    "no such level": (GOOD + '[log]\nlevel = "warn"', "[log] level", ("did you mean warning?",)),
    "a level in capitals": (GOOD + '[log]\nlevel = "INFO"', "[log] level", ("mean info?",)),
    "empty text": ('[node]\nrecords = ""\n' + DATABASE, "[node] records", ("it is empty",)),
    "a file for a module": (
        '[node]\nrecords = "farm/records.py"\n' + DATABASE,
        "[node] records",
        ("no module name", "not its file"),
    ),
    "a keyword in a module": (
        '[node]\nrecords = "farm.class"\n' + DATABASE,
        "[node] records",
        ("no module name",),
    ),
    "a name with a space": ('[node]\nname = "a b"\n' + DATABASE, "[node] name", ("is no name",)),
    "an address of another kind": (
        NODE + '[database]\nurl = "postgres://me:hush@db/farm"',
        "line 4, [database] url",
        ("begin with mysql:// or mariadb://",),
    ),
    "an address with a typo": (
        NODE + '[database]\nurl = "mysql://me:hush@db/farm?ssl_c=/ca.pem"',
        "[database] url",
        ("did you mean ssl_ca?",),
    ),
    "a password beside a password": (
        GOOD + 'password_file = "x"',
        "line 5, [database] password_file",
        ("a password as well", "leave one"),
    ),
    "no password in sight": (
        NODE + '[database]\nurl = "mysql://me@db/farm"\npassword_file = "nowhere"',
        "[database] password_file",
        ("No such file", "only line is the password"),
    ),
    "a listener for the world": (
        GOOD + '[listen]\nrpc = "tcp:8650"',
        "line 6, [listen] rpc",
        ("whole network", "required = true under [access]"),
    ),
    "a listener on all addresses": (
        GOOD + '[listen]\nrpc = "tcp:8650:interface=0.0.0.0"',
        "[listen] rpc",
        ("0.0.0.0 is not the loopback", "required = true under [access]"),
    ),
    "an admin listener on the network": (
        GOOD + '[listen]\nadmin = "tcp6:8651:interface=\\\\:\\\\:"',
        "[listen] admin",
        (":: is not the loopback",),
    ),
    "a listener with TLS": (
        GOOD + '[listen]\nrpc = "ssl:443:interface=127.0.0.1"',
        "[listen] rpc",
        ("no listener of kind 'ssl'", 'key = "FILE" under [listen]'),
    ),
    "a sibling far away": (
        GOOD + '[herd]\nsiblings = ["unix:/run/x", "tcp:10.0.0.7:7001"]',
        "line 6, [herd] siblings",
        ("10.0.0.7 is not the loopback", "links without TLS stay on this machine"),
    ),
    "a sibling alone": (
        GOOD + '[herd]\nsiblings = "tcp:127.0.0.1:7001"',
        "line 6, [herd] siblings",
        ("where a list of texts belongs", "within [ ]"),
    ),
    "a sibling that is a number": (
        GOOD + "[herd]\nsiblings = [7001]",
        "[herd] siblings",
        ("a whole number (7001) stands where text belongs", "tcp:127.0.0.1:PORT"),
    ),
    "a sibling twice": (
        GOOD + '[herd]\nsiblings = ["unix:/run/x", "unix:/run/x"]',
        "[herd] siblings",
        ("stands there twice",),
    ),
    "a herd that listens to the network": (
        GOOD + '[herd]\nlisten = "tcp:7001"',
        "line 6, [herd] listen",
        ("whole network",),
    ),
    "a herd on the port of calls": (
        GOOD + '[herd]\nlisten = "tcp:8650:interface=127.0.0.1"',
        "line 6, [herd] listen",
        ("listen.rpc and herd.listen are both on port 8650",),
    ),
    "two listeners on one port": (
        GOOD + '[listen]\nadmin = "tcp:8650:interface=127.0.0.1"',
        "line 6, [listen] admin",
        ("listen.rpc and listen.admin are both on port 8650",),
    ),
    "a listener on the port that another has by default": (
        GOOD + '[listen]\nadmin = "tcp:8652:interface=127.0.0.1"',
        "line 6, [listen] admin",
        ("both on port 8652, which is the default of listen.stream",),
    ),
    "a stalled subscriber with no time at all": (
        GOOD + "[feed]\nstall_seconds = 0",
        "line 6, [feed] stall_seconds",
        ("0 is out of range",),
    ),
    "no TOML": (GOOD + "[lanes\n", "line 5", ("not valid TOML",)),
    "a key twice": (GOOD + 'url = "mysql://me:hush@db/x"', "line 5", ("not valid TOML",)),
    "a number beyond numbers": ("x = " + "9" * 5000, "herdbook.toml", ("not valid TOML",)),
}


def problems_of(path: Path | None, environment: dict[str, str] | None = None) -> list[Problem]:
    """What is wrong with a configuration."""
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(path, environment or {})
    return list(caught.value.problems)


def written(folder: Path, text: str) -> Path:
    """The text as a configuration file."""
    path = folder / "herdbook.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_told_with_its_place_and_what_to_do(tmp_path: Path, name: str) -> None:
    """The file, the line where it is known, section and key, the reason, the advice."""
    text, place, pieces = BROKEN[name]
    problems = problems_of(written(tmp_path, text))
    told = "\n".join(map(str, problems))
    assert any(place in problem.where for problem in problems), told
    for piece in pieces:
        assert piece in told
    assert "hush" not in told


@pytest.mark.parametrize("name", [name for name in BROKEN if BROKEN[name][0].startswith(GOOD)])
def test_one_mistake_makes_one_problem(tmp_path: Path, name: str) -> None:
    """A single slip is not told as several."""
    assert len(problems_of(written(tmp_path, BROKEN[name][0]))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[nodes]\n" + NODE.split("\n", 1)[1] + DATABASE,
        NODE + '[database]\nulr = "mysql://me@db/farm"',
        '[node]\nrecords = "a"\nurl = "mysql://me@db/x"\n',
    ],
)
def test_a_misspelt_required_key_is_not_also_called_missing(tmp_path: Path, text: str) -> None:
    """The typo is told once; that the right spelling is absent follows from it."""
    assert len(problems_of(written(tmp_path, text))) == 1


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Six mistakes in file and environment make six problems, in the order of the file."""
    text = '[node]\nrecords = 7\n[lanes]\nread = 0\nwrit = 1\n[listen]\nrpc = "tcp:1"\n'
    problems = problems_of(written(tmp_path, text), {"HERDBOOK_LOG_LEVL": "info"})
    assert [problem.line for problem in problems] == [2, 4, 5, 7, None, None]


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("HERDBOOK_DATABSE_URL", "x", "did you mean HERDBOOK_DATABASE_URL?"),
        ("HERDBOOK_RECORDS", "x", "did you mean HERDBOOK_NODE_RECORDS?"),
        ("HERDBOOK_ZZZZZZZZZZZZZZZZ", "x", "names are HERDBOOK_SECTION_KEY"),
        ("HERDBOOK_DATABASE_ALLOW_NOT_DURABLE", "yes", "stands where true or false belongs"),
        ("HERDBOOK_DATABASE_ALLOW_NOT_DURABLE", "True", "stands where true or false belongs"),
        ("HERDBOOK_LANES_READ", "many", "text ('many') stands where a whole number belongs"),
        ("HERDBOOK_LANES_READ", "", "stands where a whole number belongs"),
        ("HERDBOOK_LANES_READ", "1_0", "stands where a whole number belongs"),
        ("HERDBOOK_LANES_READ", "9" * 5000, "stands where a whole number belongs"),
        ("HERDBOOK_LIMITS_CALL_SECONDS", "1e1", "number of seconds"),
        ("HERDBOOK_DATABASE_URL", "mysql://me:hush", "the user is missing"),
        ("HERDBOOK_LISTEN_RPC", "tcp:8650", "whole network"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(
    tmp_path: Path, variable: str, text: str, message: str
) -> None:
    """The environment is checked like the file, and its mistakes name the variable."""
    problems = problems_of(written(tmp_path, GOOD), {variable: text})
    assert problems[0].where == f"environment, {variable}"
    assert message in str(problems[0])
    assert "hush" not in str(problems[0])


def test_a_wrong_value_that_is_laid_over_does_not_matter(tmp_path: Path) -> None:
    """The environment can repair what the file has wrong."""
    path = written(tmp_path, GOOD + "[lanes]\nread = 0")
    assert load_configuration(path, {"HERDBOOK_LANES_READ": "3"}).lanes.read == 3


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, a folder, no text at all: each is one problem that names the path."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"[node]\n\xff\xfe")
    large = tmp_path / "large"
    large.write_bytes(b"#" * 1_000_001)
    cases = {
        tmp_path / "nowhere": "No such file",
        tmp_path: "Is a directory",
        binary: "not UTF-8",
        large: "larger than",
    }
    for path, message in cases.items():
        (problem,) = problems_of(path)
        assert str(path) in problem.where
        assert message in str(problem)


def test_the_line_of_bytes_that_are_no_text_is_told(tmp_path: Path) -> None:
    """A file in another encoding is refused at the line where it stops being UTF-8."""
    path = tmp_path / "latin"
    path.write_bytes(b'[node]\nname = "caf\xe9"\n')
    assert problems_of(path)[0].line == 2


@pytest.mark.parametrize("content", ["", "a\nb\n", "x" * 5000])
def test_a_password_file_holds_exactly_one_line(tmp_path: Path, content: str) -> None:
    """Nothing, or more than a password, is refused without quoting it."""
    (tmp_path / "secret").write_text(content, encoding="utf-8")
    text = NODE + '[database]\nurl = "mysql://me@db/farm"\npassword_file = "secret"'
    (problem,) = problems_of(written(tmp_path, text))
    assert "exactly one line" in problem.message
