"""Options that several commands share, so that they mean the same everywhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from service.config import DEFAULT_FILE, Configuration, find_file, load_configuration

_Command = TypeVar("_Command", bound=Callable[..., Any])


def config_option(command: _Command) -> _Command:
    """Give a command `--config FILE`, handed to it as `config`."""
    option = click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The configuration file. Default: HERDBOOK_CONFIG, else herdbook.toml in DIR where"
        " --dir names one, else herdbook.toml here; HERDBOOK_* variables count more than the file.",
    )
    return option(command)


def settings_file(config: Path | None, directory: Path | None = None) -> Path | None:
    """The configuration file that `--config`, HERDBOOK_CONFIG, `--dir` or this folder lead to.

    What is in the node's own directory, as `herdbook join` writes it, counts before what is here:
    by another node's settings its data would run under the wrong name.
    """
    if config is None and directory is not None and not os.environ.get("HERDBOOK_CONFIG"):
        own = directory / DEFAULT_FILE
        if own.exists():
            return own
    return find_file(config, os.environ, Path())


def read_configuration(
    config: Path | None,
    given: Mapping[str, object] | None = None,
    directory: Path | None = None,
) -> Configuration:
    """The configuration that the options, the environment and the current folder lead to.

    `given` counts more, by the names of its keys. Puts the configuration's folder on the import
    path, so that the project's record module is found; and the current one, if that is another.
    """
    file = settings_file(config, directory)
    configuration = load_configuration(file, os.environ, given)
    make_importable(configuration.folder)
    if directory is not None:
        make_importable(Path.cwd())
    return configuration


def make_importable(folder: Path) -> None:
    """Let Python find modules in a project's folder, after everything that is installed.

    At the end, so that a project's `tests` or `schema` folder does not hide a module of ours.
    """
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
