"""What everything in a made-up herd shares: time, chance, the rules, and the story so far."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import NamedTuple

from service.simulation.durable import DurableNode
from service.simulation.rules import Rules
from service.simulation.setting import Setting
from service.simulation.story import Event, Moment, Story
from service.simulation.timeline import Timeline


class World(NamedTuple):
    """What is there once in a herd. `counts` are what happened, by name."""

    setting: Setting
    timeline: Timeline
    random: Random
    rules: Rules
    story: Story
    counts: Counter[str]

    def tell(self, node: DurableNode, event: Event) -> None:
        """One more line of the story."""
        self.story.append(Moment(self.timeline.now, node.name, event))
