"""Covering passages about others: in the copy and in the letter, never in what was found."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DomainError, NotAllowedNow
from domain.request import Status
from domain.values import FoundRecord, Passage
from domain.vocabulary import CoverReason, IdentifierKind, LetterKind, Match, Outcome, Right
from services.ports import Record
from services.redacting import COVERED, Redacted, leaves, redacted
from tests.support.asking import BY, approve, asked, collected
from tests.support.house import KARI, NORWAY, House
from tests.support.past import ref

TOLD = "Kari ringte. Nabo Ole Vik er syk. Ole Vik ba oss vente."


def record(**fields: object) -> Record:
    return Record("1", "note", Match.VERIFIED_IDENTIFIER, IdentifierKind.EMAIL, fields)


def passage(place: int, start: int | None = None, end: int | None = None) -> Passage:
    return Passage(uuid4(), uuid4(), ref(), place, CoverReason.OTHER_PERSON, start, end)


def access(house: House) -> tuple[UUID, FoundRecord]:
    """An access request in which a note about two people was found."""
    house.systems.system(NORWAY, "mailing").hold(
        KARI,
        "member",
        "m1",
        fields={"note": TOLD, "guests": [{"name": "Ole Vik"}, {"name": "Kari"}]},
        flags=frozenset({"mentions_others"}),
    )
    case_id = collected(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    (found,) = request.own_records
    return case_id, found


def data(house: House, case_id: UUID) -> dict[str, Any]:
    package = house.installation.answering.package(house.case(case_id).request_id(Right.ACCESS))
    read: dict[str, Any] = json.loads(zipfile.ZipFile(io.BytesIO(package)).read("data.json"))
    return read


def test_nothing_leaves_before_somebody_has_looked(house: House) -> None:
    """GK-13: an answer waits for the person who looks for others in it."""
    case_id, found = access(house)
    request_id = house.case(case_id).request_id(Right.ACCESS)
    with pytest.raises(NotAllowedNow, match="other people"):
        approve(house, case_id, Right.ACCESS)

    house.installation.redacting.clear(
        request_id, found.record_id, reason="nothing-about-others", by=BY
    )
    approve(house, case_id, Right.ACCESS)

    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED
    letter = next(m for m in house.mails() if m.kind is LetterKind.ANSWER)
    assert "dekket til" not in letter.text


def test_what_is_covered_is_not_in_the_copy_and_its_reason_is_in_the_letter(house: House) -> None:
    """B.1 12(4), 15(4): covered in the copy, told in a partial refusal, kept in the vault."""
    case_id, found = access(house)
    request_id = house.case(case_id).request_id(Right.ACCESS)
    redacting = house.installation.redacting
    redacting.cover(
        request_id,
        found.record_id,
        path="note",
        text="Ole Vik",
        reason=CoverReason.OTHER_PERSON,
        by=BY,
    )
    redacting.cover(
        request_id, found.record_id, path="guests.0", reason=CoverReason.OTHER_PERSON, by=BY
    )
    approve(house, case_id, Right.ACCESS)

    (held,) = (r for c in data(house, case_id)["categories"] for r in c["records"])
    assert held["fields"]["note"] == f"Kari ringte. Nabo {COVERED} er syk. {COVERED} ba oss vente."
    assert held["fields"]["guests"] == [{"name": COVERED}, {"name": "Kari"}]
    assert {one["field"] for one in held["covered"]} == {"note", "guests.0.name"}
    assert "Ole Vik" not in json.dumps(held)

    letter = next(m for m in house.mails() if m.kind is LetterKind.PARTIAL_REFUSAL)
    told = " ".join(letter.text.split())
    assert "Dette handler om noen andre" in told
    assert "artikkel 15 nr. 4" in told
    request = asked(house, case_id, Right.ACCESS)
    assert request.in_part
    assert Outcome.COVERED in {outcome.outcome for outcome in request.outcomes}
    assert house.installation.deciding.record(found).fields["note"] == TOLD


def test_what_was_covered_can_be_shown_again_until_it_is_approved(house: House) -> None:
    case_id, found = access(house)
    request_id = house.case(case_id).request_id(Right.ACCESS)
    redacting = house.installation.redacting
    redacting.cover(
        request_id,
        found.record_id,
        path="note",
        reason=CoverReason.STAFF_MEMBER,
        words="Spurte Ole.",
        by=BY,
    )
    (covering,) = redacting.covered(asked(house, case_id, Right.ACCESS), found)
    assert (covering.field, covering.text, covering.words) == ("note", TOLD, "Spurte Ole.")

    redacting.uncover(request_id, covering.passage.passage_id, reason="looked-again", by=BY)
    redacting.clear(request_id, found.record_id, reason="nothing-about-others", by=BY)
    approve(house, case_id, Right.ACCESS)

    (held,) = (r for c in data(house, case_id)["categories"] for r in c["records"])
    assert held["fields"]["note"] == TOLD
    with pytest.raises(NotAllowedNow):
        redacting.cover(
            request_id, found.record_id, path="note", reason=CoverReason.OTHER_PERSON, by=BY
        )


def test_what_is_not_there_cannot_be_covered(house: House) -> None:
    case_id, found = access(house)
    request_id = house.case(case_id).request_id(Right.ACCESS)

    for wrong in (
        {"path": "nowhere"},
        {"path": "note", "text": "Per"},
        {"path": "note", "start": 0, "end": 999},
        {"path": "guests", "start": 0, "end": 1},
    ):
        with pytest.raises(DomainError):
            house.installation.redacting.cover(
                request_id,
                found.record_id,
                reason=CoverReason.OTHER_PERSON,
                by=BY,
                **wrong,
            )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(fields=st.dictionaries(st.text(min_size=1, max_size=3), VALUES, max_size=4))
def test_every_value_has_a_place_and_covering_one_changes_no_other(
    fields: dict[str, object],
) -> None:
    before = list(leaves(fields))
    assert [leaf.place for leaf in before] == list(range(len(before)))
    for leaf in before:
        shown = redacted(record(**fields), [passage(leaf.place)])
        after = [one.value for one in leaves(shown.fields)]
        assert after == [COVERED if one.place == leaf.place else one.value for one in before]
        assert isinstance(shown, Redacted)
        assert set(shown.covered) == {leaf.path}


@given(text=st.text(max_size=12), data=st.data())
def test_covered_letters_are_gone_and_the_others_stay(text: str, data: st.DataObject) -> None:
    ends = st.tuples(st.integers(0, 12), st.integers(1, 12)).filter(
        lambda pair: pair[0] < pair[1] <= len(text)
    )
    ranges = data.draw(st.lists(ends, max_size=3)) if text else []
    shown = redacted(record(note=text), [passage(0, start, end) for start, end in ranges])

    hidden = {place for start, end in ranges for place in range(start, end)}
    stays = "".join(letter for place, letter in enumerate(text) if place not in hidden)
    assert str(shown.fields["note"]).replace(COVERED, "") == stays.replace(COVERED, "")
