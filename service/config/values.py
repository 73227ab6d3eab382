"""Everything that can be set: the frozen values, and for each key its reader, default and meaning.

A key is declared once, here, as a field of its section. The example file, the check, the list of
effective values and the environment's names all follow from these fields.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_type_hints

from service.config.advertised import ADVICE as ADVERTISED_ADVICE
from service.config.advertised import check_advertised
from service.config.endpoints import ADVICE, check_any_endpoint, check_call_endpoint
from service.config.first_ranges import FIRST_RANGES
from service.config.keys import Key, Setting
from service.config.readers import (
    Checked,
    Choice,
    DatabaseAddress,
    FilePath,
    ModuleName,
    Name,
    OrNothing,
    Seconds,
    Texts,
    WholeNumber,
    YesOrNo,
)
from service.config.siblings import ADVICE as SIBLING_ADVICE
from service.config.siblings import check_any_sibling, no_sibling_twice
from service.database_url import DatabaseUrl
from service.rpc.limits import Limits


@dataclass(frozen=True, kw_only=True)
class NodeSettings:
    """Which node this is and which records it serves."""

    name: Annotated[
        str, Key(Name(), "What this node is called in its log, and by its siblings.")
    ] = "herdbook"
    records: Annotated[
        str,
        Key(ModuleName(), "The Python module that declares the record classes.", "farm.records"),
    ]
    migrations: Annotated[
        Path | None, Key(FilePath(), "The folder of the project's own revisions.", "migrations")
    ] = None


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """Where the database is and how long to wait for it. `url` holds the password, if any."""

    url: Annotated[
        DatabaseUrl,
        Key(
            DatabaseAddress(),
            "mysql://user:password@host:port/database; options after ?, joined with &:\n"
            "unix_socket, ssl_ca, ssl_cert, ssl_key, ssl_mode.",
            "mysql://herdbook@localhost/farm?unix_socket=/run/mysqld/mysqld.sock",
        ),
    ]
    password_file: Annotated[
        Path | None, Key(FilePath(), "A file that holds the password, so that the URL need not.")
    ] = None
    connect_seconds: Annotated[
        int, Key(WholeNumber(1, 300), "How long connecting to the server may take.")
    ] = 10
    statement_seconds: Annotated[
        int, Key(WholeNumber(1, 86_400), "How long one SQL statement may run.")
    ] = 25
    lock_wait_seconds: Annotated[
        int, Key(WholeNumber(1, 3_600), "How long a statement waits for locked rows or tables.")
    ] = 5
    allow_not_durable: Annotated[
        bool,
        Key(
            YesOrNo(),
            "Serve on a server that may lose acknowledged writes when it crashes:\n"
            "innodb_flush_log_at_trx_commit is not 1, or sync_binlog is not with a binary log.",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ListenSettings:
    """Twisted endpoint strings of the listeners, and what they show."""

    rpc: Annotated[
        str,
        Key(
            Checked(check_call_endpoint, ADVICE),
            "Where applications call: a Twisted endpoint string. Beyond this machine it needs\n"
            "certificate and key, and tokens that are required.",
        ),
    ] = "tcp:8650:interface=127.0.0.1"
    admin: Annotated[
        str,
        Key(
            Checked(check_call_endpoint, ADVICE),
            "Where probes and metrics are asked: the same, with a port of its own.",
        ),
    ] = "tcp:8651:interface=127.0.0.1"
    stream: Annotated[
        str,
        Key(
            Checked(check_call_endpoint, ADVICE),
            "Where connections stay, one message a line, and changes are told: the same.",
        ),
    ] = "tcp:8652:interface=127.0.0.1"
    certificate: Annotated[
        Path | None,
        Key(
            FilePath(),
            "The certificate that these three show, and behind it those that lead up to its\n"
            "authority. With it and key they speak TLS, but for sockets in the file system.",
        ),
    ] = None
    key: Annotated[
        Path | None, Key(FilePath(), "Its private key, which nobody but the node's user may read.")
    ] = None

    @property
    def files(self) -> tuple[Path, Path] | None:
        """Certificate and key; None where TLS is not spoken."""
        if self.certificate is None or self.key is None:
            return None
        return self.certificate, self.key


@dataclass(frozen=True, kw_only=True)
class AccessSettings:
    """Who may call. Links of siblings are no matter of it."""

    required: Annotated[
        bool,
        Key(
            YesOrNo(),
            "Whether every call needs a token. If not, whoever reaches a listener may do all, and\n"
            "only who shows a token is held to its role. `herdbook token add` makes one.",
        ),
    ] = False
    tokens: Annotated[
        Path | None,
        Key(
            FilePath(),
            "The file of the tokens. Without it NAME.tokens beside this file, NAME being the\n"
            "node's; with `herdbook up --dir DIR` DIR/tokens.",
        ),
    ] = None
    token_rate: Annotated[
        float,
        Key(
            Seconds(0, 1_000_000, "calls a second"),
            "How many calls a second one token is good for, but over the loopback, and ten times\n"
            "as many at once. 0: no limit. A token may have its own: `herdbook token add --rate`.",
        ),
    ] = 100.0
    address_rate: Annotated[
        float,
        Key(
            Seconds(0, 1_000_000, "calls a second"),
            "The same for all clients in a block of addresses (IPv4 /24, IPv6 /64), but over the\n"
            "loopback. All blocks of an IPv6 /48 have four times as many together.",
        ),
    ] = 200.0
    address_connections: Annotated[
        int,
        Key(
            WholeNumber(0, 100_000),
            "The most connections of such a block to each listener. 0: no limit.",
        ),
    ] = 200


@dataclass(frozen=True, kw_only=True)
class HerdSettings:
    """Which nodes this one exchanges changes with. By default none: nothing of it runs then."""

    listen: Annotated[
        str,
        Key(
            OrNothing(Checked(check_any_endpoint, ADVICE)),
            "Where siblings connect: a Twisted endpoint string, without TLS on this machine only.\n"
            "Empty: they cannot, and this node connects to them.",
        ),
    ] = ""
    siblings: Annotated[
        tuple[str, ...],
        Key(
            Texts(
                check_any_sibling, no_sibling_twice, f"{SIBLING_ADVICE}, each in quotes, within [ ]"
            ),
            "Siblings to connect to: tcp:127.0.0.1:PORT or unix:/SOCKET, with TLS tcp:HOST:PORT\n"
            "too; in the environment with spaces between them. One of two siblings is enough.",
        ),
    ] = ()
    certificate: Annotated[
        Path | None,
        Key(
            FilePath(),
            "This node's certificate. With it, key and ca, all links use TLS, and only nodes with\n"
            "a certificate of the same herd are linked. `herdbook herd ca issue` makes the three.",
        ),
    ] = None
    key: Annotated[
        Path | None, Key(FilePath(), "Its private key, which nobody but the node's user may read.")
    ] = None
    ca: Annotated[Path | None, Key(FilePath(), "The certificate of the herd's authority.")] = None
    advertise: Annotated[
        str,
        Key(
            OrNothing(Checked(check_advertised, ADVERTISED_ADVICE)),
            "Where other nodes reach `listen`: tcp:HOST:PORT. It is written into this node's\n"
            "record, for those that follow the records.",
        ),
    ] = ""
    follow_records: Annotated[
        bool,
        Key(
            YesOrNo(),
            "Whether this node dials, beside its siblings, those that the herd's records choose:\n"
            "all of its site, and some of each other one.",
        ),
    ] = False
    peers_required: Annotated[
        bool,
        Key(
            YesOrNo(),
            "With TLS: refuse links of nodes that no range with the purpose peers names. If not,\n"
            "only a node that has such ranges has to come from within them.",
        ),
    ] = False
    joining: Annotated[
        bool,
        Key(
            YesOrNo(),
            "Whether the node comes into a herd: its record says `joining` until it has all that\n"
            "its siblings had when it met them. `herdbook join` writes so.",
        ),
    ] = False
    ranges: Annotated[
        tuple[str, ...],
        Key(FIRST_RANGES, "The ranges that such a node takes then, once, as PURPOSE=BLOCK."),
    ] = ()

    @property
    def is_wanted(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.listen or self.siblings or self.follow_records)


@dataclass(frozen=True, kw_only=True)
class LaneSettings:
    """Database threads by what they do, each with a connection of its own."""

    read: Annotated[int, Key(WholeNumber(1, 256), "Threads for calls that only read.")] = 4
    write: Annotated[int, Key(WholeNumber(1, 256), "Threads for calls that write.")] = 4


@dataclass(frozen=True, kw_only=True)
class FeedSettings:
    """What subscribers to the feed may cost."""

    stall_seconds: Annotated[
        float,
        Key(
            Seconds(0.1, 3_600),
            "How long a subscriber may read nothing of what it was sent before its\n"
            "subscription ends.",
        ),
    ] = 30.0
    subscriptions: Annotated[
        int, Key(WholeNumber(1, 1_000), "The most subscriptions of one connection.")
    ] = 16


@dataclass(frozen=True, kw_only=True)
class CaptureSettings:
    """How the triggers are watched that note every change."""

    check_seconds: Annotated[
        float,
        Key(
            Seconds(0.1, 3_600),
            "How often is looked whether the triggers that note changes are all there.",
        ),
    ] = 30.0


@dataclass(frozen=True, kw_only=True)
class RetentionSettings:
    """How much of the changelog is kept, and of deleted records with it."""

    days: Annotated[
        int,
        Key(
            WholeNumber(1, 36_500),
            "How many days changes and deleted records are kept. What a registered consumer\n"
            "still needs is kept longer.",
        ),
    ] = 30
    entries: Annotated[
        int,
        Key(WholeNumber(1_000, 10**12), "The most changes that are kept, likewise."),
    ] = 10_000_000


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """What the node writes about itself."""

    level: Annotated[
        str,
        Key(
            Choice(("debug", "info", "warning", "error")),
            "The least important lines to write: debug, info, warning or error.",
        ),
    ] = "info"


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A whole, valid configuration.

    `folder` is where the file lies (or the current one): relative paths start there, and the record
    module is looked for there. `origins` tells for each `section.key` who set it.
    """

    node: NodeSettings
    database: DatabaseSettings
    listen: ListenSettings
    access: AccessSettings
    herd: HerdSettings
    limits: Limits
    lanes: LaneSettings
    feed: FeedSettings
    capture: CaptureSettings
    retention: RetentionSettings
    log: LogSettings
    folder: Path
    origins: Mapping[str, str]

    @property
    def tokens_file(self) -> Path:
        """Where the tokens of this node are."""
        return self.access.tokens or self.folder / f"{self.node.name}.tokens"


SECTIONS: Mapping[str, type] = {
    "node": NodeSettings,
    "database": DatabaseSettings,
    "listen": ListenSettings,
    "access": AccessSettings,
    "herd": HerdSettings,
    "limits": Limits,
    "lanes": LaneSettings,
    "feed": FeedSettings,
    "capture": CaptureSettings,
    "retention": RetentionSettings,
    "log": LogSettings,
}

# The limits' defaults stand with the code that enforces them; here is how they are read.
_LIMITS: Mapping[str, Key] = {
    "body_bytes": Key(WholeNumber(1_024, 2**30), "The largest request body, in bytes."),
    "batch_items": Key(WholeNumber(1, 100_000), "The most calls in one batch."),
    "nesting": Key(WholeNumber(4, 512), "How deep arrays and objects of a request may nest."),
    "result_bytes": Key(WholeNumber(1_024, 2**31), "The largest answer to one call, in bytes."),
    "call_seconds": Key(Seconds(0.1, 86_400), "How long one call may take."),
    "pending_calls": Key(WholeNumber(1, 100_000), "How many calls may wait or run at once."),
}


def settings() -> Iterator[Setting]:
    """Every key there is, in the order of the file."""
    for section, cls in SECTIONS.items():
        keys = _LIMITS if cls is Limits else _keys(cls)
        for field in dataclasses.fields(cls):
            key = keys[field.name]
            yield Setting(section, field.name, key.reader, field.default, key.about, key.example)


def _keys(section: type) -> dict[str, Key]:
    """What the fields of a section say about themselves."""
    hints = get_type_hints(section, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}
