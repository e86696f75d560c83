"""What belongs to a case is one list, whoever asks: versions, timelines, exports, case files."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from uuid import uuid4

import domain
from domain.aggregate import Aggregate
from domain.belonging import BESIDE_A_CASE, BESIDE_A_REQUEST, KINDS, OF_A_CASE, aggregates_of
from domain.case import request_id
from domain.controller import Controller
from domain.errand import Errand
from domain.hold import Hold
from domain.instruction import Instruction
from domain.looks import Looks
from domain.marketing_stop import MarketingStop
from domain.refusal import Refusal
from domain.replay import Replay
from domain.representation import representation_id
from domain.vocabulary import Right

ELSEWHERE = {Controller, Errand, Hold, Instruction, Looks, MarketingStop, Replay}
"""A controller is no part of a case; holds, errands and instructions have no one place and are
asked for; and whoever looks at a case has not changed it; and one click in a mail makes none; and
what is erased again after a restore has been told in its case before."""


def test_every_aggregate_is_a_case_s_or_is_known_to_be_elsewhere() -> None:
    for module in pkgutil.iter_modules(domain.__path__):
        import_module(f"domain.{module.name}")
    known = {
        kind
        for kind in Aggregate.__subclasses__()
        if kind.__module__.startswith("domain.") and not kind.__name__.startswith("Request")
    }

    elsewhere = {kind.__name__ for kind in ELSEWHERE}
    assert {kind.__name__ for kind in known} <= {kind.__name__ for kind in OF_A_CASE} | elsewhere


def test_a_refusal_and_a_representation_change_the_version_of_their_case() -> None:
    case_id = uuid4()
    ids = aggregates_of(case_id)

    assert representation_id(case_id) in ids
    assert {Refusal.create_id(request_id(case_id, right)) for right in Right} <= set(ids)
    assert (
        len(ids)
        == len(set(ids))
        == 1 + len(BESIDE_A_CASE) + len(Right) * (1 + len(BESIDE_A_REQUEST))
    )


def test_kinds_are_the_first_words_of_topics() -> None:
    assert {"case", "request", "hold", "refusal", "representation"} <= set(KINDS)
