"""Herdbook's own record family: the nodes of a herd, and the network ranges of each.

Both are records like any other: captured, merged, sent to siblings. Their tables are Herdbook's
own, and come from its own revisions, not from a project's.

A node is known by an id, since its name and its origin may both change. Two nodes that were given
one name on both sides of a cut are two records, and the ordinary rule for unique values gives the
later one's name an ending. Ranges go with their node. Their blocks have no unique key: which of two
that overlap counts is told from the versions of their births, everywhere alike.
"""

from __future__ import annotations

from records.base import Record
from records.constraints import Index
from records.family_words import NODE_STATES, PURPOSES
from records.fields import Cidr, Enum, FixedBytes, Integer, Json, Text
from records.relation import Reference, References

LONGEST_NODE_NAME = 64
"""Characters."""


class Node(Record):
    """One node of the herd. `origin` is the number under which it writes now, if that is known."""

    __storm_table__ = "herdbook_herd_node"

    name = Text(length=LONGEST_NODE_NAME, unique=True)
    origin = Integer(bits=32, unsigned=True, allow_none=True)
    site = Text(length=64, allow_none=True)
    urls = Json(allow_none=True)
    fingerprint = Text(length=128, allow_none=True)
    weight = Integer(bits=32, unsigned=True, default=1)
    state = Enum(NODE_STATES, default="active")

    ranges = References("Range.node", order_by="cidr")


class Range(Record):
    """A block of addresses that belongs to a node.

    `cidr` is kept as its first address and its length, so an index over it tells what lies before
    and after a block, and which blocks hold an address. `claim` is the version of an earlier birth:
    that of the range which this one is a part of, or of the latest that it was merged from.
    """

    __storm_table__ = "herdbook_herd_range"
    __constraints__ = (Index("purpose", "cidr"), Index("cidr"))

    node = Reference(Node, on_delete="cascade")
    cidr = Cidr()
    purpose = Enum(PURPOSES)
    note = Text(length=400, allow_none=True)
    claim = FixedBytes(length=12, allow_none=True)


FAMILY: tuple[type[Record], ...] = (Node, Range)
