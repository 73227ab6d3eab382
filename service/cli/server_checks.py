"""What `herdbook check`, and a node that starts, look at on the database server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from records.errors import HerdbookError
from service.cli.output import CommandFailed
from service.config import Configuration

if TYPE_CHECKING:
    from service.store.inspection import Inspection

ALLOW = "[database] allow_not_durable = true"


class ServerUnfit(HerdbookError):
    """The database server cannot be used as it is; `troubles` says why, one text each."""

    def __init__(self, troubles: tuple[str, ...]) -> None:
        super().__init__("; ".join(troubles))
        self.troubles = troubles


def look_at_server(configuration: Configuration) -> Inspection:
    """What the server says of itself and of the account; raises Unavailable."""
    # The driver is imported only now: a wrong configuration is reported without it.
    from service.store.inspection import inspect

    return inspect(configuration.database.url, configuration.database.connect_seconds)


def database(configuration: Configuration) -> str:
    """The database server answers and is new enough, the account gets in, writes are durable."""
    found = look_at_server(configuration)
    allowed = configuration.database.allow_not_durable
    troubles = () if allowed else tuple(f"{loss}; or {_allowing()}" for loss in found.losses)
    if found.read_only:
        troubles = ("the server takes no writes: read_only is set; switch it off there", *troubles)
    if troubles:
        raise ServerUnfit(troubles)
    warnings = [f"WARNING, and allowed by {ALLOW}: {loss}" for loss in found.losses]
    lines = [f"{found.version} at {configuration.database.url.masked()}", *warnings]
    body = configuration.limits.body_bytes
    if found.longest_statement < body:
        lines.append(
            f"WARNING: limits.body_bytes is {body}, and the server takes statements of "
            f"{found.longest_statement} bytes at most, so that it refuses what calls may hold; set "
            f"max_allowed_packet to {2 * body} there, or lower limits.body_bytes"
        )
    return "\n".join(lines)


def privileges(configuration: Configuration) -> str:
    """The account holds what a node needs to serve; what else it lacks is told as well."""
    found = look_at_server(configuration)
    missing = found.standing.without_serving()
    further = found.standing.further(triggers_forbidden=found.forbids_triggers)
    if missing:
        raise ServerUnfit((*missing, *further))
    and_migrate = "" if further else " and to migrate"
    return "\n".join(
        [f"{found.standing.account} holds what it needs to serve{and_migrate}", *further]
    )


def require_durable(configuration: Configuration) -> None:
    """Raise CommandFailed if the server may lose acknowledged writes and nobody has allowed it."""
    if configuration.database.allow_not_durable:
        return
    losses = look_at_server(configuration).losses
    if losses:
        raise CommandFailed("; ".join(losses), f"Or {_allowing()}.", code="database.not_durable")


def _allowing() -> str:
    return f"allow it by name, with {ALLOW}"
