"""The errors of the protocol itself: what is refused before any method runs."""

from __future__ import annotations

from records.errors import HerdbookError
from service.errors import Refused, ServiceError


class JsonRefused(Refused):
    """The body is not JSON that can be read without doubt."""

    code = "json.invalid"
    hint = "Send one JSON text (RFC 8259) in UTF-8, without a byte order mark."


class RequestRefused(Refused):
    """The JSON is not a JSON-RPC 2.0 request object, or not a batch of them."""

    code = "request.invalid"
    hint = 'Send {"jsonrpc": "2.0", "method": "name", "params": {}, "id": 1}.'


class BodyTooLarge(ServiceError):
    """The body is longer than limits.body_bytes."""

    code = "limit.body"
    hint = "Split the work over several calls, or raise limits.body_bytes."


class BatchTooLarge(ServiceError):
    """The batch holds more than limits.batch_items requests; none of them was run."""

    code = "limit.batch"
    hint = "Split the batch, or raise limits.batch_items."


class NestingTooDeep(ServiceError):
    """Arrays and objects lie deeper in each other than limits.nesting."""

    code = "limit.nesting"
    hint = "Send flatter values, or raise limits.nesting."


class Unencodable(HerdbookError):
    """A method returned what JSON cannot express: a mistake of ours, told only to the log."""


class ExchangeMisuse(HerdbookError):
    """The transport used an exchange out of order: a mistake of ours, never of the client."""
