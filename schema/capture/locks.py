"""Short transactions that are done again where somebody's locks were in their way."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema.connection import error_code

Result = TypeVar("Result")

ATTEMPTS = 10
LOCKED = frozenset({1205, 1213, 1020})
"""A lock was waited for too long; a deadlock; a row was changed since the transaction began."""


def committed(connection: Connection, work: Callable[[], Result]) -> Result:
    """Do some work and commit it; again from its beginning where a lock kept it from being done."""
    for attempt in count(1):
        try:
            result = work()
        except DBAPIError as error:
            connection.rollback()
            if error_code(error) not in LOCKED or attempt >= ATTEMPTS:
                raise
        else:
            connection.commit()
            return result
    raise AssertionError("attempts are counted without end")
