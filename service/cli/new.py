"""`herdbook new`: a starter project with its own record module, configuration and migrations."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template

import click

from service.cli.output import CommandFailed, ExitCode, Output, output_option

# What is written: from the template of this name to the place in the project.
FILES: Mapping[str, str] = {
    "records.py.template": "{name}/records.py",
    "package.py.template": "{name}/__init__.py",
    "herdbook.toml.template": "herdbook.toml",
    "readme.md.template": "README.md",
    "pyproject.toml.template": "pyproject.toml",
    "gitignore.template": ".gitignore",
    "keep.template": "migrations/.gitkeep",
}

STEPS = (
    "herdbook schema upgrade --dir data",
    'herdbook schema revision --dir data --message "first tables"',
    "herdbook up --dir data --detach",
)
"""What is run next, in the project's folder and in this order."""

# MySQL allows 64 characters for a database, which is called like the project.
_LONGEST_NAME = 64


def _checked_name(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    """The name, when a Python package and a database can be called so."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or len(name) > _LONGEST_NAME:
        raise click.BadParameter(
            f"{name!r} is no name for a Python package; use {_suggestion(name)!r}, for instance:"
            " small letters, digits and underscores, a letter first."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or _is_taken(name):
        raise click.BadParameter(
            f"{name!r} is taken by Python or a package that is installed here;"
            f" use 'my_{name}', for instance."
        )
    return name


def _is_taken(name: str) -> bool:
    """Whether `import name` already means something else, from anywhere."""
    if name in sys.stdlib_module_names:
        return True
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None


def _suggestion(name: str) -> str:
    """The nearest name that would do."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", Path(name).name).lower()
    plain = re.sub(r"[^a-z0-9]+", "_", words).strip("_")[:_LONGEST_NAME]
    return plain if plain[:1].isalpha() else f"my_{plain}".rstrip("_") if plain else "garden"


@click.command()
@click.argument("name", callback=_checked_name)
@output_option
def new(name: str, output: Output) -> ExitCode:
    r"""Write a starter project into the folder NAME.

    It holds a record module with a parent and a child class, a configuration, a folder for
    revisions and a README that says what to run next. NAME becomes the Python package and the
    database, so it is in small letters, digits and underscores. A folder that already holds
    something is left alone.

    \b
    Examples:
      herdbook new garden
      cd garden && herdbook schema upgrade --dir data
    """
    folder = Path.cwd() / name
    written = write_project(folder, name)
    document = {"folder": str(folder), "package": name, "files": written}
    lines = [f"Wrote {name}/:", *(f"  {file}" for file in written), "", "Next:"]
    steps = [f"  {step}" for step in (f"cd {name}", *STEPS)]
    output.result(document, "\n".join([*lines, *steps, "", "README.md says what comes then."]))
    return ExitCode.DONE


def write_project(folder: Path, name: str) -> list[str]:
    """Write all files or none; gives their paths within the folder, sorted.

    They are written beside the folder and moved there in one step.
    """
    if folder.is_symlink() or (folder.exists() and not _is_empty_folder(folder)):
        raise CommandFailed(
            f"{folder} is there already and is not an empty folder",
            "choose another name, or move it away",
            code="new.exists",
        )
    try:
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=folder.parent) as beside:
            written = _write_files(Path(beside) / name, name)
            (Path(beside) / name).rename(folder)
    except OSError as error:
        raise CommandFailed(
            f"{folder} cannot be written: {error.strerror}",
            "run it in a folder you may write to",
            code="new.unwritable",
        ) from error
    return written


def _is_empty_folder(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _write_files(folder: Path, name: str) -> list[str]:
    templates = resources.files("service.cli") / "starter"
    written = [place.format(name=name) for place in FILES.values()]
    for template, place in zip(FILES, written, strict=True):
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (templates / template).read_text(encoding="utf-8")
        target.write_text(Template(text).substitute(name=name), encoding="utf-8")
    return sorted(written)
