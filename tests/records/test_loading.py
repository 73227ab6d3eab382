"""A record module is loaded by name, and what is wrong with it is told with its place."""

from __future__ import annotations

from typing import Any

import pytest

from records.catalogue import load_catalogue
from records.errors import DeclarationError


def test_a_module_is_loaded_by_name(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Classes that the module declares or imports are in; abstract ones are not."""
    (tmp_path / "some_records.py").write_text(
        "from records import Record, Text\n"
        "from tests.live.every_kind import Farm\n"
        "class Named(Record):\n"
        "    __abstract__ = True\n"
        "    name = Text(length=20)\n"
        "class Town(Named):\n"
        "    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert {"farm", "town"} <= set(load_catalogue("some_records").records)
    assert "named" not in load_catalogue("some_records").records


def test_a_module_that_is_not_there_is_a_problem() -> None:
    """The name that is missing is the one the user gave."""
    with pytest.raises(DeclarationError) as caught:
        load_catalogue("no_such_records")
    assert caught.value.problems == (
        "the record module no_such_records does not exist on the import path",
    )


def test_a_module_that_fails_is_a_problem_with_file_and_line(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user is led to the line, whatever it raised."""
    (tmp_path / "broken_records.py").write_text("import uuid\n\nlength = 1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeclarationError) as caught:
        load_catalogue("broken_records")
    (problem,) = caught.value.problems
    assert problem.startswith("the record module broken_records fails: ZeroDivisionError")
    assert problem.endswith("broken_records.py, line 3)")


def test_a_wrong_option_is_placed_at_the_users_line(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at the line of ours that took offence."""
    (tmp_path / "lenient_records.py").write_text(
        "from records import Record, Text\n\nclass Cow(Record):\n    name = Text(lenght=4)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeclarationError) as caught:
        load_catalogue("lenient_records")
    (problem,) = caught.value.problems
    assert "lenght" in problem
    assert problem.endswith("lenient_records.py, line 4)")


def test_a_syntax_error_is_a_problem_with_file_and_line(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is that of the module, not of Python's importer."""
    (tmp_path / "crooked_records.py").write_text("a = 1\nb = = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeclarationError) as caught:
        load_catalogue("crooked_records")
    assert "crooked_records.py, line 2" in caught.value.problems[0]


def test_what_a_module_cannot_import_is_named(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing library is not mistaken for the module itself."""
    (tmp_path / "needy_records.py").write_text("import needed_library\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeclarationError, match="No module named 'needed_library'"):
        load_catalogue("needy_records")


def test_a_missing_library_is_not_taken_for_the_module(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name may be the beginning of the module's."""
    (tmp_path / "requests_gone_app.py").write_text("import requests_gone\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DeclarationError) as caught:
        load_catalogue("requests_gone_app")
    (problem,) = caught.value.problems
    assert "No module named 'requests_gone'" in problem
