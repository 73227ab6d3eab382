"""`herdbook herd retire`, `readmit` and `new-origin`: what only a person can decide."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from service.cli.database_options import (
    database_option,
    database_url,
    dir_option,
    tells_of_database,
)
from service.cli.options import config_option
from service.cli.output import CommandFailed, ExitCode, Output, output_option

if TYPE_CHECKING:
    from service.herd.port import Sibling
    from service.store.herd.siblings import Known
    from service.store.settings import SessionSettings
    from service.store.transaction import Transaction

_TOLD = "its record says so: each node that gets it refuses and awaits it no longer"
_NOT_TOLD = (
    "no record has this origin, so others are not told: "
    "they wait for it until the same is done on each of them"
)


def _options(command: Callable[..., ExitCode | None]) -> Callable[..., ExitCode | None]:
    """Which database, and that it is meant."""
    decorated = tells_of_database(command)
    for option in (
        output_option,
        click.option("--yes", is_flag=True, help="Do it; without this nothing is changed."),
        database_option,
        dir_option,
        config_option,
    ):
        decorated = option(decorated)
    return decorated


@click.command()
@click.argument("sibling", metavar="ORIGIN|NAME")
@_options
def retire(sibling: str, yes: bool, output: Output, **place: Any) -> None:
    r"""Wait no longer for what a sibling acknowledges.

    The changelog is kept for every sibling that was ever met, however long it is silent. One that
    will not come back, or that goes on under another origin, has to be retired, or nothing that it
    lacks is ever pruned. Where links use TLS its certificate is refused from then on, within five
    seconds, once all origins are retired under which it was met. Without TLS it may come back, and
    gets a snapshot. A node of the herd that was never met here can be retired before it is, if its
    record came this far: see `herdbook node list`.

    The sibling's record says so too (`state` is retired), and each node that gets this record
    retires it as well, for good: only `herdbook herd readmit` takes it back, on each node. An
    origin that no record has, since the node goes on under another, is retired on this node only.
    To run it again changes nothing.

    Exit code 4 without --yes.

    \b
    Examples:
      herdbook herd retire barn --dir ./node --yes
      herdbook herd retire 2735765433 --yes
    """
    from service.store.herd.retiring import retire_everywhere
    from service.store.herd.siblings import RETIRED, known, unmet

    database = database_url(output, place)
    siblings = _in_database(database, lambda tx: (*known(tx), *unmet(tx)))
    found = _chosen(siblings, sibling)
    one = found.sibling
    _require_yes(yes, f"{one.name} (origin {one.origin}) would be retired")
    is_told = _captured(database, lambda tx: retire_everywhere(tx, one))
    # Looked up afterwards: by its record a sibling is retired under several origins at once.
    others = _others_called_so(_in_database(database, known), one)
    document = {
        "origin": one.origin,
        "name": one.name,
        "was": found.state,
        "others": others,
        "everywhere": is_told,
    }
    done = "was retired here already" if found.state == RETIRED else "is retired here"
    output.result(document, f"{one.name} (origin {one.origin}) {done}")
    if others:
        listed = " and ".join(map(str, others))
        output.note(
            f"origin {listed} of {one.name} is not retired: until it is, the certificate counts"
        )
    output.note(_TOLD if is_told else _NOT_TOLD)


@click.command()
@click.argument("sibling", metavar="ORIGIN|NAME")
@_options
def readmit(sibling: str, yes: bool, output: Output, **place: Any) -> None:
    r"""Take a sibling back that was retired here by mistake, or too early.

    It is waited for again, and linked again where links use TLS; what it lacks and is gone it gets
    as a snapshot. Its record says `active` again, so that nodes which have not heard of it do not
    retire it any more. Those that did have to take it back themselves: run it on each.

    Exit code 4 without --yes.

    \b
    Examples:
      herdbook herd readmit barn --dir ./node --yes
      herdbook herd readmit 2735765433 --yes
    """
    from service.store.herd.retiring import readmit_here
    from service.store.herd.siblings import ACTIVE, known

    database = database_url(output, place)
    found = _chosen(_in_database(database, known), sibling)
    one = found.sibling
    _require_yes(yes, f"{one.name} (origin {one.origin}) would be taken back")
    _captured(database, lambda tx: readmit_here(tx, one.origin))
    document = {"origin": one.origin, "name": one.name, "was": found.state}
    done = "was never retired here" if found.state == ACTIVE else "is taken back here"
    output.result(document, f"{one.name} (origin {one.origin}) {done}")
    output.note("other nodes that have retired it refuse it until the same is done on each of them")


@click.command("new-origin")
@_options
@click.option(
    "--hours",
    type=click.FloatRange(min=0),
    default=24.0,
    show_default=True,
    help="How long ago it was copied, at most. What was written since is told to siblings again.",
)
def new_origin(yes: bool, hours: float, output: Output, **place: Any) -> None:
    r"""Give a node a new origin, since another one has the same.

    For one of two nodes that were copied from each other: nobody is linked with either. What it
    wrote since it was copied becomes its own, and reaches the others: name more --hours if the copy
    was made before that. Its triggers are made anew, which needs the rights of a migration. It may
    run meanwhile. Siblings take it for another node: retire the former origin there if nobody uses
    it any more.

    Exit code 4 without --yes.

    \b
    Examples:
      herdbook herd new-origin --dir ./copy --yes
    """
    from schema.origin import follow_origin
    from service.database_url import DatabaseUrl
    from service.store.herd.renewing import draw, origin_of
    from service.store.herd.stored import MOST_ORIGIN

    database = database_url(output, place)
    former = _in_database(database, origin_of)
    _require_yes(yes, f"the node would get a new origin in the place of {former}")
    drawn = secrets.randbelow(MOST_ORIGIN) + 1
    _in_database(database, lambda tx: draw(tx, former, drawn, hours * 3_600))
    follow_origin(DatabaseUrl.parse(database).as_sqlalchemy(), 60.0)
    document = {"former": former, "origin": drawn}
    output.result(document, f"origin {drawn} in the place of {former}")


def _in_database(url: str, work: Callable[[Transaction], Any]) -> Any:
    """Run work in one transaction, in which triggers note nothing."""
    from service.store.herd.session import ApplyingSession

    return _done(url, ApplyingSession(), work)


def _captured(url: str, work: Callable[[Transaction], Any]) -> Any:
    """Run work in one transaction, of which triggers note what is written to records."""
    from service.store.settings import SessionSettings

    return _done(url, SessionSettings(), work)


def _done(url: str, session: SessionSettings, work: Callable[[Transaction], Any]) -> Any:
    from records.catalogue import Catalogue
    from service.database_url import DatabaseUrl
    from service.store.database import HerdbookDatabase
    from service.store.work import RetryPolicy, Worker

    seen: list[Any] = []
    database = HerdbookDatabase(DatabaseUrl.parse(url), session)
    worker = Worker(database, Catalogue({}), RetryPolicy(), random.random)
    try:
        worker.run(lambda tx: seen.append(work(tx)))
    finally:
        worker.close()
    return seen[-1]


def _chosen(siblings: tuple[Known, ...], named: str) -> Known:
    """The sibling of an origin or a name; raises CommandFailed where it is not exactly one."""
    found = [one for one in siblings if named in (str(one.sibling.origin), one.sibling.name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{one.sibling.name} ({one.sibling.origin})" for one in siblings)
    raise CommandFailed(
        f"{len(found) or 'no'} sibling{'s are' if found else ' is'} called {named}",
        f"name one by its origin. Known here: {known}"
        if known
        else "this node has never met a sibling",
        code="sibling_unknown",
    )


def _others_called_so(siblings: tuple[Known, ...], one: Sibling) -> list[int]:
    """Other origins that were met under the name of a sibling and are not retired."""
    from service.store.herd.siblings import ACTIVE

    active = [each.sibling for each in siblings if each.state == ACTIVE]
    return [each.origin for each in active if each.name == one.name and each.origin != one.origin]


def _require_yes(yes: bool, what: str) -> None:
    if not yes:
        raise CommandFailed(
            what, "add --yes to do it", code="not_confirmed", exit_code=ExitCode.UNSAFE
        )
