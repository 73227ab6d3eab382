"""Nodes and ranges as people name them on the command line, found at the node that is asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from records.errors import ValueRefused
from service.cli.asking import ask
from service.cli.output import CommandFailed
from service.config.problems import nearest
from service.methods.range_asked import block_or_id

_MOST_NODES_NAMED = 20
_MOST_RANGES_NAMED = 20
_HOW = (
    "Name each range by its id, or by a block that only one has; `herdbook range list` tells them."
)


def names_of(url: str, ranges: list[dict[str, Any]]) -> dict[str, str]:
    """The names of the nodes of some ranges, by id; a node that went meanwhile keeps its id."""
    ids = sorted({each["node_id"] for each in ranges})
    found = ask(url, "node.get", {"records": ids, "fields": ["id", "name"]}) if ids else []
    return {each: each for each in ids} | {each["id"]: each["name"] for each in found if each}


def id_of_node(url: str, name: str) -> str:
    """The id of a node by its name; CommandFailed, with the names there are, where it is none."""
    found = ask(url, "node.list", {"where": ["name", "=", name], "fields": ["id"]})["records"]
    if not found:
        raise _no_such_node(url, name)
    identity: str = found[0]["id"]
    return identity


def _no_such_node(url: str, name: str) -> CommandFailed:
    asked = {"order": "name", "limit": _MOST_NODES_NAMED, "fields": ["name"]}
    page = ask(url, "node.list", asked)
    names = [each["name"] for each in page["records"]]
    known = ", ".join(names) + (", …" if page.get("next") else "")
    near = nearest(name, names)
    hint = f"known are {known}" if names else "no node is known: `herdbook node list` shows them"
    hint += f"; did you mean {near}?" if near else ""
    return CommandFailed(f"there is no node {name}", hint, code="node.unknown")


def ids_of_ranges(url: str, named: Iterable[str]) -> list[str]:
    """The ids of ranges by their ids or blocks; CommandFailed with all that names not just one."""
    found: list[str] = []
    wrong: list[str] = []
    for text in named:
        try:
            which = block_or_id(text)
            found.append(text if isinstance(which, UUID) else _only_one(url, str(which)))
        except ValueRefused as refused:
            wrong.append(refused.message)
    if wrong:
        raise CommandFailed("\n".join(["nothing was released", *wrong]), _HOW, code="range.named")
    return found


def _only_one(url: str, block: str) -> str:
    """The id of the one range that has a block; ValueRefused where it is none, or several."""
    asked = {"where": ["cidr", "=", block], "limit": _MOST_RANGES_NAMED, "order": "id"}
    ranges = ask(url, "range.list", asked)["records"]
    if not ranges:
        raise ValueRefused("record.not_found", f"there is no range {block}")
    if len(ranges) > 1:
        names = names_of(url, ranges)
        shown = ", ".join(f"{e['id']} ({e['purpose']}, {names[e['node_id']]})" for e in ranges)
        raise ValueRefused("range.ambiguous", f"{block} is that of several ranges: {shown}")
    identity: str = ranges[0]["id"]
    return identity
