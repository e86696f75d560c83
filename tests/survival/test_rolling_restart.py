"""Two of every role: each is started anew in turn under load, and no client notices."""

from __future__ import annotations

import time
from functools import partial
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import LiteralString

import pytest

from domain.vocabulary import Right
from tests.support.balancer import Balancer
from tests.support.components import free_port
from tests.support.outside import Customer
from tests.support.processes import Process, Running, answers, running, wait_until
from tests.support.reckoning import require_all_is_well
from tests.support.requesters import Asked, Crowd

pytestmark = [pytest.mark.survival, pytest.mark.timeout(300)]

LEAVE_SECONDS = 1.5
LONGEST_FAIL_OVER = 10.0
PEOPLE = 70
END_OF_LOG: LiteralString = "SELECT max(notification_id) FROM trettio.log"
RIGHTS = (
    (Right.ERASURE,),
    (Right.ACCESS,),
    (Right.ACCESS, Right.ERASURE),
    (Right.WITHDRAWAL,),
)


def test_every_role_is_restarted_in_turn_without_an_error_to_anybody(
    seed: int, tmp_path: Path
) -> None:
    """Art. 32(1)(b): nobody repeats anything here, so that one lost call would be seen."""
    dice = Random(seed)
    asked = [Asked(Customer(number), RIGHTS[number % len(RIGHTS)]) for number in range(PEOPLE)]
    leave = {"TRETTIO_LEAVE_SECONDS": str(LEAVE_SECONDS)}
    with running(tmp_path, people=len(asked), more=leave) as house:
        webs = {
            house.process(f"web-{port}", "serve", "--only-web", port=port): port
            for port in (free_port(), free_port())
        }
        others = [
            house.process(f"{command}-{number}", command)
            for command in ("work", "follow")
            for number in (1, 2)
        ]
        with Balancer(house.port, list(webs.values())) as balancer:
            for process in (*webs, *others):
                process.start()
            for process in (*webs, *others):
                house.wait_for(process)
            wait_until(lambda: all(map(balancer.is_well, webs.values())), what="both webs are well")
            with Crowd(house.port, house.token, house.mailboxes, patient=False) as crowd:
                in_turn = [*webs, *others]
                dice.shuffle(in_turn)
                for number, process in enumerate(in_turn):
                    crowd.let_in(asked[number :: len(in_turn) + 1])
                    time.sleep(dice.uniform(0.2, 1.0))
                    took = process.stop()
                    print(f"{process.name} ended in order in {took:.1f} s")
                    process.start()
                    house.wait_for(process)
                    if process in webs:
                        wait_until(partial(balancer.is_well, webs[process]), what=f"{process}")
                    crowd.require_no_error()
                crowd.let_in(asked[len(in_turn) :: len(in_turn) + 1])
                _require_fail_over(house, dice.choice(others[2:]))
                wait_until(
                    lambda: len(crowd.finished) == len(asked) or crowd.is_broken,
                    what="every request is closed",
                )
                print(crowd.told)
                crowd.require_no_error()
            assert not crowd.seen.unanswered, crowd.seen.unanswered
            assert set(crowd.seen.statuses) <= {200, 201, 202, 303}, crowd.seen.statuses
            for process in (*webs, *others):
                if process.is_alive:
                    process.stop()
        require_all_is_well(house, asked, kills=0)


def test_a_web_process_says_that_it_leaves_before_it_stops_accepting(tmp_path: Path) -> None:
    """Art. 32(1)(b): who balances learns of it while calls are still answered."""
    leave = {"TRETTIO_LEAVE_SECONDS": "3"}
    with running(tmp_path, people=0, more=leave) as house:
        web = house.process("web", "serve", "--only-web").start()
        web.wait_until(lambda: answers(house.port) == HTTPStatus.OK, what="it answers")

        web.ask_to_end()

        wait_until(lambda: answers(house.port) == HTTPStatus.SERVICE_UNAVAILABLE, what="it says so")
        assert answers(house.port, "/v1/cases") == HTTPStatus.UNAUTHORIZED
        assert web.is_alive
        wait_until(lambda: not web.is_alive, what="it ends", seconds=15)
        assert web.code == 0


def _require_fail_over(house: Running, victim: Process) -> None:
    """Whichever follower is killed, the other carries the read models on, past what came after."""
    victim.kill()
    began = time.monotonic()
    killed_at = house.count(END_OF_LOG)
    wait_until(lambda: house.count(END_OF_LOG) > killed_at, what="something is recorded")
    end = house.count(END_OF_LOG)
    wait_until(
        lambda: house.count("SELECT min(position) FROM views.positions") >= end,
        what="the other follower takes over",
        seconds=LONGEST_FAIL_OVER,
    )
    print(f"fail-over after {victim.name} was killed: {time.monotonic() - began:.2f} s")
