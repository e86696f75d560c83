"""Figures and the requests behind them: whatever is counted can be listed, and is as many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from adapters.outbound.database import Database
from adapters.outbound.views import Views
from domain.vocabulary import Country
from projections.board import OPEN, Selection, count_behind, requests_behind
from projections.figures import Figures, Measures, figures
from services.follower import Follower
from tests.support.histories import History, opened_register, source_of

OUTCOMES = {
    "in_full": "in-full",
    "in_part": "in-part",
    "refused": "refused",
    "referred": "referred",
    "withdrawn": "withdrawn",
}
OPEN_FIGURES = {
    "open": "all",
    "open_late": "late",
    "open_today": "today",
    "open_0_to_2_days": "0-2",
    "open_3_to_7_days": "3-7",
    "open_8_to_14_days": "8-14",
    "open_15_days_or_more": "15+",
}


@pytest.fixture(scope="module")
def lived(module_database_url: str) -> Iterator[tuple[Database, date]]:
    """A random history of some dozen requests, followed in uneven steps."""
    with Database(module_database_url) as database, opened_register(database) as register:
        views = Views(database)
        source = source_of(database, register)
        views.prepare(source)
        history = History(11, register.save_all)
        follower = Follower(source, views.views, batch=37)
        for _ in range(6):
            history.run(400)
            follower.drain()
        yield database, history.at.date()


def test_every_figure_counts_what_the_list_behind_it_shows(lived: tuple[Database, date]) -> None:
    sql, last = lived
    whole = Selection(("concert-hall", "tour-operator"))
    first = figures(sql, whole, dict.fromkeys(Country, last))
    assert first.all.received > 30
    month = date.fromisoformat(f"{first.by_month[-1].of}-01")
    selections = (
        whole,
        replace(whole, controllers=("tour-operator",)),
        replace(whole, right="erasure"),
        replace(whole, channel=first.by_channel[0].of),
        replace(whole, month=month),
        replace(whole, since=month),
        replace(whole, system="mailing"),
        replace(whole, system="tickets", right="access", since=month),
    )
    for days in (0, 20, 45):
        today = dict.fromkeys(Country, last + timedelta(days=days))
        for selection in selections:
            found = figures(sql, selection, today)
            for narrowed, measures in _groups(found, selection):
                for told, one in _told(measures, narrowed):
                    assert told == count_behind(sql, one, today), one


def test_the_list_is_paged_without_a_gap_and_newest_first(lived: tuple[Database, date]) -> None:
    sql, last = lived
    today = dict.fromkeys(Country, last)
    selection = Selection(("concert-hall", "tour-operator"), missed="target")
    later = dict.fromkeys(Country, last + timedelta(days=90))

    page, seen = requests_behind(sql, selection, later, limit=7), []
    while page:
        seen += page
        after = (page[-1].received_on, page[-1].request_id)
        page = requests_behind(sql, selection, later, after=after, limit=7)

    assert len({one.request_id for one in seen}) == len(seen)
    assert len(seen) == count_behind(sql, selection, later) > 7
    assert [one.received_on for one in seen] == sorted((o.received_on for o in seen), reverse=True)
    assert requests_behind(sql, replace(selection, controllers=()), today) == []


def test_an_address_says_what_is_selected_and_odd_words_are_left_out() -> None:
    said = {
        "controller": "concert-hall",
        "right": "access",
        "month": "2026-05",
        "missed": "promise",
        "open": "8-14",
    }
    selection = Selection.asked(("concert-hall", "tour-operator"), said)
    assert selection.controllers == ("concert-hall",)
    assert selection.month == date(2026, 5, 1)
    assert selection.params() == {n: v for n, v in said.items() if n != "controller"}

    odd = {"controller": "strangers", "month": "2026-13", "missed": "x", "open": "'; --"}
    assert Selection.asked(("concert-hall",), odd) == Selection(())


def _groups(found: Figures, selection: Selection) -> Iterator[tuple[Selection, Measures]]:
    yield selection, found.all
    for one in found.by_controller:
        yield replace(selection, controllers=(one.of or "",)), one
    for one in found.by_right:
        yield replace(selection, right=one.of), one
    for one in found.by_channel:
        yield replace(selection, channel=one.of), one
    for one in found.by_month:
        yield replace(selection, month=date.fromisoformat(f"{one.of}-01")), one


def _told(measures: Measures, of: Selection) -> Iterator[tuple[int, Selection]]:
    yield measures.received, of
    for name in ("target", "promise", "statutory"):
        yield getattr(measures, name).missed, replace(of, missed=name)
    for name, outcome in OUTCOMES.items():
        yield getattr(measures, name), replace(of, outcome=outcome)
    for name, which in OPEN_FIGURES.items():
        yield getattr(measures, name), replace(of, open=which)


def test_every_way_of_being_open_has_a_figure() -> None:
    assert set(OPEN_FIGURES.values()) == set(OPEN)
