"""What has to be true after everything was answered, whatever happened on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from adapters.outbound.consistency import check
from domain.vocabulary import Right
from tests.support.outside import Call, calls
from tests.support.processes import Running
from tests.support.requesters import Asked

MOST_WORKERS = 3
"""Threads that a killed process may have had a letter or an erasure in hand with."""
READING = {"GET", "HEAD"}
ONCE = (
    "request.received",
    "request.acknowledged",
    "request.identity-verified",
    "request.data-collected",
    "request.approved",
    "request.answer-sent",
    "request.fulfilled",
    "request.closed",
    "fulfilment.planned",
    "fulfilment.completed",
)


def require_all_is_well(
    house: Running, asked: Sequence[Asked], *, kills: int, cuts: int = 0
) -> None:
    """Nothing lost, nothing twice, nothing left over.

    `cuts` says how often the database went away under processes that lived on.
    """
    _require_closed_once(house, asked)
    _require_asked_and_done_once(house, asked, kills + cuts)
    _require_letters_once(house, asked, kills)
    _require_nothing_left_over(house)


def _require_closed_once(house: Running, asked: Sequence[Asked]) -> None:
    """Every request was received, answered and closed, each step once."""
    requests = sum(len(one.rights) for one in asked)
    counted = house.fetch("SELECT topic, count(*) FROM trettio.log GROUP BY topic")
    recorded = {str(topic): number for topic, number in counted}
    assert recorded["case.arrived"] == len(asked)
    for topic in ("request.received", "request.answer-sent", "request.closed"):
        assert recorded[topic] == requests, topic
    twice = house.fetch(
        "SELECT topic, originator_id FROM trettio.log WHERE topic = ANY(%s)"
        " GROUP BY topic, originator_id HAVING count(*) > 1",
        list(ONCE),
    )
    assert not twice, twice


def _require_asked_and_done_once(house: Running, asked: Sequence[Asked], cuts: int) -> None:
    """Every system was asked about everybody, and felt each effect once."""
    made = list(calls(house.outside))
    refused = Counter((call.system, call.status) for call in made if call.status >= 500)
    assert not refused, refused
    searched = {(call.system, part) for call in made for part in (call.query, call.path)}
    written = [call for call in made if call.method not in READING]
    changed = Counter((call.system, call.path) for call in written if call.changed)
    expected = set()
    for one in asked:
        customer = one.customer
        if Right.ERASURE in one.rights:
            expected |= {
                ("shop", customer.account),
                ("payment", customer.card),
                ("payment", customer.payer),
                ("mailing", f"{customer.member}/actions/delete-permanent"),
            }
        elif Right.ACCESS not in one.rights:
            expected.add(("mailing", customer.member))
            if Right.WITHDRAWAL in one.rights:  # it rested on that consent alone
                expected.add(("mailing", f"{customer.member}/actions/delete-permanent"))
            continue
        address = customer.address.replace("@", "%40")
        for system, part in (
            ("shop", f"email={address}"),
            ("payment", f"email={address}"),
            ("mailing", customer.member),
        ):
            assert any(s == system and part in told for s, told in searched), (system, part)
    assert set(changed) == expected
    assert set(changed.values()) == {1}, [place for place, n in changed.items() if n > 1]
    assert {(call.system, call.path) for call in written} == expected
    _require_no_needless_repeat(house, written, cuts)


def _require_no_needless_repeat(house: Running, written: Sequence[Call], cuts: int) -> None:
    """Whoever was cut off may ask once more for what they asked for, and with the same key.

    It counts what was asked, whether or not it changed anything: a system that is asked again for
    what is done shows no change, and another vendor's might charge for it. Where a vendor's API
    knows no key, the path stands for it.
    """
    asked = Counter((call.system, call.path, call.key) for call in written)
    keys = Counter((system, path) for system, path, _ in asked)
    assert set(keys.values()) == {1}, [place for place, n in keys.items() if n > 1]
    assert all(call.key for call in written if call.path.endswith("/detach"))
    repeats = {place: n - 1 for place, n in asked.items() if n > 1}
    again = house.count(
        "SELECT coalesce(sum(attempts - 1), 0) FROM trettio.tasks"
        " WHERE kind IN ('erase', 'suppress') AND attempts > 1"
    )
    print(f"effects: {len(asked)}, asked for again: {repeats}, tasks tried again: {again}")
    assert sum(repeats.values()) <= min(again, cuts * MOST_WORKERS), repeats


def _require_letters_once(house: Running, asked: Sequence[Asked], kills: int) -> None:
    """Receivers keep a message once by its Message-ID; only who was killed may have repeated one.

    A process that dies between the relay's answer and its own record cannot know that the letter
    has left: it sends the very same letter again, under the same Message-ID.
    """
    boxes = house.mailboxes
    for repeat in boxes.repeated:
        assert repeat.digest == boxes.letters[repeat.message_id].digest, repeat.kind
    assert len(boxes.repeated) <= kills * MOST_WORKERS, len(boxes.repeated)
    print(f"letters: {len(boxes.letters)}, repeated under the same id: {len(boxes.repeated)}")
    for one in asked:
        address = one.customer.address
        assert len(boxes.to(address, "acknowledgement")) == 1, address
        answers = [*boxes.to(address, "answer"), *boxes.to(address, "partial-refusal")]
        assert len(answers) == len(one.rights), address


def _require_nothing_left_over(house: Running) -> None:
    assert house.count("SELECT count(*) FROM trettio.tasks WHERE parked_at IS NOT NULL") == 0
    left = house.fetch(
        "SELECT kind, system, attempts, reason, leased_by FROM trettio.tasks"
        " WHERE done_at IS NULL AND (leased_by IS NOT NULL OR due_at <= clock_timestamp())"
    )
    assert not left, left
    with house.opened() as opened:
        misfits = check(opened.database, opened.vault, opened.register.mapper, patience=timedelta())
    assert not misfits, misfits
