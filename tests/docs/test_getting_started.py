"""`docs/getting-started.md`, typed into a shell from top to bottom."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.ports import free_ports

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "getting-started.md"
LIMIT_SECONDS = 300


def commands(page: str) -> str:
    """The shell blocks of a page, in order."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))


@pytest.mark.slow
def test_every_command_of_the_page_does_what_it_says(tmp_path: Path, database: str) -> None:
    """A newcomer who types the page line by line meets no error and sees the records."""
    program = tmp_path / "bin" / "herdbook"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m service.cli.main "$@"\n')
    program.chmod(0o755)
    (port,) = free_ports(1)
    script = commands(PAGE.read_text()).replace(
        "mysql://garden:a-secret@localhost/garden?unix_socket=/run/mysqld/mysqld.sock", database
    )
    environment = os.environ | {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HERDBOOK_LISTEN_RPC": f"tcp:{port}:interface=127.0.0.1",
        "HERDBOOK_LISTEN_ADMIN": "tcp:0:interface=127.0.0.1",
        "HERDBOOK_LISTEN_STREAM": "tcp:0:interface=127.0.0.1",
        "HERDBOOK_URL": f"http://127.0.0.1:{port}/",
    }
    done = subprocess.run(
        ["bash", "-e", "-u", "-m", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    for expected in (
        "refused, as it should be",
        '"name":"Tomato"',
        '"height_cm":0',
        "no differences",
        "CREATE TABLE",
        "up to date",
    ):
        assert expected in said, said
    assert not (tmp_path / "garden" / "data" / "run" / "node.json").exists()
