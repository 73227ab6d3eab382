"""The picture of a herd from what its nodes tell of their links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.herd.graph import Graph, articulation_points, components, diameter, joined


@dataclass(frozen=True)
class Told:
    """What one node tells: who it is, the names that it knows, and its links."""

    origin: int
    names: Mapping[int, str]
    links: Mapping[int, Sequence[int]]

    @staticmethod
    def parsed(answer: Mapping[str, Any]) -> Told:
        """The answer of `herd.graph`."""
        return Told(
            answer["self"],
            {int(origin): name for origin, name in answer["names"].items()},
            {int(origin): others for origin, others in answer["links"].items()},
        )


@dataclass(frozen=True)
class Picture:
    """The herd as far as it was asked. `asked` are those who told their links themselves."""

    names: Mapping[int, str]
    asked: frozenset[int]
    links: Graph
    parts: Sequence[frozenset[int]]
    points: frozenset[int]
    longest: int

    def as_plain(self) -> dict[str, Any]:
        """For JSON. `whole`: every node that is known was asked."""
        return {
            "nodes": [
                {
                    "origin": origin,
                    "name": self.names.get(origin),
                    "asked": origin in self.asked,
                    "links": sorted(others),
                }
                for origin, others in self.links.items()
            ],
            "whole": self._is_whole,
            "parts": [sorted(part) for part in self.parts],
            "articulation_points": sorted(self.points),
            "diameter": self.longest,
        }

    def in_words(self) -> str:
        """For people; a picture that is not whole says so first."""
        lines = []
        if not self._is_whole:
            others = ", ".join(map(self._name, sorted(self.links.keys() - self.asked)))
            lines.append(f"not asked: {others}; their links with each other are not known")
        lines.append(f"nodes: {len(self.links)}, parts: {len(self.parts)}")
        if len(self.parts) > 1:
            lines += ["  " + ", ".join(map(self._name, sorted(part))) for part in self.parts]
        points = ", ".join(map(self._name, sorted(self.points))) or "none"
        lines.append(f"without which it would fall apart: {points}")
        lines.append(f"links that a change crosses at most: {self.longest}")
        return "\n".join(lines)

    def rows(self) -> Iterator[tuple[object, ...]]:
        """A line for each node."""
        for origin, others in self.links.items():
            linked = ", ".join(map(self._name, sorted(others))) or "nobody"
            asked = "yes" if origin in self.asked else "no"
            yield self.names.get(origin, "?"), origin, asked, linked

    @property
    def _is_whole(self) -> bool:
        return self.links.keys() <= self.asked

    def _name(self, origin: int) -> str:
        return self.names.get(origin) or str(origin)


def picture_of(told: Sequence[Told]) -> Picture:
    """What some nodes tell, put together; what a node says of its own name counts most."""
    names = {origin: name for one in told for origin, name in one.names.items()}
    names |= {one.origin: one.names[one.origin] for one in told if one.origin in one.names}
    links = joined(one.links for one in told)
    return Picture(
        names,
        frozenset(one.origin for one in told),
        links,
        components(links),
        articulation_points(links),
        diameter(links),
    )
