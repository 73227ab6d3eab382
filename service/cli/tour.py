"""The demonstration's tour: a handful of calls, each with its reason, made from earlier answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Answers = Mapping[str, Any]
"""The answers so far, by the steps' names."""

_WIDTH = 100


@dataclass(frozen=True)
class Step:
    """One call: why, what, and under which name later steps find its answer."""

    name: str
    why: str
    method: str
    params: Callable[[Answers], dict[str, Any]]


TOUR = (
    Step("count", "How many cities are there?", "city.count", lambda _: {}),
    Step(
        "found",
        "Find a record by any field, and take only the fields that matter.",
        "country.list",
        lambda _: {"where": ["code", "=", "IS"], "fields": ["id", "name", "population"]},
    ),
    Step(
        "cities",
        "Its children, the largest first, a page at a time.",
        "country.cities.list",
        lambda said: {
            "of": said["found"]["records"][0]["id"],
            "order": "-population",
            "limit": 3,
            "fields": ["name", "population"],
        },
    ),
    Step(
        "parents",
        "A condition may look at the parent.",
        "city.list",
        lambda _: {
            "where": ["and", ["country.continent", "=", "OC"], ["population", ">", 2_000_000]],
            "order": "-population",
            "fields": ["name", "population", "timezone"],
        },
    ),
    Step(
        "refused",
        "What does not fit is refused as a whole, and every reason is told with its place.",
        "country.update",
        lambda said: {
            "records": [
                {"id": said["found"]["records"][0]["id"], "population": -1, "anthem": "Lofsöngur"},
                {"id": "00000000-0000-7000-8000-000000000000", "continent": "Atlantis"},
                {"id": said["found"]["records"][0]["id"][:8], "name": None},
            ]
        },
    ),
    Step(
        "noted",
        "The changelog: where is it now?",
        "feed.read",
        lambda _: {"from": "now"},
    ),
    Step(
        "created",
        "A new parent …",
        "country.create",
        lambda _: {
            "code": "XH",
            "code3": "XHB",
            "number": 999,
            "name": "Herdland",
            "continent": "EU",
            "area_km2": 42,
            "languages": ["en"],
            "neighbours": [],
        },
    ),
    Step(
        "added",
        "… gets a child, which is told its parent.",
        "country.cities.add",
        lambda said: {
            "of": said["created"]["id"],
            "record": {
                "name": "Byre",
                "geoname": 4_000_000_000,
                "latitude": "47.5",
                "longitude": "9.75",
                "timezone": "Europe/Vienna",
                "alternate_names": [],
            },
        },
    ),
    Step(
        "deleted",
        "City.country says on_delete=cascade: the city goes with its country, in one transaction.",
        "country.delete",
        lambda said: {"id": said["created"]["id"]},
    ),
    Step(
        "gone",
        "So it is gone.",
        "city.get",
        lambda said: {"records": [said["added"]["id"]]},
    ),
    Step(
        "restored",
        "Not for ever: dead rows are kept, and come back with what went along with them.",
        "country.restore",
        lambda said: {"id": said["created"]["id"], "children": True},
    ),
    Step(
        "changes",
        "The feed tells each change once, in order: plain SQL would be told as well.",
        "feed.read",
        lambda said: {"from": said["noted"]["next"], "rows": False, "wait_seconds": 5},
    ),
)


def shown(document: object, indent: str = "") -> str:
    """A document laid out for reading: what fits a line stays on one."""
    line = json.dumps(document, ensure_ascii=False)
    if len(line) + len(indent) <= _WIDTH or not isinstance(document, dict | list):
        return line
    deeper = f"{indent}  "
    if isinstance(document, dict):
        parts = [f"{json.dumps(key)}: {shown(part, deeper)}" for key, part in document.items()]
    else:
        parts = [shown(part, deeper) for part in document]
    opening, closing = ("{", "}") if isinstance(document, dict) else ("[", "]")
    inside = f",\n{deeper}".join(parts)
    return f"{opening}\n{deeper}{inside}\n{indent}{closing}"
