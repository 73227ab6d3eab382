"""From file and environment to a configuration: layers, origins, paths, passwords."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest

from service.config import (
    Configuration,
    ConfigurationError,
    effective_values,
    example_toml,
    find_file,
    load_configuration,
)
from service.config.values import settings
from service.rpc.limits import Limits
from service.store.settings import SessionSettings

SMALLEST = """\
[node]
records = "farm.records"

[database]
url = "mysql://me:hush@db/farm"
"""


def written(folder: Path, text: str = SMALLEST) -> Path:
    """A configuration file in a folder."""
    path = folder / "herdbook.toml"
    path.write_text(text, encoding="utf-8")
    return path


def origins(configuration: Configuration) -> dict[str, str]:
    """Who set each key."""
    return {one.name: one.origin for one in effective_values(configuration)}


def test_the_smallest_file_is_enough(tmp_path: Path) -> None:
    """Two keys are needed; every other one has its default, and listeners stay on this machine."""
    configuration = load_configuration(written(tmp_path), {})
    assert configuration.node.records == "farm.records"
    assert configuration.database.url.host == "db"
    assert configuration.limits == Limits()
    assert (configuration.lanes.read, configuration.lanes.write) == (4, 4)
    assert configuration.listen.rpc == "tcp:8650:interface=127.0.0.1"
    assert configuration.folder == tmp_path


def test_a_configuration_cannot_be_changed(tmp_path: Path) -> None:
    """What was checked once stays as it was checked."""
    configuration = load_configuration(written(tmp_path), {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        configuration.lanes.read = 9  # type: ignore[misc]


def test_the_environment_counts_more_than_the_file(tmp_path: Path) -> None:
    """A HERDBOOK_ variable wins, of whatever type its key is, and is named as the origin."""
    environment = {
        "HERDBOOK_DATABASE_URL": "mysql://other@db/farm",
        "HERDBOOK_LISTEN_RPC": "tcp:0:interface=127.0.0.1",
        "HERDBOOK_LIMITS_CALL_SECONDS": "2.5",
        "HERDBOOK_LANES_READ": "7",
    }
    configuration = load_configuration(written(tmp_path), environment)
    assert configuration.database.url.user == "other"
    assert configuration.listen.rpc == "tcp:0:interface=127.0.0.1"
    assert configuration.limits.call_seconds == 2.5
    assert configuration.lanes.read == 7
    assert origins(configuration)["lanes.read"] == "environment, HERDBOOK_LANES_READ"


def test_what_the_command_line_gives_counts_most(tmp_path: Path) -> None:
    """A command's own option wins over the environment and the file."""
    configuration = load_configuration(
        written(tmp_path),
        {"HERDBOOK_DATABASE_URL": "mysql://other@db/farm"},
        {"database.url": "mysql://third@db/farm", "lanes.write": 2},
    )
    assert configuration.database.url.user == "third"
    assert configuration.lanes.write == 2
    assert origins(configuration)["database.url"] == "command line"


def test_the_environment_alone_is_enough() -> None:
    """A container needs no file."""
    environment = {
        "HERDBOOK_NODE_RECORDS": "farm.records",
        "HERDBOOK_DATABASE_URL": "mysql://me@db/farm",
    }
    configuration = load_configuration(None, environment)
    assert configuration.node.records == "farm.records"
    assert configuration.folder == Path.cwd()


def test_a_herd_is_nothing_unless_it_is_written(tmp_path: Path) -> None:
    """Without [herd] nothing of it runs; file and environment name a listener and siblings."""
    path = written(tmp_path)
    assert not load_configuration(path, {}).herd.is_wanted
    herd = '[herd]\nlisten = "unix:/run/a.sock"\nsiblings = ["tcp:127.0.0.1:7001"]\n'
    path = written(tmp_path, SMALLEST + herd)
    configuration = load_configuration(path, {})
    assert configuration.herd.listen == "unix:/run/a.sock"
    assert configuration.herd.siblings == ("tcp:127.0.0.1:7001",)
    environment = {
        "HERDBOOK_HERD_LISTEN": "",
        "HERDBOOK_HERD_SIBLINGS": "unix:/run/b.sock  tcp:127.0.0.1:7002",
    }
    configuration = load_configuration(path, environment)
    assert configuration.herd.listen == ""
    assert configuration.herd.siblings == ("unix:/run/b.sock", "tcp:127.0.0.1:7002")
    shown = {one.name: one.value for one in effective_values(configuration)}
    assert shown["herd.siblings"] == "unix:/run/b.sock tcp:127.0.0.1:7002"


def test_each_value_tells_where_it_comes_from(tmp_path: Path) -> None:
    """An operator sees file and line, variable, or default."""
    path = written(tmp_path)
    told = origins(load_configuration(path, {"HERDBOOK_LOG_LEVEL": "debug"}))
    assert told["database.url"] == f"{path}, line 5"
    assert told["log.level"] == "environment, HERDBOOK_LOG_LEVEL"
    assert told["lanes.read"] == "default"
    assert list(told) == [setting.name for setting in settings()]


def test_paths_start_where_they_are_written(tmp_path: Path) -> None:
    """A path in the file is taken from the file's folder, one in a variable from the current."""
    path = written(tmp_path, SMALLEST.replace("[node]", '[node]\nmigrations = "steps"'))
    assert load_configuration(path, {}).node.migrations == tmp_path / "steps"
    variable = {"HERDBOOK_NODE_MIGRATIONS": "steps"}
    assert load_configuration(path, variable).node.migrations == Path.cwd() / "steps"


def test_a_password_can_live_in_a_file_of_its_own(tmp_path: Path) -> None:
    """The file's one line, without its line break, becomes the URL's password."""
    (tmp_path / "secret").write_text("p@ss/ wörd\n", encoding="utf-8")
    text = SMALLEST.replace(":hush", "") + 'password_file = "secret"\n'
    url = load_configuration(written(tmp_path, text), {}).database.url
    assert url.password == "p@ss/ wörd"
    assert "wörd" not in str(url)


def test_the_password_is_in_no_rendering(tmp_path: Path) -> None:
    """Neither the list of values nor any repr shows it."""
    configuration = load_configuration(written(tmp_path), {})
    values = {one.name: one.value for one in effective_values(configuration)}
    assert values["database.url"] == "mysql://me:***@db/farm"
    assert "hush" not in repr(configuration)
    assert "hush" not in repr(values)


def test_the_example_is_valid_as_it_stands(tmp_path: Path) -> None:
    """What `check --example` prints can be read back at once."""
    configuration = load_configuration(written(tmp_path, example_toml()), {})
    assert configuration.node.records == "farm.records"


def test_the_example_without_comment_signs_is_complete_and_valid(tmp_path: Path) -> None:
    """With every key taken in, the example still loads, and says the defaults."""
    lines = example_toml().splitlines()
    shown = [line.removeprefix("# ") if " = " in line else line for line in lines]
    # These name files that a node without TLS or a password does not have, or has elsewhere.
    files = {"database.password_file", "access.tokens", "listen.certificate", "listen.key"}
    files |= {"herd.certificate", "herd.key", "herd.ca"}
    left_out = tuple(f"{name.partition('.')[2]} = " for name in files)
    text = "\n".join(line for line in shown if not line.startswith(left_out))
    document = tomllib.loads(text)
    keys = {f"{section}.{key}" for section, table in document.items() for key in table}
    assert keys == {setting.name for setting in settings()} - files
    plain = load_configuration(written(tmp_path, example_toml()), {})
    full = load_configuration(written(tmp_path, text), {})
    assert dataclasses.replace(full, origins={}) == dataclasses.replace(plain, origins={})


def test_every_default_would_be_accepted_if_it_were_written() -> None:
    """No key has a default that its own rules refuse."""
    for setting in settings():
        if not setting.required and setting.default is not None:
            read = setting.reader.read(setting.default, textual=False)
            assert read == setting.default, setting.name


def test_the_database_waits_as_long_by_default_as_the_store_does() -> None:
    """The defaults of the file and those of a bare session are the same numbers."""
    defaults = {setting.name: setting.default for setting in settings()}
    for name in ("connect_seconds", "statement_seconds", "lock_wait_seconds"):
        assert defaults[f"database.{name}"] == getattr(SessionSettings(), name)


@pytest.mark.parametrize(("word", "value"), [("true", True), ("false", False)])
def test_what_is_allowed_by_name_is_a_yes_or_a_no(tmp_path: Path, word: str, value: bool) -> None:
    """In the file and in the environment alike; by default it is not allowed."""
    file = written(tmp_path, f"{SMALLEST}\nallow_not_durable = {word}\n")
    assert load_configuration(file, {}).database.allow_not_durable is value
    variable = {"HERDBOOK_DATABASE_ALLOW_NOT_DURABLE": word}
    assert load_configuration(written(tmp_path), variable).database.allow_not_durable is value
    assert load_configuration(written(tmp_path), {}).database.allow_not_durable is False
    refused = written(tmp_path, f'{SMALLEST}\nallow_not_durable = "{word}"\n')
    with pytest.raises(ConfigurationError, match="stands where true or false belongs"):
        load_configuration(refused, {})


def test_variables_of_other_tools_are_left_alone() -> None:
    """What Kubernetes injects for a service called herdbook, or the tests read, is no mistake."""
    environment = {
        "HERDBOOK_NODE_RECORDS": "farm.records",
        "HERDBOOK_DATABASE_URL": "mysql://me@db/farm",
        "HERDBOOK_SERVICE_HOST": "10.0.0.1",
        "HERDBOOK_SERVICE_PORT_RPC": "8650",
        "HERDBOOK_PORT_8650_TCP_ADDR": "10.0.0.1",
        "HERDBOOK_TEST_SERVERS": "mariadb",
        "HERDBOOK_DEBUG": "1",
        "UNRELATED": "x",
    }
    assert load_configuration(None, environment).node.records == "farm.records"


def test_the_file_is_found_in_the_order_told(tmp_path: Path) -> None:
    """--config first, then HERDBOOK_CONFIG, then herdbook.toml here, else none."""
    assert find_file(None, {}, tmp_path) is None
    default = written(tmp_path)
    assert find_file(None, {}, tmp_path) == default
    named = {"HERDBOOK_CONFIG": "/etc/other.toml"}
    assert find_file(None, named, tmp_path) == Path("/etc/other.toml")
    assert find_file(Path("given.toml"), named, tmp_path) == Path("given.toml")


def test_a_file_from_windows_is_read(tmp_path: Path) -> None:
    """A byte order mark and CRLF line ends are no mistakes, and lines are counted rightly."""
    path = tmp_path / "herdbook.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode())
    assert origins(load_configuration(path, {}))["database.url"].endswith("line 5")


@pytest.mark.parametrize(
    "text",
    [
        'node.records = "farm.records"\ndatabase.url = "mysql://me@db/farm"\nlanes.read = 0\n',
        SMALLEST + '[log]\n# lanes\n["lanes"]\n\n\nread = 0',
        SMALLEST + '[log]\n# """\n[lanes]\nread = 0',
        SMALLEST.replace('"farm.records"', '"""\\\n\n  farm.records"""') + "[lanes]\nread = 0",
    ],
)
def test_the_line_of_a_mistake_is_found_however_it_is_written(tmp_path: Path, text: str) -> None:
    """Dotted keys, quoted headings and comments do not confuse the line numbers."""
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(written(tmp_path, text), {})
    expected = next(n for n, line in enumerate(text.splitlines(), 1) if line.endswith("read = 0"))
    assert [problem.line for problem in caught.value.problems] == [expected]
