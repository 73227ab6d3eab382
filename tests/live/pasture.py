"""Record classes for herds of nodes: every rule for what becomes of children."""

from __future__ import annotations

import random

from records import Integer, Record, Reference, Text
from tests.live import storm
from tests.live.herd import Bell, Cow, Farm

__all__ = ["Bell", "Cow", "Farm", "Visit", "some_call", "some_statement"]


class Visit(Record):
    """A vet's visit holds on to its cow."""

    number = Integer(primary=True)
    cow = Reference(Cow)
    note = Text(length=40, default="")


def some_call(chance: random.Random) -> storm.Call:
    """A call that writes; it may well be refused."""
    if chance.random() < 0.8:
        return storm.some_call(chance)
    number, cow = chance.randrange(storm.BELLS), chance.randrange(storm.COWS)
    calls: list[storm.Call] = [
        ("visit.create", {"number": number, "cow_number": cow}),
        ("visit.upsert", {"number": number, "cow_number": cow, "note": f"{chance.random()}"}),
        ("visit.delete", {"number": number}),
    ]
    return chance.choice(calls)


def some_statement(chance: random.Random) -> storm.Statement:
    """A statement that writes; it may well be refused."""
    if chance.random() < 0.8:
        return storm.some_statement(chance)
    number, cow = chance.randrange(storm.BELLS), chance.randrange(storm.COWS)
    statements: list[storm.Statement] = [
        ("INSERT INTO visit (number, cow_number, note) VALUES (%s, %s, '')", (number, cow)),
        ("UPDATE visit SET cow_number = %s WHERE number = %s", (cow, number)),
        ("DELETE FROM visit WHERE number BETWEEN %s AND %s", (number, number + 2)),
    ]
    return chance.choice(statements)
