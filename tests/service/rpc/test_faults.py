"""Errors tell the client what it can use, and the log the rest."""

from __future__ import annotations

import json
import logging

import pytest

from records.errors import Failure
from service import errors
from service.rpc import refusals
from service.rpc.faults import FAILURES_LISTED, FAULT_KINDS, FaultKind, Faults, kind_of
from tests.service.rpc.methods import SECRET

RANGES = [
    (range(-32768, -32599), ("json.", "request.", "method.", "params.", "server.internal")),
    (range(-32009, -31999), ("server.",)),
    (range(-32019, -32009), ("limit.",)),
    (range(1000, 1100), ("values.",)),
    (range(1100, 1200), ("record.",)),
    (range(1200, 1300), ("constraint.",)),
    (range(1300, 1400), ("feed.",)),
    (range(1400, 1500), ("herd.", "journal.", "held.")),
    (range(1500, 1600), ("access.",)),
]


def translate(error: BaseException) -> dict[str, object]:
    """The error object for an exception, with a fixed trace."""
    return Faults(trace=lambda: "t1").translate(error).as_json()


def data_of(error: BaseException) -> dict[str, object]:
    """The data in the error object for an exception."""
    data = translate(error)["data"]
    assert isinstance(data, dict)
    return data


def test_every_kind_has_a_number_and_a_code_of_its_own() -> None:
    """A program can tell errors apart by either."""
    assert len({kind.number for kind in FAULT_KINDS}) == len(FAULT_KINDS)
    assert len({kind.code for kind in FAULT_KINDS}) == len(FAULT_KINDS)


@pytest.mark.parametrize("kind", FAULT_KINDS, ids=lambda kind: kind.code)
def test_every_number_lies_in_the_range_of_its_code(kind: FaultKind) -> None:
    """A client can treat a whole range alike, also for numbers it does not know yet."""
    [prefixes] = [prefixes for numbers, prefixes in RANGES if kind.number in numbers]
    assert kind.code.startswith(prefixes)


def test_every_error_class_has_a_row() -> None:
    """No error of the service becomes an internal one because somebody forgot the table."""
    pending = [errors.ServiceError]
    found: set[type[errors.ServiceError]] = set()
    for cls in pending:
        pending.extend(cls.__subclasses__())
        if cls.__module__ in (errors.__name__, refusals.__name__):
            found.add(cls)
    assert found - {kind.error for kind in FAULT_KINDS} - {errors.Refused} == set()


def test_a_subclass_takes_the_number_of_its_base_and_keeps_its_code() -> None:
    """A finer error can be added without a new number."""

    class RevisionConflict(errors.Conflict):
        code = "constraint.revision"

    answer = translate(RevisionConflict([]))
    assert answer["code"] == 1200
    assert answer["data"] == {
        "code": "constraint.revision",
        "hint": errors.Conflict.hint,
        "retryable": False,
        "trace": "t1",
    }


def test_every_failure_is_listed_with_its_place() -> None:
    """A client with many records learns of each failure at once."""
    failures = [
        Failure("value.too_long", "name is too long", "/name", 0),
        Failure("value.missing", "code is missing", "/code", 3),
    ]
    answer = translate(errors.ValuesRefused(failures))
    assert answer["code"] == 1000
    assert answer["message"] == "name is too long (and 1 more)"
    assert data_of(errors.ValuesRefused(failures))["errors"] == [
        {"index": 0, "pointer": "/name", "code": "value.too_long", "message": "name is too long"},
        {"index": 3, "pointer": "/code", "code": "value.missing", "message": "code is missing"},
    ]


def test_failures_beyond_the_limit_are_counted() -> None:
    """An answer stays of a size somebody can read, and says that there is more."""
    failures = [Failure("value.missing", "missing", f"/{n}") for n in range(FAILURES_LISTED + 7)]
    data = data_of(errors.ValuesRefused(failures))
    assert isinstance(data["errors"], list)
    assert len(data["errors"]) == FAILURES_LISTED
    assert data["errors_left_out"] == 7


def test_standard_messages_are_fixed_and_the_detail_stands_in_the_data() -> None:
    """Clients that compare messages with the specification find them there."""
    answer = translate(errors.MethodUnknown("there is no method country.fly"))
    assert answer["message"] == "Method not found"
    data = data_of(errors.MethodUnknown("there is no method country.fly"))
    assert data["detail"] == "there is no method country.fly"
    assert data["hint"] == errors.MethodUnknown.hint


def test_details_are_added_and_cannot_hide_the_rest() -> None:
    """What an error adds stands beside the fixed members and never in their place."""
    data = data_of(errors.Busy("wait", details={"waiting": 12, "code": "x", "trace": "y"}))
    assert (data["waiting"], data["code"], data["trace"]) == (12, "server.busy", "t1")
    assert data["retryable"] is True


def test_an_own_hint_replaces_the_general_one() -> None:
    """An error that knows better advice gives it."""
    assert data_of(errors.NotFound([], hint="Look in the other herd."))["hint"] == (
        "Look in the other herd."
    )


def test_an_unknown_exception_tells_the_client_nothing_and_the_log_all(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """SQL and tracebacks stay inside; the trace leads from the answer to the log."""
    try:
        raise RuntimeError(f"error in {SECRET}")
    except RuntimeError as error:
        answer = translate(error)
    text = json.dumps(answer)
    assert answer["code"] == -32603
    assert answer["message"] == "Internal error"
    assert "SELECT" not in text
    assert "RuntimeError" not in text
    assert "trace t1" in caplog.text
    assert f"RuntimeError: error in {SECRET}" in caplog.text


def test_the_cause_of_an_outage_is_logged_and_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    """Operators see why the database is away; clients only that it is."""
    error = errors.Unavailable("the database cannot be reached")
    error.__cause__ = OSError("connect to /run/mysqld/secret.sock failed")
    with caplog.at_level(logging.WARNING):
        answer = translate(error)
    assert answer["code"] == -32000
    assert "secret.sock" not in json.dumps(answer)
    assert "secret.sock" in caplog.text


def test_refused_calls_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Clients' mistakes are no news for operators."""
    with caplog.at_level(logging.INFO):
        translate(errors.ValuesRefused([Failure("value.missing", "missing")]))
    assert caplog.text == ""


def test_each_error_gets_a_trace_of_its_own() -> None:
    """Two errors are never mixed up in the log."""
    faults = Faults()
    traces = {faults.translate(errors.Busy("wait")).trace for _ in range(100)}
    assert len(traces) == 100


def test_other_exceptions_are_internal() -> None:
    """A key error inside a method is not taken for an error of the table."""
    assert kind_of(KeyError("x")).number == -32603
    assert kind_of(errors.ServiceError("x")).number == -32603
