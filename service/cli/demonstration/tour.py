"""The demonstration's calls: each with its reason and its node, made from earlier answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from examples.gazetteer.data import country_id
from service.cli.demonstration.nodes import NORTH, SOUTH, WEST

Answers = Mapping[str, Any]
"""The answers so far, by the steps' names."""

ICELAND, MALTA = country_id("IS"), country_id("MT")

_WIDTH = 100


@dataclass(frozen=True)
class Step:
    """One call: why, where, what, and under which name later steps find its answer."""

    name: str
    node: str
    why: str
    method: str
    params: Callable[[Answers], dict[str, Any]]


API = (
    Step(
        "found",
        SOUTH,
        "Any node answers. Find a record by any field, and take only the fields that matter.",
        "country.list",
        lambda _: {"where": ["code", "=", "IS"], "fields": ["id", "name", "population"]},
    ),
    Step(
        "cities",
        WEST,
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
        "refused",
        NORTH,
        "What does not fit is refused as a whole, and every reason is told with its place.",
        "country.update",
        lambda said: {
            "records": [
                {"id": ICELAND, "population": -1, "anthem": "Lofsöngur"},
                {"id": "00000000-0000-7000-8000-000000000000", "continent": "Atlantis"},
                {"id": ICELAND[:8], "name": None},
            ]
        },
    ),
    Step(
        "noted",
        SOUTH,
        "The changelog: where is it now?",
        "feed.read",
        lambda _: {"from": "now"},
    ),
)
"""What one node does, whichever it is."""

APART = (
    Step(
        "deleted",
        NORTH,
        "In the north Malta is deleted. City.country says cascade: its cities go along.",
        "country.delete",
        lambda _: {"id": MALTA},
    ),
    Step(
        "added",
        WEST,
        "In the west, which cannot know that, Malta gets another city.",
        "country.cities.add",
        lambda said: {
            "of": MALTA,
            "record": {
                "name": "Byre",
                "geoname": 4_000_000_000 + said["noted"]["next"],
                "latitude": "35.9",
                "longitude": "14.5",
                "timezone": "Europe/Malta",
                "alternate_names": [],
            },
        },
    ),
    Step(
        "counted_west",
        WEST,
        "And the west has counted Iceland's people …",
        "country.update",
        lambda said: {"id": ICELAND, "population": 360_000 + said["noted"]["next"]},
    ),
    Step(
        "counted_north",
        NORTH,
        "… and a moment later the north has, with another outcome.",
        "country.update",
        lambda said: {"id": ICELAND, "population": 370_000 + said["noted"]["next"]},
    ),
)
"""What is written on both sides of the wire that is cut; other values each time it is told."""

TOGETHER = (
    Step(
        "stands",
        WEST,
        "The later write stands, everywhere.",
        "country.get",
        lambda _: {"id": ICELAND, "fields": ["name", "population"]},
    ),
    Step(
        "restored",
        WEST,
        "What was deleted is kept as well: a call on any node brings it back, with its cities.",
        "country.restore",
        lambda _: {"id": MALTA, "children": True},
    ),
)
"""What is found when the wire is healed."""

LAST = (
    Step(
        "there",
        SOUTH,
        "The city that was added in the west is there, in the south as well.",
        "city.get",
        lambda said: {"id": said["added"]["id"], "fields": ["name", "country_id"]},
    ),
    Step(
        "changes",
        SOUTH,
        "The feed of every node tells each change once, whoever made it: plain SQL as well.",
        "feed.read",
        lambda said: {"from": said["noted"]["next"], "rows": False, "limit": 2},
    ),
)
"""What is left of it in the end."""


def from_journal(node: str, number: int) -> Step:
    """What brings back what a node's journal has."""
    return Step(
        "restored_city",
        node,
        "The city that went along because the wire was cut comes back out of the journal.",
        "journal.restore",
        lambda _: {"number": number},
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
