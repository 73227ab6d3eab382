"""What `herdbook check` looks at once the configuration itself is valid.

A check gives back what it found, a line each, or raises an error that says what to do. Each runs
whatever the others said, unless it needs what another could not even look at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from records.errors import DeclarationError, HerdbookError, ModuleMissing
from service.cli.advice import with_options
from service.cli.listener_checks import listeners
from service.cli.output import CommandFailed, counted
from service.cli.server_checks import database, privileges
from service.config import Configuration
from service.database_url import mask_secrets
from service.errors import Unavailable

WARNING = "WARNING"
"""How a message begins that is about no fault."""


@dataclass(frozen=True)
class Check:
    """A named look at something the configuration leads to.

    There is nothing to look at where one of the checks `after` which it comes found nothing there.
    """

    name: str
    look: Callable[[Configuration], str]
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a check found; whether it was nothing at all, so that others cannot look either."""

    name: str
    passed: bool
    messages: tuple[str, ...]
    nothing: bool = False

    def as_json(self) -> dict[str, object]:
        """The finding for programs."""
        return {"name": self.name, "passed": self.passed, "messages": list(self.messages)}


class NotThere(CommandFailed):
    """What others want to look at as well is not there."""


def record_module(configuration: Configuration) -> str:
    """The record module can be imported and its classes are declared rightly."""
    # Storm is imported only now: a wrong configuration is reported without it.
    from records.catalogue import load_catalogue, without_family

    try:
        names = list(without_family(load_catalogue(configuration.node.records)).records)
    except ModuleMissing as error:
        where = f"modules are looked for in {configuration.folder} and on Python's path"
        raise ModuleMissing([f"{error}; correct [node] records; {where}"]) from None
    return f"{configuration.node.records} declares {', '.join(names)}"


def migrations_folder(configuration: Configuration) -> str:
    """The folder of the project's revisions is there."""
    folder = configuration.node.migrations
    if folder is None:
        return "no folder is named; the project has no revisions of its own"
    if not folder.is_dir():
        raise NotThere(f"{folder} is no folder", "create it, or correct [node] migrations")
    return str(folder)


def schema(configuration: Configuration) -> str:
    """The schema is what this code and its record classes need."""
    from schema.capture.audit import UNSEEN
    from service.cli.prepare import catalogue_for, migrator_for

    migrator = migrator_for(configuration, catalogue_for(configuration))
    problem = migrator.problem()
    if problem is not None:
        raise problem
    found = migrator.check()
    # A node needs no right to see triggers, so that is no fault.
    differences = [line for line in found if not line.startswith(UNSEEN)]
    if differences:
        raise CommandFailed(
            "; ".join(differences),
            'write a revision for what is declared otherwise: `herdbook schema revision -m "what '
            'changes"`; for triggers: `herdbook schema recapture`',
        )
    return "; ".join(["up to date", *found])


def links(configuration: Configuration) -> str:
    """What links need for TLS is there and counts; without it they stay on this machine."""
    node, herd = configuration.node, configuration.herd
    if herd.certificate is None or herd.key is None or herd.ca is None:
        return "siblings are linked without TLS, on this machine only" if herd.is_wanted else "none"
    # The libraries of certificates are imported only where there are any.
    from service.identity.credentials import Paths, load_credentials
    from service.identity.life import Standing

    now = datetime.now(UTC)
    paths = Paths(herd.certificate, herd.key, herd.ca)
    found = load_credentials(paths, node.name, now)
    card = found.card
    until = f"until {card.life.ends:%Y-%m-%d %H:%M} UTC"
    told = f"TLS as node {card.subject.node} of herd {card.subject.herd}, {until}"
    if card.life.standing(now) is Standing.DUE:
        return f"{told}. WARNING: {herd.certificate} is to be renewed; {found.remedy}"
    return told


def access(configuration: Configuration) -> str:
    """Who may call is what was meant, and somebody may."""
    from service.token_file import read_tokens

    file, now = configuration.tokens_file, datetime.now(UTC)
    count = sum(not token.is_over(now) for token in read_tokens(file))
    told = counted(count, "token", "counts", "count")
    if not configuration.access.required:
        return f"calls need no token: whoever reaches a listener may do all there; {told}"
    if not count:
        raise CommandFailed(
            f"calls need a token, and none counts in {file}: nobody can call",
            "make one: `herdbook token add NAME --role admin`",
        )
    return f"calls need a token; {told} in {file}"


CHECKS: tuple[Check, ...] = (
    Check("record module", record_module),
    Check("migrations folder", migrations_folder),
    Check("database", database),
    Check("privileges", privileges, after=("database",)),
    Check("schema", schema, after=("record module", "migrations folder", "database")),
    Check("links", links),
    Check("listeners", listeners),
    Check("access", access),
)


def look_at(
    configuration: Configuration, checks: Sequence[Check] = CHECKS, options: Sequence[str] = ()
) -> list[Finding]:
    """Run every check; errors of ours become findings, and their commands get the options."""
    found: list[Finding] = []
    for check in checks:
        first = [one.name for one in found if one.nothing and one.name in check.after]
        skipped = f"not looked at; first mend the {' and the '.join(first)}"
        found.append(
            Finding(check.name, False, (skipped,))
            if first
            else _finding(check, configuration, options)
        )
    return found


def _finding(check: Check, configuration: Configuration, options: Sequence[str]) -> Finding:
    try:
        return Finding(check.name, True, tuple(mask_secrets(check.look(configuration)).split("\n")))
    except HerdbookError as error:
        told = (with_options(message, options) for message in _messages(error))
        nothing = isinstance(error, DeclarationError | Unavailable | NotThere)
        return Finding(check.name, False, tuple(map(mask_secrets, told)), nothing)


def _messages(error: HerdbookError) -> tuple[str, ...]:
    if isinstance(error, DeclarationError):
        return error.problems
    # Read as an attribute: the rooms of such errors are not imported where nobody needs them.
    troubles = getattr(error, "troubles", ())
    if troubles:
        return tuple(map(str, troubles))
    hint = getattr(error, "advice", getattr(error, "hint", ""))
    told = str(error).removesuffix(".")
    # An advice is a sentence of its own, or goes on with the one before it.
    return (f"{told}{'.' if hint[0].isupper() else ';'} {hint}" if hint else str(error),)
