"""The launcher sets up what is missing, once, and then is the command line.

It runs here in a small world: a checkout with nothing but the launcher, a PATH with only the tools
it calls, and an interpreter and an apt-get that write down what they are asked to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAUNCHER = ROOT / "herdbook"
TOOLS = ["cat", "chmod", "cksum", "cp", "dirname", "env", "flock", "head", "mkdir", "mv"]
TOOLS += ["readlink", "rm", "rmdir", "sh", "sleep", "tail", "tr"]

# Answers the launcher's questions; "makes" environments and "installs" a program that echoes.
PYTHON = r"""#!/bin/sh
case "$*" in
  *'version_info <'*) exit "${OLD_PYTHON:-0}" ;;
  *python_version*) echo 3.9.2 ;;
  *-venv*) echo python3.11-venv ;;
  *-dev*) echo python3.11-dev ;;
  *ensurepip*) exit "${NO_VENV:-0}" ;;
  *Python.h*) exit "${NO_HEADERS:-0}" ;;
  *get_config_var*) echo the-compiler ;;
  '-m venv '*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo venv >>"$DIARY" ;;
  '-m pip --version') ;;
  '-m pip install'*)
    [ -z "${PIP_DIES:-}" ] || { kill -9 "$PPID"; exit; }
    [ -z "${PIP_FAILS:-}" ] || { echo 'no route to anywhere'; exit 1; }
    sleep "${PIP_SECONDS:-0}"
    echo pip >>"$DIARY"
    printf '#!/bin/sh\necho "$PWD" "$@"\n' >"$(dirname "$0")/herdbook"
    chmod +x "$(dirname "$0")/herdbook" ;;
esac
"""

APT_GET = r"""#!/bin/sh
for word in "$@"; do case $word in install | update) step=$word ;; esac; done
echo "apt $step" >>"$DIARY"
[ "$step" = update ] && : >"$DIARY.lists"
[ -e "$DIARY.lists" ] || { echo 'E: Unable to locate package'; exit 100; }
"""


class World:
    """A checkout and a PATH of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkout = folder / "a checkout"
        self.tools = folder / "tools"
        self.diary = folder / "diary"
        self.checkout.mkdir()
        self.tools.mkdir()
        shutil.copy(LAUNCHER, self.checkout)
        (self.checkout / "pyproject.toml").write_text("first\n")
        for name in TOOLS:
            (self.tools / name).symlink_to(str(shutil.which(name)))
        self.add("python3", PYTHON)
        for name in ("the-compiler", "pkg-config", "mariadbd"):
            self.add(name, "#!/bin/sh\n")

    def add(self, name: str, script: str) -> None:
        """Put a program on the PATH."""
        (self.tools / name).write_text(script)
        (self.tools / name).chmod(0o755)

    def remove(self, *names: str) -> None:
        """Take programs off the PATH."""
        for name in names:
            (self.tools / name).unlink()

    def environment(self, **settings: str) -> dict[str, str]:
        """What the launcher sees of the environment."""
        base = {"PATH": str(self.tools), "HOME": str(self.folder), "DIARY": str(self.diary)}
        return base | settings

    def run(
        self, *arguments: str, launcher: Path | None = None, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Call the launcher from a folder that is not the checkout."""
        return subprocess.run(
            [launcher or self.checkout / "herdbook", *arguments],
            cwd=self.folder,
            env=self.environment(**settings),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def done(self) -> list[str]:
        """What was done so far, in order."""
        return self.diary.read_text().splitlines() if self.diary.exists() else []


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A fresh world in which nothing is missing but the environment."""
    return World(tmp_path)


def as_user(world: World) -> None:
    """Let the launcher believe that it is not root; there is no sudo."""
    world.add("id", "#!/bin/sh\necho 1000\n")


def as_root(world: World) -> None:
    """Let the launcher believe that it is root, with an apt-get whose lists are missing."""
    world.add("id", "#!/bin/sh\necho 0\n")
    world.add("dpkg", "#!/bin/sh\n")
    world.add("apt-get", APT_GET)


@pytest.mark.parametrize("script", ["herdbook", ".ci/run", "tests/servers/install-mysql"])
def test_every_script_is_executable_and_parses(script: str) -> None:
    """The shell finds no syntax error, and the file can be run as it is."""
    shell = (ROOT / script).read_text().splitlines()[0].split()[-1].rpartition("/")[2]
    checked = subprocess.run([shell, "-n", ROOT / script], capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, b"")
    assert os.access(ROOT / script, os.X_OK)


def test_the_first_call_sets_up_and_then_is_the_command(world: World) -> None:
    """The standard output is the command's alone; it runs where the caller is."""
    answer = world.run("call", "country.get", "a b")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == f"{world.folder} call country.get a b\n"
    assert world.done() == ["venv", "pip"]


def test_later_calls_set_up_nothing(world: World) -> None:
    """Once all is there, the launcher adds nothing and says nothing."""
    world.run()
    again = world.run("check")
    assert (again.stdout, again.stderr) == (f"{world.folder} check\n", "")
    assert world.done() == ["venv", "pip"]


def test_it_works_through_a_symlink(world: World) -> None:
    """A link to the launcher from elsewhere finds the checkout."""
    link = world.folder / "link"
    link.symlink_to(world.checkout / "herdbook")
    assert world.run("up", launcher=link).stdout == f"{world.folder} up\n"
    assert (world.checkout / ".venv").is_dir()


def test_changed_requirements_are_installed(world: World) -> None:
    """After pyproject.toml changed, the next call installs again into the same environment."""
    world.run()
    (world.checkout / "pyproject.toml").write_text("second\n")
    assert world.run().returncode == 0
    assert world.done() == ["venv", "pip", "pip"]


def test_an_interrupted_set_up_is_done_anew(world: World) -> None:
    """A launcher that was killed half-way leaves nothing that the next call trusts."""
    assert world.run(PIP_DIES="yes").returncode != 0
    (world.checkout / ".venv" / "half-installed").touch()
    assert world.run().returncode == 0
    assert world.done() == ["venv", "venv", "pip"]
    assert not (world.checkout / ".venv" / "half-installed").exists()


def test_an_interrupted_renewal_is_done_anew(world: World) -> None:
    """The same when it was killed while it installed changed requirements."""
    world.run()
    (world.checkout / "pyproject.toml").write_text("second\n")
    assert world.run(PIP_DIES="yes").returncode != 0
    assert world.run().returncode == 0
    assert world.done() == ["venv", "pip", "venv", "pip"]


def test_two_at_once_set_up_once(world: World) -> None:
    """Of two launchers started together one installs, and both run the command."""
    both = [
        subprocess.Popen(
            [world.checkout / "herdbook", "check"],
            cwd=world.folder,
            env=world.environment(PIP_SECONDS="0.5"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(2)
    ]
    assert [each.communicate(timeout=60)[0] for each in both] == [f"{world.folder} check\n"] * 2
    assert world.done() == ["venv", "pip"]


def test_the_environment_may_be_elsewhere(world: World) -> None:
    """HERDBOOK_VENV names another place, also one relative to the caller."""
    assert world.run("check", HERDBOOK_VENV="my/venv").returncode == 0
    assert (world.folder / "my" / "venv" / "bin" / "herdbook").exists()
    assert not (world.checkout / ".venv").exists()


def test_an_environment_of_somebody_else_is_used_but_not_changed(world: World) -> None:
    """Herdbook installed by hand into an environment of one's own is taken as it is."""
    program = world.folder / "own" / "bin" / "herdbook"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho mine\n")
    program.chmod(0o755)
    assert world.run(HERDBOOK_VENV=str(world.folder / "own")).stdout == "mine\n"
    assert world.done() == []


def test_a_folder_of_somebody_else_is_left_alone(world: World) -> None:
    """HERDBOOK_VENV with a folder that holds other things is refused, and nothing is removed."""
    precious = world.folder / "documents" / "letter"
    precious.parent.mkdir()
    precious.touch()
    answer = world.run(HERDBOOK_VENV=str(precious.parent))
    assert answer.returncode == 1
    assert "was not made by this launcher" in answer.stderr
    assert precious.exists()


def test_a_failing_pip_shows_why(world: World) -> None:
    """The end of pip's own words and the place of the rest are shown; then it can be repeated."""
    answer = world.run(PIP_FAILS="yes")
    assert answer.returncode == 1
    assert "no route to anywhere" in answer.stderr
    assert str(world.checkout / ".venv.log") in answer.stderr
    assert world.run().returncode == 0


def test_an_old_python_is_refused(world: World) -> None:
    """PYTHON with an old interpreter is refused with both versions."""
    answer = world.run(PYTHON="python3", OLD_PYTHON="1")
    assert answer.returncode == 1
    assert "PYTHON=python3 is Python 3.9.2, and Herdbook needs 3.11 or newer" in answer.stderr
    assert world.done() == []


def test_a_python_that_does_not_run_is_refused(world: World) -> None:
    """PYTHON with something that is no interpreter is refused by its name."""
    answer = world.run(PYTHON="/no/such/python")
    assert answer.returncode == 1
    assert "PYTHON=/no/such/python cannot be run" in answer.stderr


def test_without_rights_the_exact_command_is_printed(world: World) -> None:
    """A user who may not install is told what to run, with exactly what is missing."""
    as_user(world)
    world.add("apt-get", APT_GET)
    world.remove("the-compiler", "pkg-config")
    answer = world.run(NO_VENV="1", NO_HEADERS="1")
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert (
        "  sudo apt-get update && sudo apt-get install --no-install-recommends -y "
        "python3.11-venv python3.11-dev gcc libc6-dev pkg-config libmariadb-dev\n"
    ) in answer.stderr
    assert world.done() == []


@pytest.mark.parametrize(("servers", "needed"), [("mariadb,mysql", True), ("mysql", False)])
def test_the_tests_need_the_library_of_clusters(world: World, servers: str, needed: bool) -> None:
    """Whoever tests on MariaDB is told of it where it is missing, also on a machine used before."""
    as_user(world)
    world.add("apt-get", APT_GET)
    world.remove("pkg-config")
    answer = world.run(
        "test", HERDBOOK_TEST_SERVERS=servers, HERDBOOK_TEST_GALERA="/no/such/library"
    )
    assert answer.returncode == 1
    assert ("libmariadb-dev galera-4\n" in answer.stderr) is needed
    assert "libmariadb-dev" in answer.stderr


def test_sudo_without_a_password_is_used(world: World) -> None:
    """A user with such a sudo has the missing packages installed."""
    as_root(world)
    as_user(world)
    world.add("sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\n[ "$1" = true ] || exec "$@"\n')
    world.add("true", "#!/bin/sh\n")
    world.diary.with_suffix(".lists").touch()
    answer = world.run(NO_VENV="1")
    assert answer.returncode == 0, answer.stderr
    assert world.done() == ["apt install", "venv", "pip"]


def test_the_package_lists_are_refreshed_only_where_that_helps(world: World) -> None:
    """Root's first attempt takes the lists that are there; missing ones are fetched, then again."""
    as_root(world)
    assert world.run(NO_VENV="1").returncode == 0
    assert world.done() == ["apt install", "apt update", "apt install", "venv", "pip"]


def test_nothing_is_installed_where_nothing_is_missing(world: World) -> None:
    """A machine that has all it takes is left as it is."""
    as_root(world)
    assert world.run().returncode == 0
    assert world.done() == ["venv", "pip"]


def test_without_apt_the_missing_parts_are_named(world: World) -> None:
    """On another kind of system the launcher says what it looked for."""
    answer = world.run(NO_HEADERS="1")
    assert answer.returncode == 1
    assert "missing on this system (Debian's names): python3.11-dev" in answer.stderr
