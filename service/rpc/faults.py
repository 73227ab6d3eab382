"""From exceptions to JSON-RPC errors, by one table.

An exception finds its row by its class or the nearest base class. Whatever has no row of its own
is an internal error: the client gets a trace id, the log gets the exception under that id.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from service import errors
from service.rpc import refusals

_LONGEST_BRIEF_MESSAGE = 500
# A bulk load can fail in every record; nobody reads more reasons than this from one answer.
FAILURES_LISTED = 1000


@dataclass(frozen=True)
class FaultKind:
    """One row of the table: which number an error class has on the wire.

    Numbers of the specification (-32700, -32600 to -32603) have fixed messages; for all others
    `message` describes the kind, and each error brings a message of its own.
    """

    number: int
    message: str
    error: type[errors.ServiceError]

    @property
    def code(self) -> str:
        """The `error.data.code` of this kind."""
        return self.error.code

    @property
    def is_standard(self) -> bool:
        """Whether the specification of JSON-RPC 2.0 defines this number and its message."""
        return self.number <= -32600

    @property
    def is_server_state(self) -> bool:
        """Whether it tells of the node and not of the call: operators want to see these."""
        return -32009 <= self.number <= -32000


INTERNAL = FaultKind(-32603, "Internal error", errors.ServiceError)

# Ranges: -32000 to -32009 the node's state, -32010 to -32019 limits, 1000 to 1099 values,
# 1100 to 1199 records, 1200 to 1299 constraints, 1300 to 1399 the feed, 1400 to 1499 the herd,
# 1500 to 1599 access. A number never changes its meaning.
FAULT_KINDS: tuple[FaultKind, ...] = (
    FaultKind(-32700, "Parse error", refusals.JsonRefused),
    FaultKind(-32600, "Invalid Request", refusals.RequestRefused),
    FaultKind(-32601, "Method not found", errors.MethodUnknown),
    FaultKind(-32602, "Invalid params", errors.ParametersRefused),
    INTERNAL,
    FaultKind(-32000, "The database cannot be reached", errors.Unavailable),
    FaultKind(-32001, "Too many calls, or rows stayed locked", errors.Busy),
    FaultKind(-32002, "The call took too long", errors.TimedOut),
    FaultKind(-32003, "It is unknown whether the change happened", errors.OutcomeUnknown),
    FaultKind(-32004, "The node is shutting down", errors.ShuttingDown),
    FaultKind(-32005, "The database server is full", errors.DatabaseFull),
    FaultKind(-32006, "The database server takes no writes", errors.DatabaseReadOnly),
    FaultKind(-32007, "The tables are not what the record classes say", errors.SchemaDiffers),
    FaultKind(-32008, "The database refuses the node's account", errors.AccountRefused),
    FaultKind(-32010, "The body is too large", refusals.BodyTooLarge),
    FaultKind(-32011, "The batch is too large", refusals.BatchTooLarge),
    FaultKind(-32012, "The JSON is nested too deep", refusals.NestingTooDeep),
    FaultKind(-32013, "The result is too large", errors.ResultTooLarge),
    FaultKind(-32014, "A statement is too large", errors.StatementTooLarge),
    FaultKind(-32015, "Too many subscriptions", errors.TooManySubscriptions),
    FaultKind(1000, "Values do not fit their fields", errors.ValuesRefused),
    FaultKind(1100, "A record is not there", errors.NotFound),
    FaultKind(1200, "A constraint of the database forbids it", errors.Conflict),
    FaultKind(1301, "The changelog cannot be kept as asked", errors.FeedRefused),
    FaultKind(1400, "A table cannot be compared", errors.TableUnverifiable),
    FaultKind(1302, "A position was never given", errors.PositionBeyondHead),
    FaultKind(1300, "It needs a connection that stays", errors.StreamNeeded),
    FaultKind(1410, "The journal has no such entry, or nothing to restore", errors.JournalRefused),
    FaultKind(1411, "Nothing is held of it", errors.HeldRefused),
    FaultKind(1500, "A token is needed", errors.TokenNeeded),
    FaultKind(1501, "The token is not known", errors.TokenUnknown),
    FaultKind(1502, "The token has expired", errors.TokenExpired),
    FaultKind(1503, "The token may not be used from there", errors.AddressRefused),
    FaultKind(1504, "The token's role is too small", errors.AccessForbidden),
    FaultKind(1505, "Too many calls from there", errors.TooManyCalls),
)

_BY_CLASS = {kind.error: kind for kind in FAULT_KINDS}


@dataclass(frozen=True)
class Fault:
    """A JSON-RPC error object. `code` is the word in its data, `number` the code on the wire."""

    number: int
    message: str
    code: str
    hint: str
    retryable: bool
    trace: str
    extras: dict[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The error as it goes over the wire."""
        data = self.extras | {
            "code": self.code,
            "hint": self.hint,
            "retryable": self.retryable,
            "trace": self.trace,
        }
        return {"code": self.number, "message": self.message, "data": data}

    def in_brief(self) -> Fault:
        """The same error without lists and details, for where there is no room for them."""
        message = self.message[:_LONGEST_BRIEF_MESSAGE]
        return Fault(self.number, message, self.code, self.hint, self.retryable, self.trace)


def kind_of(error: BaseException) -> FaultKind:
    """The row for an exception: that of its class or of the nearest base class that has one."""
    rows = (_BY_CLASS.get(ancestor) for ancestor in type(error).__mro__)
    return next((row for row in rows if row is not None), INTERNAL)


def new_trace() -> str:
    """A fresh id that joins an answer to its lines in the log."""
    return secrets.token_hex(8)


class Faults:
    """Translates exceptions for one node, and tells its log what the client is not told."""

    def __init__(
        self, *, log: logging.Logger | None = None, trace: Callable[[], str] = new_trace
    ) -> None:
        self._log = log or logging.getLogger("herdbook.rpc")
        self._trace = trace

    def translate(self, error: BaseException) -> Fault:
        """The error object for an exception. Never raises, never tells what it should not."""
        kind, trace = kind_of(error), self._trace()
        if kind is INTERNAL or not isinstance(error, errors.ServiceError):
            self._log.error("internal error (trace %s)", trace, exc_info=error)
            base = errors.ServiceError
            return Fault(
                INTERNAL.number, INTERNAL.message, base.code, base.hint, base.retryable, trace
            )
        level = logging.WARNING if kind.is_server_state else logging.DEBUG
        self._log.log(
            level, "%s: %r, cause %r (trace %s)", error.code, error.message, error.__cause__, trace
        )
        return self._known(kind, error, trace)

    def _known(self, kind: FaultKind, error: errors.ServiceError, trace: str) -> Fault:
        """The error object for an exception of the table."""
        extras = dict(error.details)
        if isinstance(error, errors.Refused):
            extras |= self._listed(error)
        if kind.is_standard:
            extras["detail"] = error.message
        message = kind.message if kind.is_standard else error.message
        return Fault(kind.number, message, error.code, error.advice, error.retryable, trace, extras)

    def _listed(self, error: errors.Refused) -> dict[str, object]:
        """The failures of a refusal, and how many are left out beyond the limit."""
        shown = error.failures[:FAILURES_LISTED]
        extras: dict[str, object] = {}
        if shown:
            extras["errors"] = [failure.as_json() for failure in shown]
        if len(error.failures) > len(shown):
            extras["errors_left_out"] = len(error.failures) - len(shown)
        return extras
