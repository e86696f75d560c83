"""Which proof speaks for a recipient, and what of its answer is for the person (Art. 19)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.letter_facts import Reply
from services.recipient_proofs import Proof, Way, latest

ID = UUID("1f0c2a9b-0000-4000-8000-000000000001")


def proof(
    way: Way = Way.LINK,
    about: str = "inform",
    answer: str = "done",
    told: int | None = 1,
    answered: int | None = 2,
) -> Proof:
    return Proof(
        line="recipient:organisers",
        way=way,
        about=about,
        told_at=_on(told),
        seen_at=None,
        answered_at=_on(answered),
        answer=answer,
        tries=3,
        id=ID,
    )


def _on(day: int | None) -> datetime | None:
    return datetime(2026, 11, day, tzinfo=UTC) if day else None


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        ("done", Reply.DONE),
        ("erased", Reply.DONE),
        ("erased, kept", Reply.KEPT),
        ("kept", Reply.KEPT),
        ("nothing-held", Reply.NOTHING_HELD),
        ("not-found", Reply.NOTHING_HELD),
        ("erased, not-found", Reply.DONE),
        ("needs-person", None),
        ("try-later", None),
        ("informed", None),
        ("", None),
    ],
)
def test_of_an_answer_the_person_reads_what_became_of_the_data(
    answer: str, reply: Reply | None
) -> None:
    """Something kept is never hidden behind what was done."""
    assert proof(answer=answer).reply is reply


def test_what_was_told_last_speaks_and_being_asked_is_not_being_told() -> None:
    asked = proof(about="find", told=9, answered=9)
    looked = proof(about="read-back", told=9, answered=9)
    unsent = proof(told=None, answered=None)
    first, second = proof(told=1, answered=None), proof(told=3, answered=None)
    assert latest([asked, looked, unsent]) is None
    assert latest([asked, first, second, looked]) is second
    assert latest([proof(told=1, answered=2), second]) == proof(told=1, answered=2)


def test_only_what_can_be_looked_up_is_a_reference() -> None:
    assert proof(Way.LINK).reference == "1f0c2a9b"
    assert proof(Way.KAFKA).reference == "1f0c2a9b"
    assert proof(Way.BY_HAND).reference == proof(Way.CONNECTOR).reference == ""
