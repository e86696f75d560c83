"""How far a replay is: what came of it here, and what the systems that were told have answered.

It is over when nothing is waited for, of no system and of no person (Art. 5(2), 17(1)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.instruction import Instruction, Said
from domain.replay import Replay

CANNOT_LIST: Final = "cannot-list"
NOT_BY_TOKENS: Final = "cannot-match-tokens"
SOME_KEPT: Final = "some-are-kept"
NO_DATES: Final = "no-dates"
STILL_THERE: Final = "still-there-after-erasure"
REFUSED: Final = "refused"
NOT_DONE_THERE: Final = "not-done-there"
"""Why a replay waits for a person."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One replay, and what systems that were told have answered."""

    replay: Replay
    told: int = 0
    answered: int = 0
    unanswered: int = 0
    """For how many of them nobody waits any more, though no answer came."""
    need_person: int = 0
    """How many a person has to see to, as it said or because it did not answer."""

    @property
    def waits_for(self) -> str | None:
        """Why a person is waited for: what Trettio cannot do, or what was not done there."""
        return self.replay.waits_for or (NOT_DONE_THERE if self.need_person else None)

    @property
    def waiting(self) -> int:
        return self.replay.waiting if self.replay.waits_for else self.need_person

    @property
    def is_over(self) -> bool:
        heard = self.answered + self.unanswered >= self.told
        return self.replay.finished_at is not None and self.waits_for is None and heard


def standing_of(replay: Replay, told: Sequence[Instruction]) -> Standing:
    """`told` are the instructions that this replay has given."""
    # What came after somebody had seen to it needs somebody again.
    since = (replay.settled_by and replay.finished_at) or replay.begun_at
    by_hand = [one.answered_at for one in told if one.said is Said.NEEDS_PERSON]
    ended = [one.ended_at for one in told if one.answered_at is None and one.ended_at]
    return Standing(
        replay,
        told=len(told),
        answered=sum(one.answered_at is not None for one in told),
        unanswered=len(ended),
        need_person=sum(at is not None and at > since for at in (*by_hand, *ended)),
    )
