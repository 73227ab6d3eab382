"""Broken projects: what is done to one that is well, and what `herdbook check` has to say of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import NamedTuple

from service.identity.authority import issue
from tests.service.access.tokens import token
from tests.service.cli.accounts import SECRET
from tests.service.cli.barn import NOW, USER, Barn, token_of
from tests.service.identity.papers import DAY, OTHER_HERD, herd, node_files, written

DATABASE = "barn_of_check"
ADDRESS = f"{USER}:{SECRET}@localhost"


class Broken(NamedTuple):
    """How the project is broken; of the line, or the check, that is told of it, what is said."""

    spoil: Callable[[Barn], object]
    at: str
    said: tuple[str, ...]


def put(former: str, latter: str) -> Callable[[Barn], object]:
    """Something else in the file."""
    return lambda barn: barn.put(former, latter)


def add(text: str) -> Callable[[Barn], object]:
    """Something more in the file."""
    return lambda barn: barn.add(text)


def siblings(*addresses: str) -> Callable[[Barn], object]:
    """Other siblings than the project's."""
    return put('["tcp:192.0.2.7:8653"]', str(list(addresses)))


# What is wrong with the file: `at` stands on the line that is named.
IN_THE_FILE: dict[str, Broken] = {
    "no TOML": Broken(add("[lanes"), "[lanes", ("not valid TOML", "key = value under a [section]")),
    "an unknown key": Broken(
        add("[log]\nlevl = 'info'"), "levl", ("[log] levl: there is no such key", "mean level?")
    ),
    "an unknown section": Broken(add("[loging]"), "[loging]", ("no such section", "mean log?")),
    "a key in the wrong section": Broken(
        put("[herd]", "records = 'a'\n[herd]"), "records = 'a'", ("records belongs in [node]",)
    ),
    "a wrong type": Broken(
        add("[lanes]\nread = '4'"),
        "read = '4'",
        ("[lanes] read: text ('4')", "write a whole number from 1 to 256"),
    ),
    "a port out of range": Broken(
        add("[listen]\nrpc = 'tcp:70000:interface=127.0.0.1'"),
        "70000",
        ("[listen] rpc: '70000' is no port", "a port from 1 to 65535"),
    ),
    "a probe for strangers": Broken(
        add("[listen]\nadmin = 'tcp:8651:interface=0.0.0.0'"),
        "0.0.0.0",
        ("[listen] admin: 0.0.0.0 is not the loopback", "interface=127.0.0.1"),
    ),
    "two listeners on one port": Broken(
        add("[listen]\nrpc = 'tcp:8653:interface=127.0.0.1'"),
        "listen = ",
        ("listen.rpc and herd.listen are both on port 8653", "give each a port of its own"),
    ),
    "a sibling twice": Broken(
        siblings("tcp:192.0.2.7:8653", "tcp:192.0.2.7:8653"),
        "siblings",
        ("'tcp:192.0.2.7:8653' stands there twice", "name each sibling once"),
    ),
    "a sibling twice, written otherwise": Broken(
        siblings("tcp:Shed.example.org:8653", "tcp:host=shed.example.org:port=08653"),
        "siblings",
        ("port=08653' stands there twice, as 'tcp:Shed.example.org:8653' before",),
    ),
    "a sibling without its kind": Broken(
        siblings("192.0.2.7:8653"), "siblings", ("no links of kind", "write tcp:192.0.2.7:8653")
    ),
    "three siblings that are none": Broken(
        siblings("http://192.0.2.7/", "tcp:192.0.2.7:0", "unix:herd.sock"),
        "siblings",
        ("kind 'http'", "'0' is no port", "path is not absolute", "tcp, unix", "from 1 to 65535"),
    ),
    "itself for a sibling": Broken(
        siblings("tcp:192.0.2.7:8653", "tcp:127.0.0.1:8653"),
        "siblings",
        ("'tcp:127.0.0.1:8653' is this node itself", "name the other nodes only"),
    ),
    "links to others without TLS": Broken(
        lambda barn: [
            put(f'{key} = "papers/{file}"\n', "")(barn)
            for key, file in (("ca", "ca.crt"), ("key", "node.key"), ("certificate", "node.crt"))
        ],
        "siblings",
        ("192.0.2.7 is not the loopback", "certificate, key and ca are named under [herd]"),
    ),
    "two of three files for TLS": Broken(
        put('ca = "papers/ca.crt"', ""), "certificate", ("herd.ca is missing", "name all three")
    ),
    "no name": Broken(
        put('name = "barn"', 'name = "the barn"'),
        "the barn",
        ("[node] name: 'the barn' is no name", "use letters, digits"),
    ),
    "a file for a module": Broken(
        put("tests.live.pasture", "tests/live/pasture.py"),
        "pasture.py",
        ("[node] records", "name the module, not its file"),
    ),
    "no database": Broken(
        put("url = ", "# url = "),
        "[database]",
        ("url: this key is missing", "HERDBOOK_DATABASE_URL"),
    ),
    "another kind of database": Broken(
        put("mysql://", "postgres://"), "postgres", ("begin with mysql:// or mariadb://",)
    ),
    "a password twice": Broken(
        put("[herd]", "password_file = 'secret'\n[herd]"),
        "password_file",
        ("the URL holds a password as well", "leave one of the two out"),
    ),
    "no password in its file": Broken(
        lambda barn: [
            put(f":{SECRET}@", "@")(barn),
            put("[herd]", "password_file = 'secret'\n[herd]")(barn),
        ],
        "password_file",
        ("secret cannot be read: No such file", "whose only line is the password"),
    ),
    "longer for a lock than for the statement": Broken(
        put("[herd]", "lock_wait_seconds = 60\n[herd]"),
        "lock_wait",
        ("statement_seconds ends the statement after 25", "give lock_wait_seconds 25 at most"),
    ),
}


def declared(barn: Barn, module: str, text: str) -> None:
    """Another module of record classes, beside the file."""
    (barn.folder / f"{module}.py").write_text(text, encoding="utf-8")
    barn.put("tests.live.pasture", module)


def linked_key(barn: Barn) -> None:
    """A key that is somewhere else."""
    key = barn.papers / "node.key"
    key.rename(barn.folder / "elsewhere.key")
    key.symlink_to(barn.folder / "elsewhere.key")


def replaced(barn: Barn, days: int = 0, node: str = "barn") -> None:
    """Other files in the place of the node's."""
    shutil.rmtree(barn.papers)
    node_files(barn.papers, herd(NOW - 500 * DAY), node, NOW - days * DAY)


def of_another_herd(barn: Barn) -> None:
    """The certificate and key of a node that has the same name elsewhere."""
    other = herd(NOW, OTHER_HERD)
    made = written(barn.folder / "other", issue(other, "barn", NOW), other)
    shutil.copy2(made.certificate, barn.papers / "node.crt")
    shutil.copy2(made.key, barn.papers / "node.key")


def another_key(barn: Barn) -> None:
    """The key of another node."""
    made = node_files(barn.folder / "other", herd(NOW), "shed", NOW)
    shutil.copy2(made.key, barn.papers / "node.key")


def without_insert(barn: Barn) -> None:
    """An account that may not insert."""
    scope = f"INSERT ON {DATABASE}.*"
    account = f"{USER}@localhost"
    barn.on_server(f"REVOKE {scope} FROM {account}", f"GRANT {scope} TO {account}")


def setting(name: str, value: int, usual: int) -> Callable[[Barn], object]:
    """Another setting of the server."""
    change, back = f"SET GLOBAL {name} = {value}", f"SET GLOBAL {name} = {usual}"
    return lambda barn: barn.on_server(change, back)


def behind(barn: Barn) -> None:
    """A database that lacks the last revision."""
    name = f"'{barn.revision}'"
    barn.in_database(
        f"DELETE FROM herdbook_revision WHERE version_num = {name}",
        f"INSERT INTO herdbook_revision (version_num) VALUES ({name})",
    )


def ahead(barn: Barn) -> None:
    """A database that has a revision of which the project has no file."""
    [file] = barn.folder.glob("migrations/*.py")
    file.unlink()


# What is wrong with what the file names: `at` is the check that fails, alone.
AROUND_IT: dict[str, Broken] = {
    "a module that is not there": Broken(
        put("tests.live.pasture", "tests.live.pastur"),
        "record module",
        ("tests.live.pastur does not exist", "correct [node] records", "{folder}"),
    ),
    "a module that is no Python": Broken(
        lambda barn: declared(barn, "barn_no_python", "class Stall(Record)\n"),
        "record module",
        ("SyntaxError: expected ':' (barn_no_python.py, line 1)",),
    ),
    "a module that fails": Broken(
        lambda barn: declared(barn, "barn_that_fails", "\nclass Stall(Recrod):\n    pass\n"),
        "record module",
        ("name 'Recrod' is not defined", "{folder}/barn_that_fails.py, line 2"),
    ),
    "classes that are declared wrongly": Broken(
        lambda barn: declared(
            barn,
            "barn_declared_wrongly",
            "from records import *\nclass Stall(Record):\n    name = Text(length=0)\n"
            "    cow = Reference('Cwo')\n",
        ),
        "record module",
        ("Stall.name: length must be 1 to", "Stall.cow: there is no record class 'Cwo'"),
    ),
    "no folder of revisions": Broken(
        put('"migrations"', '"migration"'),
        "migrations folder",
        ("{folder}/migration is no folder", "create it, or correct [node] migrations"),
    ),
    "no such database": Broken(
        lambda barn: barn.put(barn.url, barn.url.replace(DATABASE, "gone")),
        "database",
        ("has no privileges on the database gone", "correct [database] url"),
    ),
    "a wrong password": Broken(
        put(ADDRESS, f"{USER}:loud@localhost"),
        "database",
        (f"does not let the user of mysql://{USER}:***@", "Correct the user, the password"),
    ),
    "a server that is away": Broken(
        put("mysql.sock", "nothing.sock"),
        "database",
        ("cannot be reached", "nothing.sock", "Start the server, or correct [database] url"),
    ),
    "settings that lose writes": Broken(
        setting("innodb_flush_log_at_trx_commit", 2, 1),
        "database",
        ("innodb_flush_log_at_trx_commit is 2, not 1", "set it to 1", "allow_not_durable = true"),
    ),
    "a server that takes no writes": Broken(
        setting("read_only", 1, 0), "database", ("read_only is set", "switch it off there")
    ),
    "a privilege that is missing": Broken(
        without_insert,
        "privileges",
        ("lacks INSERT: without it", "GRANT INSERT ON `barn\\_of\\_check`.* TO"),
    ),
    "a schema that is behind": Broken(
        behind, "schema", ("is behind; it lacks: ", "Run `herdbook schema upgrade`")
    ),
    "a schema that is ahead": Broken(
        ahead, "schema", ("revision that this code does not know", "Install the newer code, or the")
    ),
    "a column that was changed by hand": Broken(
        lambda barn: barn.in_database(
            "ALTER TABLE farm MODIFY name VARCHAR(70) COLLATE utf8mb4_bin NOT NULL",
            "ALTER TABLE farm MODIFY name VARCHAR(60) COLLATE utf8mb4_bin NOT NULL",
        ),
        "schema",
        ("farm.name is VARCHAR(70)", "declared VARCHAR(60)", "`herdbook schema revision -m"),
    ),
    "a trigger that is gone": Broken(
        lambda barn: barn.lose_trigger("farm"), "schema", ("farm", "`herdbook schema recapture`")
    ),
    "a key that others can read": Broken(
        lambda barn: (barn.papers / "node.key").chmod(0o644),
        "links",
        ("{folder}/papers/node.key has mode 644", "chmod 600 {folder}/papers/node.key"),
    ),
    "a key that is a link": Broken(
        linked_key, "links", ("node.key is a symbolic link", "name the file itself")
    ),
    "no key": Broken(
        lambda barn: (barn.papers / "node.key").unlink(),
        "links",
        ("{folder}/papers/node.key cannot be read: No such file", "check the path"),
    ),
    "a certificate that others can write": Broken(
        lambda barn: (barn.papers / "node.crt").chmod(0o666),
        "links",
        ("node.crt has mode 666", "chmod go-w {folder}/papers/node.crt"),
    ),
    "a certificate that has expired": Broken(
        lambda barn: replaced(barn, days=400),
        "links",
        ("{folder}/papers/node.crt: it has expired at 2", "`herdbook herd ca renew`"),
    ),
    "a certificate of another node": Broken(
        lambda barn: replaced(barn, node="shed"),
        "links",
        ("is that of node shed, and this is barn", "correct [node] name, or name this node's own"),
    ),
    "a certificate of another herd": Broken(
        of_another_herd, "links", (f"of another herd, {OTHER_HERD}", "`herdbook herd ca issue`")
    ),
    "the key of another certificate": Broken(
        another_key,
        "links",
        ("node.key is not the key of {folder}/papers/node.crt", "that were issued together"),
    ),
    "tokens required and none there": Broken(
        lambda barn: token_of(barn, None),
        "access",
        ("none counts in {folder}/barn.tokens", "`herdbook token add NAME --role admin`"),
    ),
    "tokens required and all expired": Broken(
        lambda barn: token_of(barn, token(1, until=NOW - DAY)), "access", ("none counts in",)
    ),
    "tokens that others can write": Broken(
        lambda barn: (barn.folder / "barn.tokens").chmod(0o662),
        "access",
        ("barn.tokens has mode 662", "chmod 600 {folder}/barn.tokens"),
    ),
    "no file of tokens": Broken(
        lambda barn: (barn.folder / "barn.tokens").write_text("x"),
        "access",
        ("{folder}/barn.tokens is no file of tokens", "put back what was there"),
    ),
}
