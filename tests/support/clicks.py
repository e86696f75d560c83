"""People who stop marketing with one click, for histories: each click and what becomes of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.aggregate import Aggregate
from domain.marketing_stop import MarketingStop
from domain.vocabulary import Outcome


class Clicks:
    """Chances of its own: what it does changes nothing of what else happens."""

    def __init__(self, seed: int, controllers: Sequence[str]) -> None:
        self._chance, self._controllers = random.Random(f"clicks {seed}"), controllers
        self._stops: list[MarketingStop] = []

    def step(self, at: datetime) -> Sequence[Aggregate]:
        """Now and then a new click, or the next thing about one that there was."""
        deed = self._chance.random()
        if deed < 0.05:
            stop = MarketingStop(
                id=self._uuid(),
                controller=self._chance.choice(self._controllers),
                systems=("mailing", "shop")[: self._chance.randrange(3)],
                timestamp=at,
            )
            self._stops.append(stop)
            return [stop]
        if deed > 0.15 or not self._stops:
            return []
        stop = self._chance.choice(self._stops)
        what = self._chance.randrange(4)
        if what == 0:
            stop.hand_over(case_id=self._uuid(), reason="system-refused", at=at)
        elif what == 1 and stop.stopped:
            stop.stop_again(system=self._chance.choice(list(stop.stopped)), at=at)
        elif stop.systems:
            system = self._chance.choice(stop.systems)
            stop.stop_at(system=system, outcome=Outcome.SUPPRESSED, at=at)
        return [stop]

    def _uuid(self) -> UUID:
        return UUID(int=self._chance.getrandbits(128), version=4)
