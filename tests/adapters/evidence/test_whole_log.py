"""Whatever is done to a log that was signed is found, with its place (GDPR Art. 5(2))."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.outbound.database import Database
from tests.support.chained import KEY, STRANGE, Chained


@pytest.fixture
def chained(database: Database, tmp_path: Path) -> Chained:
    """Thirty events; one position stayed empty after the tenth, and three after the twentieth."""
    chained = Chained(database, tmp_path)
    chained.happen(10)
    chained.leave_gap()
    chained.happen(10)
    chained.leave_gap(3)
    chained.happen(10)
    chained.fold()
    return chained


def test_a_log_that_nobody_touched_verifies(chained: Chained) -> None:
    verdict = chained.verify()

    assert verdict.faults == ()
    assert (verdict.events, verdict.signed_upto) == (30, 34)


def test_the_last_ten_events_cut_off_are_missed_one_by_one(chained: Chained) -> None:
    chained.spoil("DELETE FROM trettio.log WHERE notification_id > 24")

    assert chained.places() == [f"position {one}" for one in range(25, 35)]


def test_cut_off_with_all_the_database_knows_of_them_they_are_missed_by_the_file_beside_it(
    chained: Chained,
) -> None:
    chained.spoil("DELETE FROM trettio.log WHERE notification_id > 24")
    chained.spoil("DELETE FROM trettio.statements WHERE position > 15")
    chained.spoil("DELETE FROM trettio.chain_links WHERE upto > 24")
    chained.spoil("UPDATE trettio.chain SET position = 24")

    places = chained.places()
    assert "statement 5" in places
    assert "position 34" in places


def test_two_events_that_changed_places_are_both_found(chained: Chained) -> None:
    chained.spoil(
        "UPDATE trettio.log l SET state = o.state FROM trettio.log o WHERE"
        " (l.notification_id, o.notification_id) IN ((5, 9), (9, 5))"
    )

    assert chained.places() == ["position 5", "position 9"]


@pytest.mark.parametrize(
    "change",
    [
        "state = set_byte(state, 6, get_byte(state, 6) # 1)",
        "topic = 'thing.happens'",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "originator_version = 1000",
        "originator_id = gen_random_uuid()",
    ],
)
def test_one_changed_field_of_one_event_is_found(chained: Chained, change: str) -> None:
    chained.spoil(f"UPDATE trettio.log SET {change} WHERE notification_id = 13")

    assert chained.places() == ["position 13"]


def test_an_event_that_was_taken_out_of_the_middle_is_missed(chained: Chained) -> None:
    chained.spoil("DELETE FROM trettio.log WHERE notification_id = 13")

    assert chained.places() == ["position 13"]


def test_an_event_that_appears_in_a_gap_is_found(chained: Chained) -> None:
    for position in (11, 23):
        chained.spoil(
            "INSERT INTO trettio.log SELECT originator_id, 1000 + %s, topic, state, %s, recorded_at"
            " FROM trettio.log WHERE notification_id = 1",
            position,
            position,
        )

    assert chained.places() == ["position 11", "position 23"]


def test_an_event_that_never_was_chained_is_found(chained: Chained) -> None:
    chained.happen()

    assert [str(one) for one in chained.faults()] == ["position 35: the event is not in the chain"]


def test_an_event_and_its_link_changed_together_are_found_by_the_next_signature(
    chained: Chained,
) -> None:
    chained.spoil("UPDATE trettio.chain_links SET links = set_byte(links, 10, 0) WHERE after = 0")

    assert chained.places() == ["position 1", "position 8"]


def test_a_changed_statement_is_found(chained: Chained) -> None:
    chained.spoil(
        "UPDATE trettio.statements SET line = replace(line, '\"position\":8', '\"position\":9')"
        " WHERE number = 2"
    )

    assert "statement 2 (position 9)" in chained.places()


def test_a_log_signed_anew_with_a_fresh_key_is_found(chained: Chained) -> None:
    chained.spoil("UPDATE trettio.log SET state = '{}' WHERE notification_id = 3")
    chained.spoil("DELETE FROM trettio.statements")
    chained.spoil("DELETE FROM trettio.chain_links")
    chained.spoil(
        "UPDATE trettio.chain SET position = 0, head = sha256('trettio evidence chain 1')"
    )
    chained.file.path.unlink()
    chained.keys = (STRANGE,)
    chained.fold()

    assert chained.verify(STRANGE).faults == ()
    faults = chained.verify(KEY).faults
    assert len(faults) == chained.count("statements")
    assert faults[0].place == "statement 1 (position 0)"
    assert "not one that you trust" in faults[0].what


def test_a_file_that_disagrees_with_the_database_is_found(chained: Chained) -> None:
    lines = chained.file.lines()
    changed = lines[2].replace('"checkpoint"', '"checkpoinT"')
    chained.file.path.write_text("".join(f"{one}\n" for one in [*lines[:2], changed, *lines[3:]]))

    assert chained.places() == ["statement 3"]
