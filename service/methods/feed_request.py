"""The parameters of those who read the feed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from records.catalogue import Catalogue
from records.errors import ValueRefused
from records.values import RecordInfo
from service.methods.feed_port import Wanted
from service.methods.listing import LARGEST_LIMIT
from service.methods.params import Arguments, Parameter
from service.methods.paths import find_path
from service.methods.problems import Place, Problems
from service.methods.query import Condition, Path
from service.methods.where import ConditionParser

USUAL_LIMIT = 100
LONGEST_WAIT = 25
"""Seconds. With what the answer takes it stays below `limits.call_seconds` as it is by default."""

HIGHEST_POSITION = 2**63 - 1
NOW = "now"
_CONSUMER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)
_MOST_NOTED = 100
"""Unknown classes of one call that are each told; no honest call has more."""

FROM = Parameter(
    "from",
    'the position after which to begin: 0 (also if absent), the `next` of a page, or "now"',
    {"anyOf": [{"type": "integer", "minimum": 0}, {"const": NOW}, {"type": "null"}]},
)
LIMIT = Parameter(
    "limit",
    f"how many changes at most, 1 to {LARGEST_LIMIT}; {USUAL_LIMIT} if absent",
    {"type": ["integer", "null"], "minimum": 1, "maximum": LARGEST_LIMIT},
)
RECORDS = Parameter(
    "records",
    "the names of the classes whose changes are wanted; all of them if absent",
    {"type": ["array", "null"], "items": {"type": "string"}, "minItems": 1},
)
WHERE = Parameter(
    "where",
    "by the name of a class, a condition on the class's own fields that its rows fulfil",
    {"type": ["object", "null"], "additionalProperties": {"type": "array"}},
)
ROWS = Parameter(
    "rows", "whether to tell the rows, or only their keys; true if absent", {"type": "boolean"}
)
WAIT = Parameter(
    "wait_seconds",
    f"how long to wait for a change where there is none yet, 0 to {LONGEST_WAIT}; 0 if absent",
    {"type": ["number", "null"], "minimum": 0, "maximum": LONGEST_WAIT},
)
CONSUMER = Parameter(
    "consumer",
    "a registered consumer, for which everything up to `from` is acknowledged",
    {"type": ["string", "null"], "pattern": f"^{_CONSUMER.pattern}$"},
)
NAMED_CONSUMER = Parameter(
    "consumer",
    "its name: up to 64 letters, digits, or . _ : -",
    {"type": "string", "pattern": f"^{_CONSUMER.pattern}$"},
    required=True,
)
POSITION = Parameter(
    "position",
    "everything up to here is no longer needed",
    {"type": "integer", "minimum": 0},
    required=True,
)

SUBSCRIPTION = (FROM, RECORDS, WHERE, ROWS, LIMIT, CONSUMER)
READING = (*SUBSCRIPTION, WAIT)


@dataclass(frozen=True)
class FeedRequest:
    """What a reader asks for. `start` is None for "now"."""

    start: int | None
    limit: int
    wanted: Wanted
    wait_seconds: float
    consumer: str | None


def read_request(catalogue: Catalogue, arguments: Arguments) -> FeedRequest:
    """What the parameters of `READING` or `SUBSCRIPTION` ask for.

    Raises ParametersRefused with all that is wrong.
    """
    request = FeedRequest(
        start=read_start(arguments),
        limit=_limit(arguments),
        wanted=Wanted(
            _records(catalogue, arguments), _where(catalogue, arguments), _rows(arguments)
        ),
        wait_seconds=_wait_seconds(arguments),
        consumer=None if arguments.get("consumer") is None else read_consumer(arguments),
    )
    _check_where_is_wanted(request.wanted, arguments)
    _check_nothing_is_skipped(request, arguments)
    arguments.problems.raise_any()
    return request


def _check_nothing_is_skipped(request: FeedRequest, arguments: Arguments) -> None:
    """What a consumer acknowledges never comes back, so it does that by a position it has seen."""
    if request.consumer is not None and request.start is None:
        arguments.problems.add(
            "from.skips",
            f"{NOW!r} would acknowledge changes that the consumer has not seen; name its position, "
            "or call feed.acknowledge",
            arguments.place("from"),
        )


def read_start(arguments: Arguments) -> int | None:
    """The parameter `from`."""
    given = arguments.get("from")
    if given == NOW:
        return None
    return 0 if given is None else _position(given, "from", arguments, f' or "{NOW}"')


def read_position(arguments: Arguments) -> int:
    """The parameter `position`."""
    if "position" not in arguments.values:
        return 0
    return _position(arguments.get("position"), "position", arguments)


def read_consumer(arguments: Arguments) -> str:
    """The parameter `consumer`."""
    name = arguments.get("consumer")
    if isinstance(name, str) and _CONSUMER.fullmatch(name):
        return name
    if "consumer" in arguments.values:
        arguments.problems.add(
            "consumer.malformed",
            "a consumer has a name of up to 64 letters, digits, or . _ : -",
            arguments.place("consumer"),
        )
    return ""


def _position(given: object, name: str, arguments: Arguments, otherwise: str = "") -> int:
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= HIGHEST_POSITION:
        return given
    arguments.problems.add(
        "position.malformed",
        f"{name} is a position, a whole number from 0{otherwise}",
        arguments.place(name),
    )
    return 0


def _limit(arguments: Arguments) -> int:
    given = arguments.get("limit")
    if given is None:
        return USUAL_LIMIT
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= LARGEST_LIMIT:
        return given
    arguments.problems.add(
        "limit.invalid",
        f"limit is a whole number from 1 to {LARGEST_LIMIT}; read on from next",
        arguments.place("limit"),
    )
    return USUAL_LIMIT


def _rows(arguments: Arguments) -> bool:
    given = arguments.get("rows")
    if given is not None and not isinstance(given, bool):
        arguments.problems.add("value.wrong_type", "rows is true or false", arguments.place("rows"))
    return given is not False


def _wait_seconds(arguments: Arguments) -> float:
    given = arguments.get("wait_seconds")
    if given is None:
        return 0.0
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if is_number and 0 <= given <= LONGEST_WAIT:  # type: ignore[operator]
        return float(given)  # type: ignore[arg-type]
    arguments.problems.add(
        "wait.invalid",
        f"wait_seconds is a number from 0 to {LONGEST_WAIT}",
        arguments.place("wait_seconds"),
    )
    return 0.0


def _records(catalogue: Catalogue, arguments: Arguments) -> frozenset[str] | None:
    given = arguments.get("records")
    if given is None:
        return None
    place = arguments.place("records")
    if not isinstance(given, list) or not given:
        message = f'records is a list of names such as ["{next(iter(catalogue.records))}"]'
        arguments.problems.add("value.wrong_type", message, place)
        return frozenset()
    unknown = 0
    for at, name in enumerate(given):
        if not isinstance(name, str) or name not in catalogue.records:
            unknown += 1
            if unknown <= _MOST_NOTED:
                arguments.problems.class_unknown(name, catalogue.records, (*place, at))
    return frozenset(name for name in given if isinstance(name, str))


def _where(catalogue: Catalogue, arguments: Arguments) -> dict[str, Condition]:
    given, place = arguments.get("where"), arguments.place("where")
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        name = next(iter(catalogue.records))
        arguments.problems.add(
            "where.malformed",
            f'where is an object of conditions by class: {{"{name}": ["field", "=", 1]}}',
            place,
        )
        return {}
    found: dict[str, Condition] = {}
    for name, data in islice(given.items(), len(catalogue.records) + _MOST_NOTED):
        record = catalogue.records.get(name)
        if record is None:
            arguments.problems.class_unknown(name, catalogue.records, (*place, name))
            continue
        condition = _condition(record, data, (*place, name), arguments.problems)
        if condition is not None:
            found[name] = condition
    return found


def _condition(record: RecordInfo, data: Any, place: Place, problems: Problems) -> Condition | None:
    """A condition on the class's own fields."""

    def own_field(text: object) -> Path:
        if isinstance(text, str) and "." in text:
            raise ValueRefused(
                "where.other_record",
                f"a feed is filtered by a {record.name}'s own fields: a change of a parent is a "
                "change of the parent",
            )
        return find_path(_NO_PARENTS, record, text, problems.suggest)

    return ConditionParser(own_field, problems).parse(data, place)


_NO_PARENTS = Catalogue({})


def _check_where_is_wanted(wanted: Wanted, arguments: Arguments) -> None:
    """A condition on a class that is not wanted is a mistake."""
    for name in wanted.where:
        if wanted.records is not None and name not in wanted.records:
            arguments.problems.add(
                "where.not_wanted",
                f"{name} is not among records, so nothing would be told of it",
                (*arguments.place("where"), name),
            )
