"""The story of a seed at which a rule breaks can be read."""

from __future__ import annotations

import re

import pytest

from service.simulation.run import Run, run
from service.simulation.setting import Options
from service.simulation.telling import told
from tests.simulation.plants import PLANTS
from tests.simulation.test_planted_bugs import first_red

LINE = re.compile(r" *\d+:\d\d\.\d{3}  ([A-Z]  |broken: )\S?")


@pytest.fixture
def failed(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A seed in which a value is gone without a trace."""
    plant = PLANTS["their losses untold"]
    plant.put_in(monkeypatch)
    ended = first_red(plant)
    assert ended is not None
    return ended


def rows_of(line: str) -> set[str]:
    """The rows that a line names."""
    return set(re.findall(r"\b[abc] \d+\b", line))


def test_a_story_is_of_the_rows_in_question(failed: Run) -> None:
    """What else happened is left out, and told where the whole is wanted.

    But what a database refuses is told, and what a row waits for.
    """
    assert failed.broken is not None
    (place,) = failed.broken.places
    row = f"{place[0]} {place[1][0]}"
    story = told(failed)
    lines = [line for line in story[1:] if "refuses" not in line and "holds" not in line]
    assert set().union(*map(rows_of, lines)) == {row}
    assert len(told(failed, whole=True)) > 2 * len(story)


def test_a_story_runs_in_order_up_to_the_broken_rule(failed: Run) -> None:
    """It begins with the herd, has a time and a node in each line, and ends with the rows."""
    head, *lines = told(failed)
    end = next(number for number, line in enumerate(lines) if "broken: balance" in line)
    assert head.startswith(f"seed {failed.seed}: {len(failed.nodes)} nodes, links A-B")
    assert all(LINE.match(line) for line in lines[: end + 1])
    times = [line.split("  ")[0 if line[0] != " " else 1] for line in lines[: end + 1]]
    assert times == sorted(times)
    assert len(lines) - end - 1 == 1 + len(failed.nodes)


def test_a_story_tells_what_waits_and_what_became_of_it() -> None:
    """Why a row was held, and how it was taken at last."""
    story = "\n".join(told(run(1, Options(faults=("poison", "migration"))), whole=True))
    assert re.search(r"  [A-D]  migrates\n", story)
    assert re.search(r"  [A-D]  refuses what comes for [abc] \d+", story)
    assert re.search(r"  [A-D]    holds [abc] \d+ \(.+\): (live|dead), life \d+", story)
    assert re.search(r"  [A-D]  tries again what it holds\n.*  [abc] \d+ is (live|dead)", story)


def test_a_story_tells_who_wrote_what_and_what_became_of_it(failed: Run) -> None:
    """The lost value's insert or update stands there, and how the other value came."""
    story = "\n".join(told(failed))
    assert re.search(r"  [AB]  writes [abc] \d+: inserts id=", story)
    assert re.search(r"  [AB]  applies part 0, the last of delta \d+ from [AB], which has", story)
    assert re.search(r"  [AB]      becomes live, life \d+ @-?\d+\.\d+[AB] id=", story)
