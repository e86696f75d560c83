"""A system only a person can look into: the form, and a reason for none (Art. 5(2))."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest
from pydantic import ValidationError

from adapters.outbound.connectors import build
from adapters.outbound.connectors.manual import ManualAnswer
from domain.vocabulary import IdentifierKind, Match, Outcome
from services.ports import AwaitsPerson, Identifier, Person, Result, Treatment
from tests.support.people import NOBODY, somebody

KARI = "kari@post.example"
FOUND: Mapping[str, object] = {
    "kind": "communication",
    "key": "thread 12",
    "description": "Asked about a refund",
    "matched_by": "email",
    "certain": True,
    "fields": {"text": "Hei, …", "from": KARI},
    "dates": {"last_contact": "2026-05-01"},
    "others_masked": ["text"],
}
REASON = "Searched inbox, sent and archive for the address"


def test_everything_waits_for_a_person() -> None:
    manual = build("manual", {})
    person = somebody(KARI)

    with pytest.raises(AwaitsPerson, match="look-up"):
        manual.find(person)
    with pytest.raises(AwaitsPerson, match="look-up"):
        manual.find(NOBODY)
    with pytest.raises(AwaitsPerson, match="erase-by-hand"):
        manual.erase(person, Treatment("12", "communication"), key="k")
    with pytest.raises(AwaitsPerson, match="suppress-by-hand"):
        manual.suppress(person, key="k")


def test_what_a_person_found_becomes_records() -> None:
    answer = ManualAnswer.model_validate({"found": [FOUND]})

    (record,) = answer.to_records(somebody(KARI))

    assert (record.key, record.kind) == ("thread 12", "communication")
    assert (record.match, record.matched_by) == (
        Match.VERIFIED_IDENTIFIER,
        IdentifierKind.EMAIL,
    )
    assert record.fields == {
        "description": "Asked about a refund",
        "text": "Hei, …",
        "from": KARI,
    }
    assert record.anchors == {"last_contact": date(2026, 5, 1)}
    assert record.masked == ("text",)


@pytest.mark.parametrize(
    ("person", "matched_by", "certain", "match"),
    [
        (somebody(KARI), "email", False, Match.UNVERIFIED_IDENTIFIER),
        (somebody(unproven=(KARI,)), "email", True, Match.UNVERIFIED_IDENTIFIER),
        (somebody(KARI), "phone", True, Match.UNVERIFIED_IDENTIFIER),
        (
            Person((Identifier(IdentifierKind.NAME, "Kari Vik", verified=True),)),
            "name",
            True,
            Match.SAME_NAME,
        ),
    ],
)
def test_certainty_is_only_as_good_as_what_it_rests_on(
    person: Person, matched_by: str, certain: bool, match: Match
) -> None:
    row = {**FOUND, "matched_by": matched_by, "certain": certain}

    (record,) = ManualAnswer.model_validate({"found": [row]}).to_records(person)

    assert record.match is match


def test_what_a_person_did_becomes_results_with_ground_and_words_apart() -> None:
    """The words go to the vault and the letter; no code of an event holds them."""
    answer = ManualAnswer.model_validate(
        {
            "done": [
                {"key": "1", "deed": "erased"},
                {"key": "2", "deed": "anonymised"},
                {
                    "key": "3",
                    "deed": "kept",
                    "ground": "no.bokforing.primary",
                    "until": "2031-12-31",
                },
                {"key": "4", "deed": "refused", "reason": "Kari Vik is in a court case"},
                {"key": "5", "deed": "not-found"},
            ]
        }
    )

    assert answer.to_results() == {
        "1": Result(Outcome.ERASED, "by-hand"),
        "2": Result(Outcome.ANONYMISED, "by-hand"),
        "3": Result(
            Outcome.KEPT, "by-hand", ground="no.bokforing.primary", until=date(2031, 12, 31)
        ),
        "4": Result(Outcome.REFUSED, "by-hand", words="Kari Vik is in a court case"),
        "5": Result(Outcome.NOT_FOUND, "by-hand"),
    }
    assert answer.to_records(somebody(KARI)) == []


def test_nothing_held_needs_a_reason() -> None:
    answer = ManualAnswer.model_validate({"none_because": REASON})

    assert answer.to_records(somebody(KARI)) == []
    assert answer.to_results() == {}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "reason for none"),
        ({"none_because": "   "}, "reason for none"),
        ({"none_because": "nothing"}, "at least 10"),
        ({"found": [FOUND], "none_because": REASON}, "only one"),
        ({"found": [FOUND], "done": [{"key": "1", "deed": "erased"}]}, "only one"),
        ({"found": [FOUND, FOUND]}, "key of its own"),
        ({"found": [{**FOUND, "description": "", "fields": {}}]}, "describe"),
        ({"found": [{**FOUND, "kind": "Some thing"}]}, "kind"),
        ({"found": [{**FOUND, "matched_by": "hunch"}]}, "matched_by"),
        ({"found": [{**FOUND, "dates": {"last_contact": "yesterday"}}]}, "dates"),
        ({"found": [{**FOUND, "dates": {"last_contact": "0026-05-01"}}]}, "2026-11-22"),
        ({"found": [{**FOUND, "others_masked": ["photo"]}]}, "not among the fields"),
        ({"found": [{**FOUND, "surprise": 1}]}, "surprise"),
        ({"found": [{**FOUND, "description": "x" * 5_001}]}, "description"),
        ({"found": [FOUND] * 501}, "500"),
        ({"done": [{"key": "1", "deed": "kept"}]}, "ground"),
        ({"done": [{"key": "1", "deed": "kept", "ground": "useful-one-day"}]}, "no ground"),
        ({"done": [{"key": "1", "deed": "refused"}]}, "reason"),
        ({"done": [{"key": "1", "deed": "forgotten"}]}, "deed"),
    ],
)
def test_a_form_that_is_not_complete_says_what_to_do(form: Mapping[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ManualAnswer.model_validate(form)
