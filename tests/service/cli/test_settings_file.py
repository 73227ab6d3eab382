"""Which configuration file counts for a node on a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.cli.options import read_configuration, settings_file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with settings of its own and a directory barn that has others."""
    monkeypatch.delenv("HERDBOOK_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "barn").mkdir()
    for place, name in ((tmp_path, "shed"), (tmp_path / "barn", "barn")):
        (place / "herdbook.toml").write_text(f'[node]\nname = "{name}"\nrecords = "garden"\n')
    return tmp_path


def test_a_directory_with_settings_of_its_own_is_run_by_them(folder: Path) -> None:
    """Not by those of another node, which may lie here: its data would get the wrong name."""
    assert settings_file(None, Path("barn")) == Path("barn/herdbook.toml")
    given = {"database.url": "mysql://root@localhost/herdbook"}
    assert read_configuration(None, given, folder / "barn").node.name == "barn"
    assert read_configuration(None, given).node.name == "shed"


def test_a_directory_without_settings_is_run_by_those_here(folder: Path) -> None:
    """As the first node of a project is."""
    (folder / "barn" / "herdbook.toml").unlink()
    assert settings_file(None, Path("barn")) == Path("herdbook.toml")
    (folder / "herdbook.toml").unlink()
    assert settings_file(None, Path("barn")) is None


def test_who_names_a_file_means_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the option, or by the environment."""
    assert settings_file(Path("herdbook.toml"), Path("barn")) == Path("herdbook.toml")
    monkeypatch.setenv("HERDBOOK_CONFIG", "herdbook.toml")
    assert settings_file(None, Path("barn")) == Path("herdbook.toml")
