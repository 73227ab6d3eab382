"""`herdbook check` and tokens: whether calls need one, and whether anybody has one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from service.cli.checks import Check, Finding, access, look_at
from service.config import ConfigurationError, load_configuration
from service.token_file import change_tokens
from tests.service.access.tokens import NOW, token

BASE = {
    "HERDBOOK_NODE_RECORDS": "farm.records",
    "HERDBOOK_DATABASE_URL": "mysql://me@db/farm",
}


def found(folder: Path, **settings: str) -> Finding:
    """What is said of the access of a node with its tokens in a folder."""
    file = {"HERDBOOK_ACCESS_TOKENS": str(folder / "tokens")}
    configuration = load_configuration(None, {**BASE, **file, **settings})
    [finding] = look_at(configuration, [Check("access", access)])
    return finding


def test_it_is_told_whether_calls_need_a_token_and_how_many_count(tmp_path: Path) -> None:
    """Nothing of the tokens but their number; one that is over is none."""
    assert found(tmp_path).messages[0].endswith("may do all there; 0 tokens count")
    over = token(2, until=NOW - timedelta(days=400))
    change_tokens(tmp_path / "tokens", lambda book: book.with_token(token(1)).with_token(over))
    finding = found(tmp_path)
    assert finding.passed
    assert finding.messages[0].endswith("may do all there; 1 token counts")
    required = found(tmp_path, HERDBOOK_ACCESS_REQUIRED="true")
    assert required.passed
    assert required.messages == (f"calls need a token; 1 token counts in {tmp_path / 'tokens'}",)


def test_a_node_that_nobody_could_call_is_told(tmp_path: Path) -> None:
    """With what makes a token."""
    finding = found(tmp_path, HERDBOOK_ACCESS_REQUIRED="true")
    assert not finding.passed
    assert "nobody can call" in finding.messages[0]
    assert "`herdbook token add NAME --role admin`" in finding.messages[0]
    file = {"HERDBOOK_ACCESS_TOKENS": str(tmp_path / "tokens")}
    configuration = load_configuration(None, {**BASE, **file, "HERDBOOK_ACCESS_REQUIRED": "true"})
    [finding] = look_at(configuration, [Check("access", access)], ["--dir", "barn"])
    assert "`herdbook token add --dir barn NAME --role admin`" in finding.messages[0]


def test_a_file_that_others_could_write_is_told(tmp_path: Path) -> None:
    """Also where no token is needed: one that is shown would count."""
    change_tokens(tmp_path / "tokens", lambda book: book.with_token(token(1)))
    (tmp_path / "tokens").chmod(0o666)
    finding = found(tmp_path)
    assert not finding.passed
    assert "has mode 666" in finding.messages[0]


@pytest.mark.parametrize("written", ["yes", "1", "True", "", "falsch"])
def test_whether_a_token_is_required_is_not_guessed(tmp_path: Path, written: str) -> None:
    """Two words are taken, and no other."""
    with pytest.raises(ConfigurationError) as caught:
        found(tmp_path, HERDBOOK_ACCESS_REQUIRED=written)
    [problem] = caught.value.problems
    assert problem.where == "environment, HERDBOOK_ACCESS_REQUIRED"
    assert problem.advice.startswith("write true or false")
