"""The bugs can be planted: their texts stand in the sources, and their tests are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plants.bugs import BUGS, Bug
from tests.plants.planting import FAILED, PASSED, ROOT, NotPlanted, planted, verdict


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_can_be_planted(bug: Bug) -> None:
    """What it replaces stands once in its file, and something else comes in its place."""
    assert (ROOT / bug.file).read_text().count(bug.old) == 1
    assert bug.new != bug.old
    assert all((ROOT / test).exists() for test in bug.tests)


def test_a_bug_is_there_for_the_time_of_a_block(tmp_path: Path) -> None:
    """Its tests fail while it is planted, and pass before and after that."""
    (tmp_path / "one.py").write_text("ONE = 1\n")
    (tmp_path / "test_one.py").write_text("import one\ndef test_it():\n    assert one.ONE == 1\n")
    bug = Bug("two", "one.py", "= 1", "= 2", ("test_one.py",))
    assert verdict(tmp_path, bug.tests)[0] == PASSED
    with planted(tmp_path, bug):
        assert verdict(tmp_path, bug.tests)[0] == FAILED
    assert verdict(tmp_path, bug.tests)[0] == PASSED


def test_a_bug_whose_text_has_gone_is_told(tmp_path: Path) -> None:
    """It would be green for ever."""
    (tmp_path / "one.py").write_text("ONE = 1\n")
    with (
        pytest.raises(NotPlanted, match="stands 0 times"),
        planted(tmp_path, Bug("two", "one.py", "= 3", "= 2", ())),
    ):
        pass
