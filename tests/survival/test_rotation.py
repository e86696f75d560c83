"""The master key is replaced while cases run: nobody outside notices, nothing is left behind."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from random import Random

import pytest

from adapters.outbound import consistency
from adapters.outbound.master_keys import MasterKeys, load_master_keys
from adapters.outbound.recovery_sheet import groups
from adapters.outbound.rotation import key_uses
from domain.vocabulary import IdentifierKind, Right
from services.ports import Identifier
from tests.support.outside import Customer
from tests.support.processes import CONTROLLER, Running, answers, running, wait_until
from tests.support.reckoning import require_all_is_well
from tests.support.requesters import Asked, Crowd

pytestmark = [pytest.mark.survival, pytest.mark.timeout(300)]

REQUESTS = (
    *[(Right.ERASURE,)] * 8,
    *[(Right.ACCESS, Right.ERASURE)] * 8,
    *[(Right.WITHDRAWAL,)] * 8,
)
AT_ONCE = 6
KILLS = 3


def test_a_key_is_replaced_under_load_and_the_old_one_taken_away(seed: int, tmp_path: Path) -> None:
    """Art. 32(1)(a), (b): `rotate` is killed at random moments, the clients never repeat a call."""
    dice = Random(seed)
    asked = [Asked(Customer(number), rights) for number, rights in enumerate(REQUESTS)]
    dice.shuffle(asked)
    third = len(asked) // 3
    with running(tmp_path, people=len(asked)) as house:
        key_file = house.settings.home / "master.key"
        old = load_master_keys(path=key_file).current
        roles = [
            house.process("web", "serve", "--only-web").start(),
            house.process("work", "work").start(),
            house.process("follow", "follow").start(),
        ]
        wait_until(lambda: answers(house.port) == 200, what="the web process answers")
        with Crowd(
            house.port, house.token, house.mailboxes, at_once=AT_ONCE, patient=False
        ) as crowd:
            crowd.let_in(asked[: 2 * third])
            _until(crowd, AT_ONCE)
            _run(house, "new", "key", "new")
            new = load_master_keys(path=key_file).current
            for number in range(KILLS):
                rotating = house.process(f"killed-{number}", "key", "rotate").start()
                time.sleep(dice.uniform(0.2, 2.0))
                if rotating.is_alive:
                    rotating.kill()
            crowd.let_in(asked[2 * third :])
            _run(house, "rotate", "key", "rotate")
            _run(house, "retire", "key", "retire", old.id, "--without-sheet")
            _until(crowd, len(asked))
            crowd.require_no_error()
        for process in roles:
            process.stop()
            process.start()
        wait_until(lambda: answers(house.port) == 200, what="it starts with the new key alone")
        for process in roles:
            process.stop()

        assert load_master_keys(path=key_file).ids == (new.id,)
        with house.opened() as opened:
            assert {use.id for use in key_uses(opened.database)} == {new.id}
            assert consistency.check(opened.database, opened.vault, opened.register.mapper) == []
            for one in asked:
                address = Identifier(IdentifierKind.EMAIL, one.customer.address)
                assert len(opened.vault.cases_of(CONTROLLER, address)) == 1
        require_all_is_well(house, asked, kills=0)
        _require_unseen(house, MasterKeys(new, (old,)))


def _until(crowd: Crowd, finished: int) -> None:
    wait_until(
        lambda: len(crowd.finished) >= finished or crowd.is_broken,
        what=f"{finished} cases are closed",
        seconds=120,
    )
    crowd.require_no_error()


def _run(house: Running, name: str, *command: str) -> None:
    process = house.process(name, *command).start()
    assert process.running is not None
    assert process.running.wait(timeout=90) == 0, process.log.read_text()


def _require_unseen(house: Running, keys: MasterKeys) -> None:
    """No process has written a key anywhere, in any form."""
    logs = "".join(path.read_text() for path in (house.folder / "logs").iterdir())
    assert keys.current.id in logs
    for key in (keys.current, *keys.older):
        shown = (key.key.hex(), base64.b64encode(key.key).decode(), repr(key.key), *groups(key))
        assert not any(form in logs for form in shown)
