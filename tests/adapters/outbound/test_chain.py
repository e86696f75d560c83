"""The chain follows the log, signs it, and stops where something does not fit (Art. 5(2))."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from adapters.outbound import chain_store
from adapters.outbound.chain import ChainStopped
from adapters.outbound.database import Database, DatabaseNotUsable
from tests.support.chained import KEY, NEXT, STRANGE, Chained


class FirstPause(Event):
    """Ends whatever runs when it would wait for the first time."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


@pytest.fixture
def chained(database: Database, tmp_path: Path) -> Chained:
    return Chained(database, tmp_path)


def test_a_statement_is_signed_every_so_many_links_and_after_so_long(chained: Chained) -> None:
    chained.happen(20)
    chained.fold(sign=False)
    signed = [one.position for one in chain_store.statements(chained.database)]
    chained.now += timedelta(minutes=6)
    chained.fold(sign=False)

    assert signed == [0, 8, 16]
    assert chain_store.statements(chained.database)[-1].position == 20
    assert chained.file.lines() == chain_store.lines(chained.database)


def test_nothing_new_is_signed_while_nothing_happens(chained: Chained) -> None:
    chained.happen(3)
    chained.fold()
    chained.now += timedelta(days=1)
    chained.fold()

    assert chained.count("statements") == 2


def test_two_runners_fold_every_event_once(chained: Chained) -> None:
    one, other = chained.chain(), chained.chain()
    for times in (3, 9, 1):
        chained.happen(times)
        while one.step() or other.step():
            pass

    assert [position for position, _ in chain_store.links(chained.database)] == [*range(1, 14)]
    assert chained.faults() == []


def test_a_runner_that_was_overtaken_writes_nothing(chained: Chained) -> None:
    slow = chained.chain()
    chained.happen(2)
    with chained.database.transaction() as connection:
        connection.execute("SELECT FROM trettio.chain FOR UPDATE")
        assert not slow.step()

    assert chain_store.state(chained.database).position == 0


def test_a_new_key_is_vouched_for_by_the_one_before(chained: Chained) -> None:
    chained.happen(3)
    chained.fold()
    chained.keys = (NEXT, KEY)
    chained.happen(3)
    chained.fold()
    chained.keys = (NEXT,)
    chained.happen(3)
    chained.fold()

    assert chained.verify(KEY).faults == ()
    assert chained.verify(NEXT).faults == ()
    assert chained.verify(STRANGE).faults != ()


def test_a_key_that_nobody_vouches_for_signs_nothing(chained: Chained) -> None:
    chained.happen(3)
    chained.fold()
    chained.keys = (STRANGE,)
    chained.happen(3)

    with pytest.raises(ChainStopped, match="give that one too"):
        chained.fold()
    assert chain_store.state(chained.database).position == 3


def test_it_says_why_it_stands_still_and_goes_on_when_that_is_over(chained: Chained) -> None:
    chained.happen(3)
    (chained.home / "checkpoints").mkdir()
    chained.chain().run(FirstPause())
    stopped = chain_store.state(chained.database).warnings
    (chained.home / "checkpoints").rmdir()
    chained.fold()

    assert "the evidence chain stands still: the file of checkpoints" in stopped[0]
    assert chain_store.state(chained.database).warnings == []
    assert chained.faults() == []


def test_events_that_nobody_folds_are_complained_about(chained: Chained) -> None:
    chained.happen(2)

    assert chain_store.state(chained.database).behind == 2
    assert "lacks 2 events" in chain_store.state(chained.database).warnings[0]


def test_a_line_that_a_loss_of_power_tore_is_written_again(chained: Chained) -> None:
    chained.happen(9)
    chained.fold()
    whole = chained.file.path.read_bytes()
    chained.file.path.write_bytes(whole[:-40])
    chained.happen(1)
    chained.fold()

    assert chained.file.lines() == chain_store.lines(chained.database)
    assert chained.file.path.read_bytes().startswith(whole)


# Restores


def test_a_log_that_was_set_back_is_noticed_at_the_start_and_admitted(chained: Chained) -> None:
    chained.happen(10)
    chained.fold()
    chained.happen(6)
    chained.fold()
    for table, column in (("log", "notification_id"), ("chain_links", "upto")):
        chained.spoil(f"DELETE FROM trettio.{table} WHERE {column} > 10")
    chained.spoil("DELETE FROM trettio.statements WHERE position > 10")
    chained.spoil(
        "UPDATE trettio.chain SET position = 10, head = decode((SELECT line::json ->> 'head'"
        " FROM trettio.statements ORDER BY number DESC LIMIT 1), 'hex')"
    )

    with pytest.raises(DatabaseNotUsable, match=r"position 16 .* run trettio replay --self"):
        chained.chain().require_same_log()
    with pytest.raises(ChainStopped, match="replay --self"):
        chained.fold()

    assert chained.chain().resume() == 16
    assert chained.chain().resume() == 0
    chained.chain().require_same_log()
    chained.version += 100
    chained.happen(5)
    chained.fold()

    assert chained.faults() == []
    kinds = [json.loads(line)["kind"] for line in chained.file.lines()]
    assert kinds.count("restored") == 1
    assert chained.file.lines() == chain_store.lines(chained.database)
    # What was signed of the events that are gone is still there for whoever asks.
    assert 16 in [one.position for one in chain_store.statements(chained.database)]


def test_what_is_changed_after_a_restore_is_found_too(chained: Chained) -> None:
    chained.happen(10)
    chained.fold()
    chained.database.ask("UPDATE trettio.incarnation SET id = gen_random_uuid()")
    with pytest.raises(ChainStopped, match="restored from a backup"):
        chained.fold()
    chained.chain().resume()
    chained.happen(5)
    chained.fold()
    chained.spoil("UPDATE trettio.log SET state = '{}' WHERE notification_id = 4")

    assert chained.places() == ["position 4"]
