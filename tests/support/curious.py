"""What is looked at in random histories: cases, and now and then all of a controller's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random
from uuid import UUID

from domain.aggregate import Aggregate
from domain.case import Case
from domain.controller import controller_id
from domain.looks import Looks
from domain.vocabulary import Content, Door, Purpose


class Curious:
    """Draws by a chance of its own, so that the histories around it stay as they were."""

    def __init__(self, seed: int) -> None:
        self._seed, self._chance = seed, Random(seed)
        self._looks: dict[UUID, Looks] = {}

    def step(self, cases: Sequence[Case], at: datetime) -> Sequence[Aggregate]:
        if not cases or self._chance.random() > 0.05:
            return []
        case = self._chance.choice(cases)
        # Two histories may run in one log: each has controllers' looks of its own.
        everything = controller_id(f"{case.controller}-{self._seed}")
        subject = everything if self._chance.random() < 0.2 else case.id
        looks = self._looks.get(subject)
        if looks is None:
            looks = Looks(subject_id=subject, controller=case.controller, timestamp=at)
            self._looks[subject] = looks
        looks.show(
            self._chance.sample(list(Content), 2),
            by=self._chance.choice(["staff-1", "staff-2"]),
            purpose=self._chance.choice(list(Purpose)),
            way=self._chance.choice(list(Door)),
            at=at,
        )
        return [looks]
