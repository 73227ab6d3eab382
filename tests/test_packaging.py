"""`pip install .` brings all there is: every module, and every file a module needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("records", "schema", "migrations", "service", "examples")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """What pip would unpack, built from a copy of the project."""
    project = tmp_path_factory.mktemp("project")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, project)
    built = tmp_path_factory.mktemp("built")
    subprocess.run(
        [sys.executable, "-c", BUILD, built], cwd=project, check=True, capture_output=True
    )
    return zipfile.Path(next(built.glob("*.whl")))


def test_every_file_of_every_package_is_installed(installed: zipfile.Path) -> None:
    """Templates, settings and revisions come along with the modules."""
    expected = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected - set(installed.root.namelist()) == set()


def test_nothing_else_is_installed(installed: zipfile.Path) -> None:
    """Only the packages and their description arrive: no tests, no tools."""
    arrived = {name.partition("/")[0].partition("-")[0] for name in installed.root.namelist()}
    assert arrived == {*PACKAGES, "herdbook"}


def test_the_command_is_installed(installed: zipfile.Path) -> None:
    """The installed `herdbook` is the same command line as the launcher's."""
    described = next(each for each in installed.iterdir() if each.name.endswith(".dist-info"))
    entry_points = (described / "entry_points.txt").read_text()
    assert "herdbook = service.cli.main:main" in entry_points
