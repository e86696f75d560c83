"""What is known of an aggregate saves reading, and never stands between anybody and the log."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast
from uuid import uuid4

import pytest

from adapters.outbound.database import Database
from domain.aggregate import Aggregate
from domain.errors import NotAllowedNow
from domain.personal import PersonalRef
from domain.request import DataSubjectRequest
from domain.vocabulary import TriageKind
from services.known import Known, copy_of
from services.register import Register, again_on_conflict, at_one_moment
from tests.support.asking import received
from tests.support.histories import History, opened_register
from tests.support.house import House


def test_events_replace_what_they_change_and_change_nothing_in_it() -> None:
    """Copies share what they hold, so nothing in an aggregate may be changed in place."""
    before: dict[object, tuple[Aggregate, dict[str, object]]] = {}

    def save(aggregates: object) -> None:
        assert isinstance(aggregates, list)
        for aggregate in aggregates:
            aggregate.collect_events()
            if aggregate.id in before:
                earlier, state = before[aggregate.id]
                assert vars(earlier) == state
            earlier = copy_of(aggregate)
            before[aggregate.id] = earlier, deepcopy(vars(earlier))

    history = History(7, save)
    history.run(1_500)

    assert {type(earlier) for earlier, _ in before.values()} >= {DataSubjectRequest}
    assert any(earlier.version > 10 for earlier, _ in before.values())


def test_the_newest_is_kept_and_the_least_used_goes_first(house: House) -> None:
    case = house.case(received(house))
    other = house.case(received(house, "Noe annet"))
    third = house.case(received(house, "Noe tredje"))
    older, known = copy_of(case), Known(2)
    case.set_aside(kind=TriageKind.SPAM, by="ola", at=house.installation.clock())

    for one in (case, older, other):
        known.keep(one)
    kept = known.get(case.id)
    known.keep(third)

    assert kept is not None
    assert kept is not case
    assert kept.version == case.version
    assert kept.pending_events == []
    assert known.get(other.id) is None


def test_a_failed_command_leaves_nothing_behind(house: House) -> None:
    register = house.installation.register
    case_id = received(house)
    case = register.case(case_id)
    case.set_aside(kind=TriageKind.SPAM, by="ola", at=house.installation.clock())
    with pytest.raises(NotAllowedNow):
        case.set_aside(kind=TriageKind.SPAM, by="ola", at=house.installation.clock())

    with at_one_moment():
        first = register.case(case_id)
        first.set_aside(kind=TriageKind.SPAM, by="ola", at=house.installation.clock())
        again = register.case(case_id)

    assert again.version == register.case(case_id).version == case.version - 1


def test_what_another_process_saved_is_seen(house: House) -> None:
    case_id = received(house)
    register = house.installation.register
    seen = register.case(case_id)
    with (
        Database(house.installation.database.url) as database,
        opened_register(database) as elsewhere,
    ):
        theirs = elsewhere.case(case_id)
        theirs.set_aside(kind=TriageKind.SPAM, by="ola", at=house.installation.clock())
        elsewhere.save_all([theirs])

    assert register.case(case_id).version == seen.version + 1


def test_a_command_goes_by_what_it_read_until_it_saves(house: House) -> None:
    case_id = received(house)
    register = house.installation.register
    with at_one_moment():
        register.look_at(case_id)
        with at_one_moment():
            case = register.case(case_id)
            case.set_aside(kind=TriageKind.SPAM, by="ola", at=house.installation.clock())
            register.save_all([case])
            assert register.case(case_id).version == case.version
        assert register.case(case_id).version == case.version


def test_what_a_restored_log_lacks_is_not_known_any_more(house: House) -> None:
    case_id = received(house)
    register, database = house.installation.register, house.installation.database
    case = register.case(case_id)
    case.set_aside(kind=TriageKind.SPAM, by="ola", at=house.installation.clock())
    register.save_all([case])

    database.fetch("ALTER TABLE trettio.log DISABLE TRIGGER log_is_append_only")
    database.fetch(
        "DELETE FROM trettio.log WHERE originator_id = %s AND originator_version = %s",
        [case_id, case.version],
    )

    assert register.case(case_id).version == case.version - 1


@pytest.mark.parametrize("somebody_was_faster", [False, True])
def test_a_command_goes_on_from_what_was_read_around_it_unless_that_is_stale(
    house: House, monkeypatch: pytest.MonkeyPatch, somebody_was_faster: bool
) -> None:
    case_id = received(house)
    register, clock = house.installation.register, house.installation.clock

    def write(into: Register) -> None:
        case = into.case(case_id)
        message = PersonalRef(uuid4())
        case.add_message(message=message, received_at=clock(), at=clock())
        into.save_all([case])

    with at_one_moment(lends=True):
        version = register.case(case_id).version
        if somebody_was_faster:
            with (
                Database(house.installation.database.url) as database,
                opened_register(database) as elsewhere,
            ):
                write(elsewhere)
        readings: list[object] = []
        recorder = cast(Any, register.recorder)
        newer = recorder.select_newer

        def counted(known: object) -> object:
            readings.append(known)
            return newer(known)

        monkeypatch.setattr(recorder, "select_newer", counted)
        again_on_conflict(write)(register)

    assert len(readings) == somebody_was_faster
    assert register.case(case_id).version == version + 1 + somebody_was_faster


def test_what_a_stale_copy_forbids_is_asked_again(house: House) -> None:
    case_id = received(house)
    register = house.installation.register
    with at_one_moment(lends=True):
        seen = register.case(case_id).version
        with (
            Database(house.installation.database.url) as database,
            opened_register(database) as elsewhere,
        ):
            theirs = elsewhere.case(case_id)
            theirs.set_aside(kind=TriageKind.SPAM, by="ola", at=house.installation.clock())
            elsewhere.save_all([theirs])

        @again_on_conflict
        def see() -> int:
            found = register.case(case_id)
            if found.version == seen:
                raise NotAllowedNow("not yet")
            return found.version

        assert see() == seen + 1
