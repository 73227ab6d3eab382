"""Set up a data directory, whole or not at all, and know which server wrote it last."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from service.server.errors import DirectoryUnusable, ServerFailed, WrongProgram
from service.server.find import Program
from service.server.layout import Layout
from service.server.options import set_up_command
from service.server.processes import end_process, servers_on
from service.server.versions import ServerKind, ServerVersion

SET_UP_SECONDS = 300


def set_up_data(program: Program, layout: Layout) -> None:
    """Fill a new data directory and give it its name only when it is complete.

    What an interrupted attempt left behind is removed first. Raises DirectoryUnusable,
    ServerFailed or OSError.
    """
    # Whose parent was killed goes on; without its files it would fill the log for ever.
    for pid in servers_on(layout.unfinished):
        end_process(pid, 0)
    shutil.rmtree(layout.unfinished, ignore_errors=True)
    layout.require_room()
    layout.unfinished.mkdir(mode=0o700)
    # Reached through a plain name: MariaDB's script stumbles over spaces in a path.
    with tempfile.TemporaryDirectory(prefix="herdbook-") as folder:
        plain = Path(folder) / "data"
        plain.symlink_to(layout.unfinished)
        _run_set_up(set_up_command(program, plain), layout, folder)
    record_origin(program, layout)
    layout.unfinished.rename(layout.data)
    _flush_folder(layout.directory)


def recorded_origin(layout: Layout) -> ServerVersion | None:
    """The server that wrote the data last, or None where there are no data."""
    try:
        noted = json.loads(layout.origin.read_text())
        major, minor, patch = noted["version"]
        return ServerVersion(ServerKind(noted["kind"]), (major, minor, patch))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise WrongProgram(
            f"{layout.origin} is damaged, so it is not known which server wrote the data beside "
            f"it. Restore the file from a backup of the directory."
        ) from error


def record_origin(program: Program, layout: Layout) -> None:
    """Note which server writes the data from now on."""
    noted = {"kind": program.kind.value, "version": program.version.numbers}
    fresh = layout.origin.with_suffix(".new")
    fresh.write_text(json.dumps(noted) + "\n")
    fresh.replace(layout.origin)


def require_fitting(program: Program, layout: Layout) -> None:
    """Raise WrongProgram where this program cannot read what another one wrote."""
    origin = recorded_origin(layout)
    if origin is None:
        _require_database(layout)
        return
    fits = origin.kind is program.kind and origin.numbers[:2] <= program.version.numbers[:2]
    if not fits:
        raise WrongProgram(
            f"The data in {layout.directory} were written by {origin}, and {program.path} is "
            f"{program.version}, which cannot read them. Name a fitting program in "
            f"HERDBOOK_SERVER, or choose another directory."
        )


def _require_database(layout: Layout) -> None:
    """Raise DirectoryUnusable where the folder holds no server's data: nothing is written there."""
    if not (layout.data / "mysql").is_dir():
        raise DirectoryUnusable(
            f"{layout.data} exists, and is not the data of a database server. Choose another "
            f"directory, or move that folder away."
        )


def _run_set_up(command: list[str], layout: Layout, temporary: str) -> None:
    """Run the set-up command with its words in the log; raise ServerFailed if it fails.

    In a folder for temporary files that they shared, a MariaDB that starts would remove those of
    another one that is being set up.
    """
    try:
        with layout.log.open("ab") as log:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=SET_UP_SECONDS,
                check=True,
                start_new_session=True,
                env=os.environ | {"TMPDIR": temporary},
            )
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerFailed(
            f"A new database could not be set up in {layout.directory} ({error}). "
            f"The end of {layout.log}:\n{layout.last_words()}"
        ) from error


def _flush_folder(path: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
