"""What a recipient was told and answered, in sentences that a person can read (Art. 12(1), 19)."""

from __future__ import annotations

from collections.abc import Iterator

from domain.explanation import written_date
from services.letter_facts import RecipientNotice
from services.letter_pen import sentence
from services.wording import LETTERS, Wording, wording


def what_came(notice: RecipientNotice, words: Wording) -> Iterator[str]:
    """When they were told of what, what they answered and when, and under which reference."""
    if notice.on is None:
        return
    about = notice.about.value if notice.about else "other"
    key = about if words.find(f"recipients_about.{about}") else "other"
    day = written_date(notice.on, words.language)
    yield sentence(words.say(f"recipients_about.{key}", day=day))
    if notice.answered_on is not None and notice.answered is not None:
        day = written_date(notice.answered_on, words.language)
        yield sentence(words.say(f"recipients_answered.{notice.answered.value}", day=day))
    elif notice.proof and notice.answered_on is None:
        yield words.say("recipients.no_answer")
    if notice.proof:
        yield words.say("recipients.proof", proof=notice.proof)


def what_came_in_a_copy(notice: RecipientNotice, words: Wording) -> list[str]:
    """The same, beside whatever else a copy says of the recipient."""
    return list(what_came(notice, wording(LETTERS, words.language)))
