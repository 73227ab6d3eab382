"""`herdbook herd`: the nodes of a herd, and this one among them."""

from __future__ import annotations

from collections.abc import Mapping

import click

from service.cli.main import LazyCommand, LazyGroup

COMMANDS: Mapping[str, LazyCommand] = {
    "retire": LazyCommand("service.cli.herd_care:retire", "Wait no longer for a sibling."),
    "new-origin": LazyCommand(
        "service.cli.herd_care:new_origin", "Give a copied node an origin of its own."
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def herd() -> None:
    r"""Look after the herd that a node belongs to.

    \b
    Examples:
      herdbook herd retire barn --dir ./node --yes
      herdbook herd new-origin --dir ./copy --yes
    """
