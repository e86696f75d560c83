"""One loop feeds all views: none twice, none held up by another."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from uuid import UUID

import pytest

from projections.projection import Recorded
from services.follower import GATHER_SECONDS, AnotherLog, Follower, FollowerFailed


class FakeLog:
    def __init__(self, events: int) -> None:
        self.events = [
            Recorded(position, UUID(int=position), 1, "plain", object())
            for position in range(1, events + 1)
        ]
        self.read_from: list[int] = []

    def read(self, after: int, limit: int) -> tuple[Sequence[Recorded], int]:
        self.read_from.append(after)
        batch = self.events[after : after + limit]
        return batch, batch[-1].position if batch else after


class FakeView:
    def __init__(self, name: str, *, position: int = 0) -> None:
        self.name, self._position = name, position
        self.taken: list[int] = []
        self.broken = False
        self.elsewhere = False

    def position(self) -> int:
        return self._position

    def take(self, events: Sequence[Recorded], after: int, upto: int) -> bool:
        if self.broken:
            raise RuntimeError("no room")
        if self.elsewhere:
            return False
        assert after == self._position
        self.taken += [event.position for event in events]
        self._position = upto
        return True


def test_every_event_reaches_every_view_once_and_in_order() -> None:
    views = [FakeView("a"), FakeView("b")]
    Follower(FakeLog(25), views, batch=10).drain()

    assert all(view.taken == list(range(1, 26)) for view in views)


def test_views_at_the_same_position_share_one_reading() -> None:
    log = FakeLog(10)
    Follower(log, [FakeView("a"), FakeView("b"), FakeView("c")], batch=10).step()

    assert log.read_from == [0]


def test_a_view_that_is_far_behind_holds_up_none_of_the_others() -> None:
    behind, ahead = FakeView("behind"), FakeView("ahead", position=95)
    Follower(FakeLog(100), [behind, ahead], batch=10).step()

    assert ahead.taken == [96, 97, 98, 99, 100]
    assert behind.taken == list(range(1, 11))


def test_what_comes_in_one_by_one_is_gathered_and_what_has_piled_up_is_not() -> None:
    waited: list[float | None] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout)
            if len(waited) == 2:
                self.set()
            return self.is_set()

    Follower(FakeLog(25), [FakeView("a")], batch=10).run(Stop(), idle_seconds=0.03)

    assert waited == [GATHER_SECONDS, 0.03]


def test_a_view_that_fails_stops_no_other_and_is_named() -> None:
    broken, sound = FakeView("broken"), FakeView("sound")
    broken.broken = True
    follower = Follower(FakeLog(30), [broken, sound], batch=10)
    with pytest.raises(FollowerFailed, match="broken: RuntimeError"):
        follower.drain()

    assert sound.taken == list(range(1, 31))
    assert follower.failing == {"broken": "RuntimeError"}


def test_a_view_that_another_runner_has_is_left_alone_for_a_moment() -> None:
    theirs, log = FakeView("theirs"), FakeLog(10)
    theirs.elsewhere = True
    follower = Follower(log, [theirs])
    follower.step()
    follower.step()

    assert log.read_from == [0]
    assert follower.failing == {}


def test_it_stops_when_told_and_goes_on_after_an_error_of_the_log() -> None:
    class Flapping(FakeLog):
        def read(self, after: int, limit: int) -> tuple[Sequence[Recorded], int]:
            if not self.read_from:
                self.read_from.append(after)
                raise ConnectionError
            return super().read(after, limit)

    view, stop = FakeView("a"), threading.Event()
    runner = threading.Thread(target=Follower(Flapping(5), [view]).run, args=[stop])
    runner.start()
    try:
        for _ in range(100):
            if view.taken:
                break
            runner.join(0.05)
    finally:
        stop.set()
        runner.join()

    assert view.taken == [1, 2, 3, 4, 5]


def test_a_log_that_was_replaced_is_not_tried_again() -> None:
    class Replaced(FakeLog):
        def read(self, after: int, limit: int) -> tuple[Sequence[Recorded], int]:
            self.read_from.append(after)
            raise AnotherLog("restored")

    log = Replaced(3)
    with pytest.raises(AnotherLog):
        Follower(log, [FakeView("a")]).run(threading.Event())

    assert log.read_from == [0]
