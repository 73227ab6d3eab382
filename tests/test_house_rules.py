"""The rules of the house hold for every file, and each rule can be broken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests import house

ROOT = Path(__file__).parents[1]
EVERYTHING = house.modules(ROOT)
CODE = [module for module in EVERYTHING if not module.is_test]
TESTS = [module for module in EVERYTHING if module.is_test]

Rule = Callable[[Iterable[house.Module]], list[str]]


def test_modules_can_be_read_in_one_sitting() -> None:
    """No module is longer than 400 lines."""
    assert house.too_long_modules(EVERYTHING) == []


def test_functions_fit_on_a_screen() -> None:
    """No function is longer than 40 lines, its docstring apart."""
    assert house.too_long_functions(EVERYTHING) == []


def test_most_functions_are_short() -> None:
    """Half of all functions have fewer than ten lines."""
    assert house.median_function(CODE) < house.MEDIAN_FUNCTION_LINES


def test_modules_and_tests_say_what_they_are_about() -> None:
    """Every module and every test has a docstring."""
    assert house.undocumented(EVERYTHING) == []


def test_tests_can_fail() -> None:
    """Every test asserts something."""
    assert house.unasserting_tests(TESTS) == []


def test_imports_run_in_no_circle() -> None:
    """No module imports itself by way of others."""
    assert house.import_cycle(CODE) == []


def test_nothing_promises_later_work() -> None:
    """What is here is done; no line speaks of what should still be."""
    assert house.lines_matching(house.PROMISES, ROOT) == []


def test_nothing_is_tied_to_one_machine() -> None:
    """No file names a folder of somebody's machine or the host of a package registry."""
    found = house.lines_matching(house.MACHINE_PATHS, ROOT)
    assert found + house.lines_matching(house.REGISTRY_HOSTS, ROOT) == []


def test_the_rules_look_at_the_whole_project() -> None:
    """Launcher, packages, tests and settings are all among the files the rules see."""
    seen = {path.relative_to(ROOT).as_posix() for path in house.texts(ROOT)}
    expected = {"herdbook", ".ci/run", "pyproject.toml", "service/errors.py", "tests/conftest.py"}
    assert expected <= seen


def planted(folder: Path, name: str, text: str) -> list[house.Module]:
    """A project that holds only this one file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return house.modules(folder)


LONG_BODY = "    a = 1\n" * 41
BREAKERS: dict[str, tuple[Rule, str]] = {
    "long module": (house.too_long_modules, '"""A."""\n' * 401),
    "long function": (house.too_long_functions, f'def f():\n    """A."""\n{LONG_BODY}'),
    "module without docstring": (house.undocumented, "a = 1\n"),
    "test without docstring": (house.undocumented, '"""A."""\ndef test_a():\n    assert 1\n'),
    "test without assertion": (house.unasserting_tests, "def test_a():\n    f()\n"),
}


@pytest.mark.parametrize(("rule", "text"), BREAKERS.values(), ids=BREAKERS.keys())
def test_each_rule_finds_its_planted_fault(rule: Rule, text: str, tmp_path: Path) -> None:
    """A file that breaks a rule is found by that rule."""
    assert len(rule(planted(tmp_path, "tests/test_planted.py", text))) == 1


def test_a_circle_of_imports_is_found(tmp_path: Path) -> None:
    """Two modules that import each other are both named."""
    planted(tmp_path, "room/one.py", "from room import two\n")
    found = planted(tmp_path, "room/two.py", "import room.one\n")
    assert set(house.import_cycle(found)) == {"room.one", "room.two"}


def test_a_test_may_assert_through_a_helper(tmp_path: Path) -> None:
    """A test that calls a checking helper of another file is no silent test."""
    planted(tmp_path, "tests/helpers.py", "def same():\n    assert 1\n")
    found = planted(tmp_path, "tests/test_planted.py", "def test_a():\n    same()\n")
    assert house.unasserting_tests(found) == []


FORBIDDEN = {
    "later work": (house.PROMISES, "a = 1  # TO" + "DO: more"),
    "a folder of one machine": (house.MACHINE_PATHS, "path = '/ho" + "me/someone'"),
    "a registry": (house.REGISTRY_HOSTS, "url = 'https://py" + "pi.org/simple'"),
}


@pytest.mark.parametrize(("pattern", "line"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_each_forbidden_text_is_found(pattern: re.Pattern[str], line: str, tmp_path: Path) -> None:
    """A line that should not be there is named with its file and number."""
    planted(tmp_path, "room/one.py", f"\n{line}\n")
    assert house.lines_matching(pattern, tmp_path) == [f"room/one.py:2 {line}"]
