"""`herdbook herd`: how a node stands among its siblings, and how the herd hangs together."""

from __future__ import annotations

import time
from typing import Any

import click

from service.cli.asking import Refused, ask, shows_refusals, url_option
from service.cli.herd_ca import ca
from service.cli.herd_care import new_origin, readmit, retire
from service.cli.herd_graph import Told, picture_of
from service.cli.herd_status import needs_somebody, show_status
from service.cli.output import CommandFailed, ExitCode, Output, output_option
from service.cli.token_source import token_option
from service.cli.wording import in_words


@click.group()
def herd() -> None:
    r"""Look at the herd: links, what siblings lack, what is held; and look after it.

    \b
    Examples:
      herdbook herd status
      herdbook herd status --watch
      herdbook herd graph http://127.0.0.1:8650/ http://127.0.0.1:8660/
      herdbook herd retire barn --dir ./node --yes
      herdbook herd new-origin --dir ./copy --yes
      herdbook herd ca init ./authority
    """


herd.add_command(retire)
herd.add_command(readmit)
herd.add_command(new_origin)
herd.add_command(ca)


@herd.command()
@url_option
@click.option("--watch", is_flag=True, help="Show it again and again, until Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="How often, with --watch.",
)
@output_option
@shows_refusals
def status(url: str, watch: bool, every: float, output: Output) -> ExitCode:
    r"""Show a node and its siblings.

    For each sibling: how the link stands, how many changes it lacks and for how long, and what it
    says of its schema. Below that, what is held and what the journal has.

    Ends with 3 where something is held or an alarm stands, since somebody has to look at that. A
    warning can wait for some time, and changes nothing of it.

    \b
    Examples:
      herdbook herd status
      herdbook herd status --url http://127.0.0.1:8660/ --json
      herdbook herd status --watch --every 5
    """
    if not watch:
        found = ask(url, "herd.status")
        show_status(found, output)
        return ExitCode.DIFFERENCES if needs_somebody(found) else ExitCode.DONE
    try:
        while True:
            found = ask(url, "herd.status")
            if not output.as_json:
                click.clear()
            show_status(found, output)
            time.sleep(every)
    except KeyboardInterrupt:
        return ExitCode.DONE


@herd.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@token_option
@output_option
def graph(urls: tuple[str, ...], output: Output) -> ExitCode:
    r"""Put together what several nodes tell of their links.

    A node knows its own links only, so ask them all: nodes that were met and not asked are named.
    Shows the parts between which there is no way, the nodes without which there would be more, and
    how many links a change has to cross at most.

    Ends with 3 where the nodes do not all hang together, and with 1 where one did not answer.

    \b
    Example:
      herdbook herd graph http://127.0.0.1:8650/ http://127.0.0.1:8660/
    """
    told, failed = list[Told](), list[tuple[str, CommandFailed]]()
    for url in urls:
        try:
            told.append(Told.parsed(ask(url, "herd.graph")))
        except Refused as refused:
            failed.append((url, in_words(refused.text)))
        except CommandFailed as failure:
            failed.append((url, failure))
    if not told:
        raise failed[0][1]
    picture = picture_of(told)
    document: dict[str, Any] = picture.as_plain()
    document["failed"] = [{"url": url, "message": why.message} for url, why in failed]
    output.result(document, picture.in_words())
    output.table(("node", "origin", "asked", "linked with"), picture.rows())
    for url, why in failed:
        output.note(f"{url} did not tell its links: {why.message}")
    if failed:
        return ExitCode.FAILED
    return ExitCode.DIFFERENCES if len(picture.parts) > 1 else ExitCode.DONE
