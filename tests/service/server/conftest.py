"""A private server for a test of its own."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.server import PrivateServer, Program
from tests.servers.programs import chosen_kinds, program_of


@pytest.fixture(params=chosen_kinds(), ids=str)
def program(request: pytest.FixtureRequest) -> Program:
    """Each kind of server program in turn."""
    return program_of(request.param)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Program], Path]:
    """A directory for each program that is set up already, for copying: that saves seconds."""

    @functools.cache
    def directory(program: Program) -> Path:
        path = tmp_path_factory.mktemp(program.kind)
        with PrivateServer(path, program):
            return path

    return directory


@pytest.fixture
def private(
    tmp_path: Path, program: Program, prepared: Callable[[Program], Path]
) -> Iterator[PrivateServer]:
    """A server of the test's own, set up but not started, ended after the test at the latest."""
    shutil.copytree(prepared(program), tmp_path / "node")
    own = PrivateServer(tmp_path / "node", program)
    yield own
    # Its data are thrown away, so there is no need to wait for a good end.
    own.kill()
    own.stop()
