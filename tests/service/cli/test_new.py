"""`herdbook new`: a starter project that works, or nothing at all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from importlib import resources
from pathlib import Path

import pytest

from service.cli.main import COMMANDS
from service.cli.new import FILES
from service.config import load_configuration
from tests.service.cli.conftest import Ran
from tests.service.cli.nodes import ROOT

Herdbook = Callable[..., Ran]
NAME = "fields_for_new"
FREE_PORT = "tcp:0:interface=127.0.0.1"


@pytest.fixture
def project(herdbook: Herdbook, tmp_path: Path) -> Iterator[Path]:
    """A new project."""
    assert herdbook("new", NAME).code == 0
    path = list(sys.path)
    yield tmp_path / NAME
    sys.path[:] = path
    for name in [name for name in sys.modules if name.startswith(NAME)]:
        del sys.modules[name]


def test_the_project_holds_what_is_told(herdbook: Herdbook, tmp_path: Path) -> None:
    """The files named in the result are the files that are there."""
    document = herdbook("new", NAME, "--json").document()
    there = [path.relative_to(tmp_path / NAME) for path in (tmp_path / NAME).rglob("*")]
    files = sorted(str(path) for path in there if (tmp_path / NAME / path).is_file())
    assert document["files"] == files
    assert files == sorted(place.format(name=NAME) for place in FILES.values())
    assert Path(document["folder"]) == tmp_path / NAME
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    (tmp_path / "ordinary").mkdir()
    assert (tmp_path / NAME).stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_its_records_are_declared_rightly(project: Path) -> None:
    """The record module can be imported, and is a parent with its children."""
    from records.catalogue import load_catalogue

    sys.path.append(str(project))
    records = load_catalogue(f"{NAME}.records").records
    assert list(records["bed"].collections) == ["plants"]
    assert records["plant"].references["bed"].on_delete == "cascade"


def test_its_configuration_passes_the_check(
    herdbook: Herdbook, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`herdbook check` finds the configuration, the records and the revisions well."""
    monkeypatch.chdir(project)
    document = herdbook("check", "--json").document()
    passed = {one["name"]: one["passed"] for one in document["checks"]}
    assert passed["record module"]
    assert passed["migrations folder"]
    assert load_configuration(Path("herdbook.toml"), {}).node.name == NAME


def test_no_placeholder_is_left(project: Path) -> None:
    """Every file is complete, and those in TOML are valid."""
    for path in project.rglob("*"):
        if path.is_file():
            assert "$" not in path.read_text(encoding="utf-8"), path
    assert tomllib.loads((project / "pyproject.toml").read_text())["project"]["name"] == NAME


def test_the_printed_steps_work_as_they_are_typed(tmp_path: Path, server_program: str) -> None:
    """In order, in a shell, on a machine that has nothing yet; then the node answers."""
    program = tmp_path / "bin" / "herdbook"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m service.cli.main "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HERDBOOK_SERVER": server_program,
        **{f"HERDBOOK_LISTEN_{name}": FREE_PORT for name in ("RPC", "ADMIN", "STREAM")},
    }

    def shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-e", "-c", script]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    told = shell(f"herdbook new {NAME}", tmp_path).stdout
    steps = told.partition("Next:\n")[2].partition("\n\n")[0]
    assert steps.count("\n") >= 3
    try:
        done = shell(steps, tmp_path)
        assert done.returncode == 0, done.stderr
        (rpc,) = re.findall(r"^serving (\S+)$", done.stdout, re.MULTILINE)
        assert shell(f"herdbook call --url {rpc} bed.count", tmp_path).stdout == "0\n"
    finally:
        assert shell("herdbook down --dir data", tmp_path / NAME).returncode == 0


def test_its_readme_names_only_commands_there_are(project: Path) -> None:
    """Each command line in it begins with a command of ours."""
    text = (project / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    herdbook (\w+)", text, re.MULTILINE)
    assert {"up", "call", "down", "schema", "check", "serve"} <= set(commands)
    assert set(commands) <= set(COMMANDS)


def test_its_readme_takes_the_node_down_before_the_classes_change(project: Path) -> None:
    """One that runs goes on with those it was started with, and a second one is refused."""
    text = (project / "README.md").read_text(encoding="utf-8")
    steps = re.findall(r"^    herdbook (.*)$", text.partition("## Change")[2], re.MULTILINE)
    assert [step.split()[0] for step in steps[:3]] == ["down", "schema", "up"]


def test_every_template_is_used() -> None:
    """No template lies about unused, and none is missing."""
    folder = resources.files("service.cli") / "starter"
    there = {entry.name for entry in folder.iterdir() if entry.name.endswith(".template")}
    assert there == set(FILES)


def test_an_empty_folder_may_be_there(herdbook: Herdbook, tmp_path: Path) -> None:
    """Only content is a reason to refuse."""
    (tmp_path / NAME).mkdir()
    assert herdbook("new", NAME).code == 0
    assert (tmp_path / NAME / "herdbook.toml").exists()


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_there_is_left_alone(herdbook: Herdbook, tmp_path: Path, kind: str) -> None:
    """A folder with content, a file or a link of that name is not touched."""
    target = tmp_path / NAME
    if kind == "folder":
        target.mkdir()
        (target / "mine").write_text("mine")
    elif kind == "file":
        target.write_text("mine")
    else:
        target.symlink_to(tmp_path / "elsewhere")
    ran = herdbook("new", NAME)
    assert ran.code == 1
    assert "is there already" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    if kind == "folder":
        assert [path.name for path in target.iterdir()] == ["mine"]


def test_nothing_is_left_when_writing_fails(
    herdbook: Herdbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up in the middle leaves no half project."""
    whole = Path.write_text

    def full(path: Path, *arguments: str, **settings: str) -> int:
        if path.name == "README.md":
            raise OSError(28, "No space left on device")
        return whole(path, *arguments, **settings)

    monkeypatch.setattr(Path, "write_text", full)
    ran = herdbook("new", NAME)
    assert ran.code == 1
    assert "No space left on device" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("My-Garden", "'my_garden'"),
        ("MyGarden", "'my_garden'"),
        ("2gardens", "'my_2gardens'"),
        ("../garden", "'garden'"),
        ("garden/", "'garden'"),
        ("grün", "'gr_n'"),
        ("", "'garden'"),
        ("x" * 65, "small letters"),
        ("class", "'my_class'"),
        ("match", "'my_match'"),
        ("json", "'my_json'"),
        ("records", "'my_records'"),
        ("twisted", "'my_twisted'"),
    ],
)
def test_a_name_that_will_not_do_is_answered_with_one_that_will(
    herdbook: Herdbook, tmp_path: Path, name: str, advice: str
) -> None:
    """Wrong usage, exit code 2, nothing written."""
    ran = herdbook("new", name)
    assert (ran.code, list(tmp_path.iterdir())) == (2, [])
    assert advice in ran.err


@pytest.mark.parametrize(
    "secret",
    ["authority/ca.key", "herd/node.key", "barn/herd/node.key", "barn.token", "data/tokens"],
)
def test_a_project_in_git_keeps_its_keys_and_tokens_out(project: Path, secret: str) -> None:
    """Those that the walk-through of joining makes in it."""
    lines = (project / ".gitignore").read_text().splitlines()
    parts = Path(secret).parts
    names = {*parts, *(f"{part}/" for part in parts[:-1])}
    assert any(fnmatch(name, line) for name in names for line in lines)
