"""No secret in anything that a herd says or leaves behind, whatever happens to it.

The secrets are known here, so everything is searched for them: all that commands and nodes write to
their streams and files, what they answer, what the databases hold, and what everybody on the
machine can see of their processes.
"""

from __future__ import annotations

import http.client
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from service.server import PrivateServer
from tests.live.node import migrate
from tests.security.traces import ROOT, Secrets, Traces, holders
from tests.service.access.tokens import secret
from tests.service.cli.accounts import as_root
from tests.service.identity.papers import OTHER_HERD, herd, node_files
from tests.service.store.tools import ask, raw_connection

PASSWORD = "Kenn'wort@9/\\geheim"
WRONG = 'Fal"sch@8/\\geraten'
DATABASES = ("security_one", "security_two")
USER = "keeper"
RECORDS = {"HERDBOOK_NODE_RECORDS": "tests.live.pasture"}
FILE = """\
[node]
name = "{name}"
records = "tests.live.pasture"
migrations = "migrations"
[database]
url = "{url}"
[listen]
rpc = "tcp:0:interface=127.0.0.1"
admin = "tcp:0:interface=127.0.0.1"
stream = "tcp:0:interface=127.0.0.1"
[herd]
listen = "tcp:0:interface=127.0.0.1"
siblings = {siblings}
certificate = "{papers}/node.crt"
key = "{papers}/node.key"
ca = "{papers}/ca.crt"
[access]
required = true
tokens = "{name}.tokens"
[log]
level = "debug"
"""


class Home:
    """The folder of two nodes on one server, with what is secret about them."""

    def __init__(self, folder: Path, server: PrivateServer) -> None:
        self.folder = folder
        self.server = server
        self.secrets = Secrets()
        (folder / "temporary").mkdir()
        self.traces = Traces(folder, {"TMPDIR": str(folder / "temporary")})
        self.secrets.password("the password", PASSWORD)
        self.secrets.password("a wrong password", WRONG)

    def url(self, number: int, password: str = PASSWORD) -> str:
        """Of a node's database."""
        plain = self.server.url(DATABASES[number])
        return plain.replace("root@", f"{USER}:{quote(password, safe='')}@")

    def configure(self, number: int, name: str, *siblings: str, password: str = PASSWORD) -> str:
        """The name of a node's file, which is written."""
        file = self.folder / f"{name}.toml"
        text = FILE.format(
            name=name,
            url=self.url(number, password),
            siblings=str(list(siblings)).replace("'", '"'),
            papers=f"authority/nodes/{name}",
        )
        file.write_text(text, encoding="utf-8")
        return file.name

    def migrate(self) -> None:
        """Write the first revision of the records, and bring the first database there."""
        migrate(self.folder, self.url(0), "tests.live.pasture")

    def databases(self) -> str:
        """All that they hold."""
        rows = []
        for name in DATABASES:
            with raw_connection(self.server.url(name)) as connection:
                for (table,) in ask(connection, "SHOW TABLES"):
                    rows.append(repr(ask(connection, f"SELECT * FROM `{table}`")))
        return "\n".join(rows)


@pytest.fixture
def home(tmp_path: Path, server: PrivateServer) -> Iterator[Home]:
    """The folder, and two databases with one account."""
    home = Home(tmp_path, server)
    made = quote_sql(PASSWORD)
    as_root(server, f"CREATE USER {USER}@localhost IDENTIFIED BY {made}")
    try:
        for name in DATABASES:
            server.create_database(name)
            as_root(server, f"GRANT ALL ON `{name}`.* TO {USER}@localhost")
        yield home
    finally:
        for name in DATABASES:
            server.drop_database(name)
        as_root(server, f"DROP USER {USER}@localhost")


def quote_sql(text: str) -> str:
    """A text as SQL writes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@pytest.fixture
def core_dumps() -> Iterator[None]:
    """Programs that are started may leave what was in their memory, as far as anybody lets them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("core_dumps")
def test_no_secret_is_told_by_nodes_that_run(home: Home) -> None:
    """They are linked, and called rightly and wrongly, by clients and by strangers."""
    traces = home.traces
    certify(home)
    home.migrate()
    barn = home.configure(0, "barn")
    reader = token_of(home, barn, "reader", "read")
    traces.run("schema", "upgrade", "--config", home.configure(1, "shed"))
    with traces.running("serve", "--config", barn, "--json") as node:
        sibling = urlsplit(node["herd"])
        shed = home.configure(1, "shed", f"tcp:127.0.0.1:{sibling.port}")
        with traces.running("serve", "--config", shed, "--json") as other:
            strange_tls(home, str(sibling.hostname), int(sibling.port or 0))
            call_rightly_and_wrongly(home, node["rpc"], reader)
            for each in (node, other):
                assert "Max core file size        1 " in limits_of(each["pid"])
                for path in ("/metrics", "/readyz?verbose", "/livez"):
                    traces.note(f"{each['admin']}{path}", page(each["admin"], path, reader))
    traces.note("the databases", home.databases())
    assert_nothing_is_told(home)


@pytest.mark.slow
def test_no_secret_is_told_by_what_fails(home: Home) -> None:
    """Commands and nodes that cannot do what they are asked, and a crash."""
    traces = home.traces
    certify(home)
    home.migrate()
    barn = home.configure(0, "barn")
    token_of(home, barn, "reader", "read")
    traces.run("check", "--config", barn)
    traces.run("check", "--config", barn, "--json")
    traces.run("token", "list", "--config", barn)
    traces.run("token", "revoke", "reader", "--config", barn, "--json")
    fail_to_start(home)
    crash(home, barn)
    for kept in (home.folder / "temporary").iterdir():
        traces.note(str(kept), kept.read_text())
    assert sum("***" in text for text in traces.said.values()) >= 7
    assert_nothing_is_told(home)


def test_no_secret_is_told_by_those_who_come_in(home: Home) -> None:
    """An invitation, the gate, and who shows a token that is none any more."""
    certify(home)
    invite(home)
    assert_nothing_is_told(home)


def certify(home: Home) -> None:
    """Let the herd have an authority, and each node a key."""
    home.traces.run("herd", "ca", "init", "authority")
    for name in ("barn", "shed"):
        home.traces.run("herd", "ca", "issue", name, "--ca", "authority")
        home.secrets.key(f"the key of {name}", home.folder / f"authority/nodes/{name}/node.key")
    home.secrets.key("the authority's key", home.folder / "authority" / "ca.key")


def token_of(home: Home, file: str, name: str, role: str) -> str:
    """A token, which is secret from now on."""
    made = home.traces.secret("token", "add", name, "--role", role, "--config", file)
    home.secrets.token(f"the token of {name}", made)
    return made


def call_rightly_and_wrongly(home: Home, url: str, reader: str) -> None:
    """With a token that counts, with one that does not, and where none belongs."""
    traces, stranger = home.traces, secret(77)
    home.secrets.token("a stranger's token", stranger)
    good, bad = {"HERDBOOK_TOKEN": reader}, {"HERDBOOK_TOKEN": stranger}
    traces.run("call", "--url", url, "farm.list", env=good)
    traces.run("herd", "status", "--url", url, "--json", env=good)
    traces.run("herd", "graph", url, env=good)
    traces.run("node", "list", "--url", url, env=good)
    traces.run("call", "--url", url, "farm.create", "code=a", "name=a", code=1, env=good)
    traces.run("call", "--url", url, "farm.list", code=1, env=bad)
    traces.run("verify", url, url, code=1, env=bad)
    traces.run("verify", url, url, code=1, env={"HERDBOOK_TOKEN": f"{reader} {stranger}"})
    traces.run("herd", "status", "--url", url, "--json", code=1, env=bad)
    traces.note("a call with a token in its path", page(url, f"/?token={stranger}", stranger))
    traces.note("a call with a token for a body", page(url, "/", reader, reader.encode()))


def strange_tls(home: Home, host: str, port: int) -> None:
    """Somebody who speaks no TLS at the door of siblings."""
    with socket.create_connection((host, port), timeout=30) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        home.traces.note("the herd's listener", repr(stranger.recv(1_000)))


def invite(home: Home) -> None:
    """Somebody is invited and comes in; another shows a token that is none any more."""
    traces = home.traces
    invited = ("node", "invite", "hut", "--ca", "authority", "--sibling", "tcp:192.0.2.7:8653")
    ticket = traces.secret(*invited)
    home.secrets.token("an invitation", ticket)
    traces.run("node", "invitations", "--ca", "authority")
    gate = ("node", "gate", "--ca", "authority", "--listen", "tcp:0:interface=127.0.0.1", "--json")
    with traces.running(*gate) as told:
        into = ("join", told["listen"], "-", "--no-start", "--dir")
        traces.run(*into, "hut", "--records", "tests.live.pasture", stdin=ticket)
    home.secrets.key("the key of hut", home.folder / "hut/herd/node.key")
    traces.run(*into, "hovel", stdin=ticket, code=1)
    traces.run("node", "invitations", "--ca", "authority", "--json")


def fail_to_start(home: Home) -> None:
    """With a wrong password, one that is not encoded, a key that is none, another herd's."""
    traces = home.traces
    wrong = home.configure(0, "barn", password=WRONG)
    for words in (("serve",), ("serve", "--json"), ("schema", "status"), ("check", "--json")):
        traces.run(*words, "--config", wrong, code=1)
    plain = home.server.url(DATABASES[0]).replace("root@", f"{USER}:{WRONG}@")
    for words in (("serve", "--json"), ("check",), ("grant", "--print")):
        traces.run(
            *words, code=1, env={"HERDBOOK_DATABASE_URL": plain, "HERDBOOK_NODE_RECORDS": "a"}
        )
    barn = home.configure(0, "barn")
    place = {"HERDBOOK_HERD_KEY": "authority/nodes/shed/node.key"}
    traces.run("serve", "--config", barn, code=1, env=place)
    spoilt = home.folder / "spoilt.key"
    spoilt.write_text((home.folder / "authority/ca.key").read_text().replace("-----END", "END"))
    spoilt.chmod(0o600)
    traces.run("serve", "--config", barn, code=1, env={"HERDBOOK_HERD_KEY": "spoilt.key"})
    now = datetime.now(UTC)
    other = node_files(home.folder / "other", herd(now, OTHER_HERD), "barn", now)
    home.secrets.key("another herd's key", other.key)
    files = {f"HERDBOOK_HERD_{key.upper()}": str(path) for key, path in other._asdict().items()}
    del files["HERDBOOK_HERD_CA"]
    traces.run("check", "--config", barn, code=1, env=files)


CRASH = """
import sys
from service.cli import checks, main
def fails(configuration, *_more, **_options):
    token = open("barn.secret").read()
    raise RuntimeError(f"{configuration.database.url.revealed()} {token}")
checks.look_at = fails
import service.cli.check
service.cli.check.look_at = fails
sys.exit(main.run(["check", "--config", sys.argv[1]]))
"""


def crash(home: Home, barn: str) -> None:
    """An error that nobody has thought of, whose text holds what it should not."""
    (home.folder / "barn.secret").write_text(secret(77))
    for debug in ("", "1"):
        ran = subprocess.run(
            [sys.executable, "-c", CRASH, barn],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=home.folder,
            env={**home.traces.settings, "PYTHONPATH": str(ROOT), "HERDBOOK_DEBUG": debug},
        )
        assert "something unexpected happened: RuntimeError" in ran.stderr
        home.traces.note(f"crash {debug}", ran.stdout + ran.stderr)
    (home.folder / "barn.secret").unlink()
    assert list((home.folder / "temporary").glob("*.traceback"))


def limits_of(pid: int) -> str:
    """What the system lets a process have."""
    return Path(f"/proc/{pid}/limits").read_text()


def page(url: str, path: str, token: str, body: bytes | None = None) -> str:
    """What a listener answers, whatever its status."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", path, body, headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def assert_nothing_is_told(home: Home) -> None:
    """Only files in which somebody has put them hold any, and keys, which nobody else may read."""
    assert home.traces.leaks(home.secrets) == {}
    found = holders(home.folder, home.secrets)
    ours = {"barn.toml", "shed.toml"}
    keys = {name for name in found if name.endswith(".key")}
    assert set(found) - ours - keys == {"hut/herd/invitation"} & set(found)
    assert {found[name] for name in set(found) - ours} == {0o600}
