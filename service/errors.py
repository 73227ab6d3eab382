"""Every error a running node can answer with, in one tree.

The store and the methods raise these; `service.rpc.faults` turns them into JSON-RPC errors by one
table. Each carries a stable `code` for programs, a message for people, a `hint` that says what to
do, and whether the same call may simply be sent again (`retryable`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from records.errors import Failure, HerdbookError


class ServiceError(HerdbookError):
    """The root of all errors that become an answer to a call."""

    code: ClassVar[str] = "server.internal"
    hint: ClassVar[str] = "The node's log tells more under this trace."
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, hint: str | None = None, details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.advice = self.hint if hint is None else hint
        self.details = dict(details or {})


class MethodUnknown(ServiceError):
    """There is no method of this name."""

    code = "method.unknown"
    hint = "system.listMethods lists what can be called."


class Refused(ServiceError):
    """The call was understood and refused; `failures` holds every reason, each with its place."""

    def __init__(
        self,
        failures: Iterable[Failure],
        message: str | None = None,
        *,
        hint: str | None = None,
    ) -> None:
        self.failures = tuple(failures)
        super().__init__(message or _summary(self.failures), hint=hint)


class ParametersRefused(Refused):
    """The parameters do not fit the method: unknown, missing, or of the wrong shape."""

    code = "params.invalid"
    hint = "system.methodHelp describes the method's parameters."


class ValuesRefused(Refused):
    """Values do not fit their fields; nothing was written."""

    code = "values.invalid"
    hint = "Correct the values at the given pointers and send the call again."


class NotFound(Refused):
    """A record that the call names is not there."""

    code = "record.not_found"
    hint = "List the records to see which keys there are."


class Conflict(Refused):
    """The constraints forbid it: duplicate key, missing parent, rows that refer to it."""

    code = "constraint.violated"
    hint = "Nothing was written. Resolve what each pointer names and send the call again."


class FeedRefused(Refused):
    """The changelog cannot be kept for a consumer as the call asks."""

    code = "feed.refused"
    hint = "feed.consumers lists who is registered, and how far the changelog reaches."


class TableUnverifiable(ServiceError):
    """A table cannot be compared with that of another node."""

    code = "herd.unverifiable"
    hint = "The node's database server gives no digest of a row: it may be larger than a packet."


class PositionBeyondHead(FeedRefused):
    """A position that this database has never given; `details` hold the head."""

    code = "feed.beyond_head"
    hint = (
        "This database never gave that position: it may have been restored from a backup, or be "
        "another node's. List the records whole, and read on from error.data.head."
    )

    def __init__(self, failures: Iterable[Failure], head: int) -> None:
        super().__init__(failures)
        self.details["head"] = head

    @classmethod
    def at(cls, position: int, head: int) -> PositionBeyondHead:
        """The refusal of one position, where nothing else is wrong."""
        return cls([beyond_head(position, head)], head)


def beyond_head(position: int, head: int) -> Failure:
    """What is wrong with a position that was never given."""
    message = f"{position} was never given; the last position is {head}"
    return Failure("position.beyond_head", message, "/position")


class Unavailable(ServiceError):
    """The database cannot be reached; nothing was written."""

    code = "server.unavailable"
    hint = "The database server is down or restarting. Send the call again shortly."
    retryable = True


class Busy(ServiceError):
    """Too many calls wait already, or the same rows stayed locked; nothing was written."""

    code = "server.busy"
    hint = "Send the call again after a moment."
    retryable = True


class TimedOut(ServiceError):
    """The call took longer than its limit and was stopped; nothing was written."""

    code = "server.timeout"
    hint = "Ask for less in one call, or raise limits.call_seconds."


class OutcomeUnknown(ServiceError):
    """The connection broke while the commit was under way: it may or may not have happened."""

    code = "server.outcome_unknown"
    hint = "Read the records to see whether the change is there before you send it again."


class DatabaseFull(ServiceError):
    """The database server has no space left."""

    code = "server.full"
    hint = "Free space on the database server's disk. Nothing was written."
    retryable = True


class DatabaseReadOnly(ServiceError):
    """The database server takes no writes."""

    code = "server.read_only"
    hint = "The database server is set to read only; send writes to another, or switch it back."


class SchemaDiffers(ServiceError):
    """The tables are not what the record classes say."""

    code = "server.schema"
    hint = "Run `herdbook schema check` on the node; it lists what differs."


class AccountRefused(ServiceError):
    """The node's database account may not do this."""

    code = "server.account"
    hint = "Check the account and its grants in the node's database URL with `herdbook check`."


class StatementTooLarge(ServiceError):
    """One statement exceeds what the database server takes at once."""

    code = "limit.packet"
    hint = "Send fewer or smaller values in one call, or raise the server's max_allowed_packet."


class ResultTooLarge(ServiceError):
    """The answer would exceed the result limit."""

    code = "limit.result"
    hint = "Ask for fewer records or fields, or raise limits.result_bytes."


class TooManySubscriptions(ServiceError):
    """The connection holds feed.subscriptions of them already."""

    code = "limit.subscriptions"
    hint = "End one with feed.unsubscribe, open another connection, or raise feed.subscriptions."


class StreamNeeded(ServiceError):
    """The call makes sense only over a connection that stays."""

    code = "feed.stream_needed"
    hint = "Send it to the listener listen.stream, one message a line; or poll with feed.read."


class JournalRefused(Refused):
    """There is no such entry in the journal, or nothing of it that can be written back."""

    code = "journal.refused"
    hint = "journal.list tells what there is; journal.show tells all of one entry."


class HeldRefused(Refused):
    """Nothing is held of the record that the call names."""

    code = "held.refused"
    hint = "held.list tells what is held, and by which id."


class TokenNeeded(ServiceError):
    """The node lets nobody in without a token, and none was shown."""

    code = "access.required"
    hint = (
        "Send a token: over HTTP in the header `Authorization: Bearer TOKEN`, over the stream with "
        "session.login first. `herdbook token add` makes one, with --dir DIR for a node of "
        "`herdbook up --dir DIR`."
    )


class TokenUnknown(ServiceError):
    """The token that was shown is none of this node's."""

    code = "access.unknown"
    hint = "It may have been revoked, or be another node's. `herdbook token add` makes a new one."


class TokenExpired(ServiceError):
    """The token's time is over."""

    code = "access.expired"
    hint = "`herdbook token revoke` it and `herdbook token add` a new one."


class AddressRefused(ServiceError):
    """The token may not be used from where the client is."""

    code = "access.wrong_address"
    hint = (
        "Call from an address that it was made for, or make another one without or with `--from`."
    )


class AccessForbidden(ServiceError):
    """The token's role is too small; `details` hold the one that is needed."""

    code = "access.forbidden"
    hint = "Use a token with the role in error.data.needs, or a higher one."


class TooManyCalls(ServiceError):
    """A client calls more often than it may; `details` hold `retry_seconds`."""

    code = "access.too_many"
    hint = (
        "Wait for error.data.retry_seconds, and send fewer calls, or several records in one. "
        "[access] token_rate and address_rate are the limits, and a token may have its own."
    )
    retryable = True


class ShuttingDown(ServiceError):
    """The node is stopping and takes no new calls."""

    code = "server.shutting_down"
    hint = "Send the call to another node, or again when this one is back."
    retryable = True


def _summary(failures: tuple[Failure, ...]) -> str:
    """One line for people: the first failure, and how many more there are."""
    if not failures:
        return "refused"
    first = failures[0]
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return f"{first.message}{more}"
