"""Options that several commands share, so that they mean the same everywhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from service.config import Configuration, find_file, load_configuration

_Command = TypeVar("_Command", bound=Callable[..., Any])


def config_option(command: _Command) -> _Command:
    """Give a command `--config FILE`, handed to it as `config`."""
    option = click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The configuration file. Default: HERDBOOK_CONFIG, else herdbook.toml here if there"
        " is one; HERDBOOK_* variables count more than the file.",
    )
    return option(command)


def read_configuration(
    config: Path | None, given: Mapping[str, object] | None = None
) -> Configuration:
    """The configuration that `--config`, the environment and the current folder lead to.

    `given` counts more, by the names of its keys. Puts the configuration's folder on the import
    path, so that the project's record module is found.
    """
    configuration = load_configuration(find_file(config, os.environ, Path()), os.environ, given)
    make_importable(configuration.folder)
    return configuration


def make_importable(folder: Path) -> None:
    """Let Python find modules in a project's folder, after everything that is installed.

    At the end, so that a project's `tests` or `schema` folder does not hide a module of ours.
    """
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
