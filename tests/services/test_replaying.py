"""A called system put back from a backup: who is erased again there, and who is not (Art. 17)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.vocabulary import IdentifierKind, Outcome, Right
from services.ports import Identifier, Person, Record, Refused, Residual, Result, Treatment
from services.replay_standing import NO_DATES, REFUSED, STILL_THERE, Standing
from tests.support.asking import BY, approved, hurry
from tests.support.fake_systems import FakeSystem
from tests.support.house import KARI, NORWAY, House
from tests.support.kills import Killed

TICKETING = "ticketing"
NORA = "nora.aldri@person.example"
LONG_AGO = datetime(2021, 5, 6, tzinfo=UTC)
INVOICED = {"last_purchase": date(2026, 11, 1), "invoiced": date(2026, 11, 1)}


@dataclass
class Listing(FakeSystem):
    """A system that can list whom it knows; `ends` and `answers` are what goes wrong in it."""

    ends: list[str] = field(default_factory=list)
    answers: dict[str, Result | Refused] = field(default_factory=dict)

    def people(self) -> Iterator[tuple[Identifier, ...]]:
        for address, _ in self.held:
            yield (Identifier(IdentifierKind.EMAIL, address.upper()),)

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        addresses = {one.lower() for one in person.all(IdentifierKind.EMAIL)}
        yield from (record for address, record in self.held if address in addresses)

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        if treatment.key in self.ends:
            self.ends.remove(treatment.key)
            raise Killed
        answer = self.answers.get(treatment.key)
        if isinstance(answer, Refused):
            raise answer
        return answer or super().erase(person, treatment, key=key)

    def keys(self) -> set[str]:
        return {record.key for _, record in self.held}


@pytest.fixture
def shop(house: House) -> Listing:
    """Kari was erased in it, but for an invoice; then the backup has brought her back."""
    shop = Listing()
    house.systems.made[NORWAY, TICKETING] = shop
    shop.hold(KARI, "customer", "c1", since=LONG_AGO)
    shop.hold(KARI, "medium", "m1", since=LONG_AGO)
    shop.hold(KARI, "invoice", "i1", since=LONG_AGO, anchors=INVOICED)
    shop.hold(NORA, "customer", "c2", since=LONG_AGO)
    yesterday = list(shop.held)
    approved(house, Right.ERASURE)
    hurry(house, destroying=False)
    assert shop.keys() == {"i1", "c2"}
    shop.held = yesterday
    return shop


def replay(house: House) -> Standing:
    house.installation.replays.begin(
        NORWAY,
        TICKETING,
        since=datetime.now(UTC).date() - timedelta(days=1),
        by=BY,
        reason="restored-from-backup",
    )
    house.work()
    return newest(house)


def newest(house: House) -> Standing:
    return house.installation.replays.standing(NORWAY, TICKETING)[0]


def counts(standing: Standing) -> tuple[int, int, int]:
    return standing.replay.erased, standing.replay.spared, standing.replay.kept


def test_whoever_was_erased_goes_again_and_what_is_newer_or_kept_or_anothers_stays(
    house: House, shop: Listing
) -> None:
    """Issue 6: nothing newer than the erasure is touched; a second run finds nothing to do."""
    shop.hold(KARI, "customer", "c3", since=datetime.now(UTC) + timedelta(minutes=1))
    before = house.events()
    would = house.installation.replays.would(
        NORWAY, TICKETING, since=datetime.now(UTC).date() - timedelta(days=1)
    )
    assert (would.erasures, would.can_list, would.looked_at, would.matched) == (1, True, 5, 1)
    assert (len(shop.held), house.events()) == (5, before), "a dry run changes nothing"

    done = replay(house)
    assert shop.keys() == {"c2", "c3", "i1"}
    assert counts(done) == (2, 1, 1)
    assert (done.is_over, done.replay.looked_at) == (True, 5)

    again = replay(house)
    assert counts(again) == (0, 1, 1)
    assert again.is_over


def test_killed_between_two_records_it_goes_on(house: House, shop: Listing) -> None:
    shop.ends = ["m1"]
    with pytest.raises(Killed):
        replay(house)
    assert shop.keys() == {"c2", "i1", "m1"}
    assert not newest(house).is_over

    hurry(house, destroying=False)
    assert shop.keys() == {"c2", "i1"}
    assert newest(house).is_over


def test_tokens_of_a_key_that_has_been_replaced_still_match(house: House, shop: Listing) -> None:
    for _ in range(2):
        house.installation.system_keys.rotate(NORWAY, TICKETING)
    assert replay(house).replay.erased == 2
    assert shop.keys() == {"c2", "i1"}


def test_what_is_there_after_all_is_a_persons(house: House, shop: Listing) -> None:
    """Read back: a system that says it has erased is not believed."""
    shop.answers["m1"] = Result(Outcome.ERASED)
    said = replay(house)
    assert (said.replay.waits_for, said.replay.waiting) == (STILL_THERE, 1)
    assert not said.is_over
    house.installation.replays.settle(said.replay.id, by=BY)
    assert newest(house).is_over


def test_what_a_system_cannot_erase_and_says_so_is_expected_to_stay(
    house: House, shop: Listing
) -> None:
    shop.answers["m1"] = Result(
        Outcome.RESIDUAL, residuals=(Residual("log-entry", "vendor-cannot-erase"),)
    )
    assert replay(house).is_over
    assert shop.keys() == {"c2", "i1", "m1"}


def test_one_record_that_is_refused_keeps_no_other(house: House, shop: Listing) -> None:
    shop.answers["c1"] = Refused("the record now names somebody else")
    said = replay(house)
    assert shop.keys() == {"c1", "c2", "i1"}
    assert (said.replay.waits_for, said.replay.waiting) == (REFUSED, 1)


def test_a_record_without_a_date_may_be_new_so_a_person_looks(house: House, shop: Listing) -> None:
    shop.hold(KARI, "customer", "c4")
    said = replay(house)
    assert shop.keys() == {"c2", "c4", "i1"}
    assert (said.replay.waits_for, said.replay.waiting) == (NO_DATES, 1)
