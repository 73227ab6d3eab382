"""From an operation to its result, or to an error that holds everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from MySQLdb import Error as DriverError

from records.errors import Failure
from records.values import RecordInfo
from service.errors import Busy, Conflict, NotFound, Refused, ValuesRefused
from service.methods.subjects import where_to_look
from service.store.database import error_number
from service.store.diagnosis import explain
from service.store.operations import Operation, Unfit
from service.store.threads import Lane
from service.store.translation import CONSTRAINT

Result = TypeVar("Result")

WRITE_ATTEMPTS = 3
"""How often a write is tried that a constraint refused, when nothing wrong is found afterwards:
another transaction was in the way and is gone."""


async def written(lane: Lane, operation: Operation[Result], known: Sequence[Failure]) -> Result:
    """Do the operation; or find out all that is wrong with it, and raise that."""
    if known:
        found = await lane.try_out(operation.failures)
        raise ValuesRefused(_in_order([*known, *found]))
    refused: list[Failure] = []
    for _attempt in range(WRITE_ATTEMPTS):
        try:
            return await lane.run(operation.attempt)
        except Unfit:
            pass
        except DriverError as error:
            if error_number(error) not in CONSTRAINT:
                raise
            refused = list(explain(operation.record, error, None))
        found = await lane.try_out(operation.failures)
        if found:
            raise refusal(found, operation.record)
    if refused:
        raise Conflict(refused)
    raise Busy("other work kept changing the same records")


def refusal(found: Sequence[Failure], record: RecordInfo) -> Refused:
    """The error that says what sort of failures these are, of a write to a class."""
    codes = {failure.code for failure in found}
    if "record.not_found" in codes:
        missing = [each.pointer for each in found if each.code == "record.not_found"]
        return NotFound(_in_order(found), hint=where_to_look(record, missing))
    of_values = [code for code in codes if code.startswith("value.")]
    is_of_values = of_values or "reference.incomplete" in codes
    return (ValuesRefused if is_of_values else Conflict)(_in_order(found))


def _in_order(failures: Iterable[Failure]) -> list[Failure]:
    """Sorted by record, what is said of no record first; each said once."""
    return sorted(
        dict.fromkeys(failures),
        key=lambda failure: -1 if failure.index is None else failure.index,
    )
