"""A backup taken under load, restored elsewhere: what was destroyed since stays so (Art. 17).

And nothing is served before that: accountability and erasure both outlive the machine (Art. 5, 32).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from adapters.bootstrap import Installation
from adapters.outbound.consistency import check
from domain.personal import PersonalRef
from domain.request import Status
from domain.vocabulary import IdentifierKind, IdentityMethod, Language, Right, TriageKind
from services.ports import Erased, Identifier
from tests.support.command import trettio
from tests.support.house import KARI, SWEDEN, House, open_house
from tests.support.programs import dump, restore
from tests.support.steps import asked_for_access, press, reveal

pytestmark = pytest.mark.survival

BETWEEN_MESSAGES = 0.5
"""Seconds: every case of the load is taken to its end after the restore."""


def test_a_backup_is_taken_under_load_restored_and_worked_on(
    database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    home, dumped = tmp_path / "home", tmp_path / "dump"
    with open_house(database_url, home) as house:
        asked_for_access(house)
        spam = house.receive("Billiga biljetter!", subject="Erbjudande", controller=SWEDEN)
        house.installation.intake.set_aside(spam, kind=TriageKind.SPAM, by="ola")
        message = house.case(spam).message
        with under_load(house):
            dump(database_url, dumped)
        destroy_by_task(house.installation, spam)
        assert is_erased(house.installation, message)
        systems = house.systems
    restore(empty_database_url, dumped)

    for command in ("serve", "work", "follow"):
        refused = trettio(command, database_url=empty_database_url, home=home)
        assert refused.returncode == 2
        assert "run trettio replay --self" in refused.stderr
    warned = trettio("check", database_url=empty_database_url, home=home)
    assert (warned.returncode, "key-stands (1)" in warned.stdout) == (1, True)
    replayed = trettio("replay", "--self", database_url=empty_database_url, home=home)
    assert "1 compartments destroyed again" in replayed.stdout
    checked = trettio("check", database_url=empty_database_url, home=home)
    assert (checked.stdout, checked.returncode) == ("everything fits\n", 0)

    with open_house(empty_database_url, home) as house:
        house.systems.made.update(systems.made)
        assert is_erased(house.installation, message)
        leases_run_out(house)
        house.work()
        open_cases = set(arrived(house)) - {spam}
        assert len(open_cases) > 1, "nothing arrived before the backup was taken"
        for case_id in open_cases:
            ask_for_access(house, case_id)
            (request_id,) = house.case(case_id).request_ids
            finish(house, request_id)
        destroy_by_task(house.installation, spam)
        opened = house.installation
        assert check(opened.database, opened.vault, opened.register.mapper) == []


def test_without_anything_to_destroy_a_restored_database_is_not_served_either(
    database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    """Nobody can know that the file of destroyed keys is the right one before somebody says so."""
    with open_house(database_url, tmp_path / "home"):
        dump(database_url, tmp_path / "dump")
    restore(empty_database_url, tmp_path / "dump")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "home" / "master.key").rename(elsewhere / "master.key")

    refused = trettio("serve", database_url=empty_database_url, home=elsewhere)
    assert (refused.returncode, "put the file destroyed-keys back" in refused.stderr) == (2, True)
    trettio("replay", "--self", database_url=empty_database_url, home=elsewhere)
    checked = trettio("check", database_url=empty_database_url, home=elsewhere)
    assert checked.stdout == "everything fits\n"


@contextmanager
def under_load(house: House) -> Iterator[None]:
    """Messages arrive and are confirmed while the block is at work.

    Each thread has a worker and a follower of its own, and lets both do what has become due.
    """
    over, received = threading.Event(), list[UUID]()

    def arrive(name: str) -> None:
        mine = replace(house, worker=house.installation.worker(name))
        while not over.is_set():
            received.append(mine.receive(f"Jag vill veta allt, {name} {len(received)}."))
            ask_for_access(mine, received[-1])
            over.wait(BETWEEN_MESSAGES)

    threads = [threading.Thread(target=arrive, args=(f"load-{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    try:
        while len(received) < 5:
            assert all(thread.is_alive() for thread in threads)
            over.wait(0.01)
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def arrived(house: House) -> list[UUID]:
    rows = house.installation.database.fetch(
        "SELECT originator_id FROM trettio.log WHERE topic = 'case.arrived' ORDER BY 1"
    )
    return [row["originator_id"] for row in rows]


def leases_run_out(house: House) -> None:
    """What was in a worker's hand when the backup was taken is in nobody's hand here."""
    house.installation.database.fetch(
        "UPDATE trettio.tasks SET next_at = clock_timestamp()"
        " WHERE leased_by IS NOT NULL AND done_at IS NULL"
    )


def ask_for_access(house: House, case_id: UUID) -> None:
    """Confirmed and proven, from wherever the case stands, and the systems are searched."""
    opened, case = house.installation, house.case(case_id)
    if not case.request_ids:
        opened.intake.confirm(
            case_id,
            rights=(Right.ACCESS,),
            language=Language.NB,
            identifiers=(Identifier(IdentifierKind.EMAIL, KARI),),
            by="ola",
        )
    (request_id,) = house.case(case_id).request_ids
    if opened.register.request(request_id).status is Status.RECEIVED:
        opened.identity.verify_by_hand(case_id, method=IdentityMethod.IN_PERSON, by="ola")
    house.work()


def destroy_by_task(installation: Installation, case_id: UUID) -> None:
    """The day has come on which what was set aside goes."""
    installation.database.fetch(
        "UPDATE trettio.tasks SET next_at = clock_timestamp()"
        " WHERE kind = 'destroy' AND subject_id = %s AND done_at IS NULL",
        [case_id],
    )
    installation.worker("destroys").drain()
    (left,) = installation.database.fetch(
        "SELECT count(*) FROM trettio.tasks"
        " WHERE kind = 'destroy' AND subject_id = %s AND done_at IS NULL",
        [case_id],
    )
    assert left["count"] == 0


def is_erased(installation: Installation, ref: PersonalRef) -> bool:
    try:
        installation.vault.open(ref)
    except Erased:
        return True
    return False


def finish(house: House, request_id: UUID) -> None:
    """Through the pages, to the end."""
    register = house.installation.register
    case_id = register.request(request_id).case_id
    assert house.case(case_id).request_id(Right.ACCESS) == request_id
    desk, at = house.staff(), f"/desk/cases/{case_id}"
    reveal(desk, at)
    for name, state in register.fulfilment(request_id).systems.items():
        if state.waits_for == "look-up":
            place = f"{at}/requests/{request_id}/systems/{name}/found"
            press(desk, place, nothing="searched-nothing-held")
    house.work()
    press(desk, f"{at}/requests/{request_id}/approve")
    house.work()
    person, link = house.visitor(), house.link("answer")
    press(person, f"{link}/code")
    house.work()
    person.post(link, data={"code": house.newest_code()})
    house.work()
    assert register.request(request_id).status is Status.CLOSED
