"""A request under any sequence of commands, beside a model that knows the law and little else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.deadlines import deadlines
from domain.errors import DomainError
from domain.request import DataSubjectRequest, PauseReason, RefusalGround, Status
from domain.values import SystemOutcome
from domain.vocabulary import (
    Compartment,
    Decision,
    IdentityMethod,
    LetterKind,
    Match,
    Outcome,
    Right,
    Unidentified,
)
from tests.support.dates import by_law
from tests.support.past import (
    AT,
    COMPLEX_AND_MANY,
    NO,
    erase,
    found,
    keep,
    letter,
    received,
    ref,
    replayed,
)

STAFF = st.sampled_from(["anna", "berit", "", " ", "trettio"])
EXPLAINS = st.sets(
    st.sampled_from([Outcome.KEPT, Outcome.RESIDUAL, Outcome.REFUSED, Outcome.BLOCKED_ARCHIVE])
)
TOLD = st.sampled_from([Outcome.ERASED, Outcome.KEPT, Outcome.RESIDUAL, Outcome.REFUSED])


class AnyRequest(RuleBasedStateMachine):
    """Every rule tries a command; a refused one must leave no trace."""

    @initialize(
        right=st.sampled_from([Right.ACCESS, Right.ERASURE, Right.OBJECTION_TO_MARKETING]),
        archive_first=st.booleans(),
    )
    def receive(self, right: Right, archive_first: bool) -> None:
        self.now = AT
        self.request = received(right, archive_first=archive_first)
        self.log = list(self.request.collect_events())
        # The model: what the letters on their way or arrived have told, and who is known.
        self.known = False
        self.answer: frozenset[Outcome] | None = None
        self.arrived = False
        self.to_tell: frozenset[Outcome] = frozenset()
        self.refused = False

    def _try(self, command: str, **facts: object) -> bool:
        before = dict(vars(self.request))
        self.now += timedelta(minutes=1)
        try:
            getattr(self.request, command)(at=self.now, **facts)
        except DomainError:
            assert vars(self.request) == before, f"{command} was refused and changed something"
            return False
        self.log.extend(self.request.collect_events())
        return True

    @rule(days=st.integers(1, 12))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(method=st.sampled_from(list(IdentityMethod)), by=STAFF)
    def verify(self, method: IdentityMethod, by: str) -> None:
        if self._try("verify_identity", method=method, person=ref(), by=by):
            self.known = True

    @rule(by=STAFF)
    def waive(self, by: str) -> None:
        if self._try("waive_verification", reason="known-in-person", by=by):
            self.known = True

    @rule(steps=st.integers(1, 7), kept=st.booleans(), explains=EXPLAINS)
    def go_on_as_one_should(self, steps: int, kept: bool, explains: set[Outcome]) -> None:
        """Chance alone seldom gets a request closed; so some of the time somebody works."""
        for _ in range(steps):
            match self.request.status:
                case Status.RECEIVED:
                    self.verify(IdentityMethod.EID, "anna")
                case Status.VERIFIED:
                    self.collect([Match.VERIFIED_IDENTIFIER, Match.VERIFIED_IDENTIFIER])
                case Status.COLLECTED:
                    self.decide_match(theirs=True, by="anna")
                    self.approve("anna", kept=kept, all_of_them=True)
                case Status.APPROVED | Status.REFUSED:
                    self.send_answer(explains, LetterKind.ANSWER)
                case Status.ANSWERED:
                    self.fulfil([Outcome.KEPT if kept else Outcome.ERASED])
                    self.close()
                case Status.FULFILLED | Status.WITHDRAWN | Status.REFERRED:
                    self.close()
                case Status.CLOSED:
                    self.destroy(Compartment.UPLOAD)

    @rule()
    def ask_for_identity(self) -> None:
        self._try(
            "request_identity", method=IdentityMethod.CODE_TO_ADDRESS, reason="unknown-sender"
        )

    @rule()
    def wrong_code(self) -> None:
        self._try("fail_identity", method=IdentityMethod.CODE_TO_ADDRESS, reason="code-wrong")

    @rule(matches=st.lists(st.sampled_from([Match.VERIFIED_IDENTIFIER, Match.SAME_NAME])))
    def collect(self, matches: list[Match]) -> None:
        self._try("collect_data", found=tuple(found(match) for match in matches))

    @rule(theirs=st.booleans(), by=STAFF)
    def decide_match(self, theirs: bool, by: str) -> None:
        for record in self.request.undecided_matches[:1]:
            command = "confirm_match" if theirs else "reject_match"
            self._try(command, record_id=record.record_id, reason="same-phone", by=by)

    @rule(by=STAFF, kept=st.booleans(), all_of_them=st.booleans())
    def approve(self, by: str, kept: bool, all_of_them: bool) -> None:
        own = self.request.own_records
        chosen = own if all_of_them else own[1:]
        decisions = tuple(keep(one) if kept else erase(one) for one in chosen)
        self._try("approve", decisions=decisions, profile_version="v1", by=by)

    @rule(ground=st.sampled_from(list(RefusalGround)), by=STAFF, second=STAFF)
    def refuse(self, ground: RefusalGround, by: str, second: str) -> None:
        who: dict[str, Any] = {}
        if ground is RefusalGround.CANNOT_IDENTIFY:
            who = {"shown": Unidentified.NOTHING_MORE, "proof": ref()}
        if self._try("refuse", ground=ground, reasons=ref(), by=by, second=second, **who):
            self.refused, self.answer, self.arrived = True, None, False
            assert by in {"anna", "berit"}, "no refusal without a human name"
            if ground in {RefusalGround.UNFOUNDED, RefusalGround.EXCESSIVE}:
                assert {by, second} == {"anna", "berit"}, "Art. 12(5) takes two people"

    @rule(explains=EXPLAINS, kind=st.sampled_from([LetterKind.ANSWER, LetterKind.IDENTITY_CODE]))
    def send_answer(self, explains: set[Outcome], kind: LetterKind) -> None:
        sent = letter(*explains, kind=kind)
        if self._try("send_answer", sent=sent, profile_version="v1"):
            assert self.known or self.refused, "no answer before identity or its waiver"
            assert kind is LetterKind.ANSWER
            self.answer, self.arrived = frozenset(explains), True

    @rule(told=st.lists(TOLD, max_size=3))
    def fulfil(self, told: list[Outcome]) -> None:
        outcomes = tuple(SystemOutcome("shop", "orders", outcome, 1) for outcome in told)
        if self._try("fulfil", outcomes=outcomes):
            assert self.arrived, "nothing is fulfilled before its answer was sent"
            kept = any(d.decision is Decision.KEEP for d in self.request.decisions.values())
            assert not kept or Outcome.KEPT in told, "what is kept is reported"
            self.to_tell = frozenset(told) - {Outcome.ERASED}

    @rule()
    def bounce(self) -> None:
        if self._try("fail_delivery", reason="bounced") and self.request.delivery_failed:
            self.arrived = False

    @rule()
    def fetch(self) -> None:
        if self._try("fetch_answer"):
            assert self.answer is not None
            self.arrived = True

    @rule(reason=st.sampled_from(list(PauseReason)), ago=st.integers(-1, 5))
    def pause(self, reason: PauseReason, ago: int) -> None:
        self._try("open_pause", reason=reason, on=(self.now - timedelta(days=ago)).date())

    @rule(reason=st.sampled_from(list(PauseReason)), ago=st.integers(-1, 5))
    def go_on(self, reason: PauseReason, ago: int) -> None:
        day = (self.now - timedelta(days=ago)).date()
        self._try("end_pause", reason=reason, on=day, calendar=NO)

    @rule(ago=st.integers(-1, 4))
    def extend(self, ago: int) -> None:
        sent = (self.now - timedelta(days=ago)).date()
        if self._try(
            "extend_deadline",
            reasons=COMPLEX_AND_MANY,
            notice=ref(),
            notice_sent_on=sent,
            calendar=NO,
            by="anna",
        ):
            assert self.now.date() <= by_law(self.request.dates)

    @rule()
    def withdraw(self) -> None:
        if self._try("withdraw"):
            self.answer, self.arrived = None, False

    @rule(by=STAFF)
    def refer(self, by: str) -> None:
        if self._try("refer", to="other-controller", by=by):
            self.answer, self.arrived = None, False

    @rule()
    def close(self) -> None:
        was = self.request.status
        if not self._try("close") or was is Status.CLOSED:
            return
        if was in {Status.WITHDRAWN, Status.REFERRED}:
            return
        assert self.arrived
        assert self.answer is not None
        told = frozenset({Outcome.REFUSED}) if self.refused else self.to_tell
        assert told <= self.answer, "closed with something kept or refused that nobody explained"

    @rule()
    def reopen(self) -> None:
        if self._try("reopen", reason="complaint"):
            self.refused, self.answer, self.arrived = False, None, False

    @rule()
    def archive(self) -> None:
        self._try("hand_to_archive", receipt=ref(), by="anna")

    @rule(compartment=st.sampled_from(list(Compartment)))
    def destroy(self, compartment: Compartment) -> None:
        if self._try("destroy_content", compartment=compartment):
            assert self.request.status is Status.CLOSED
            assert self.request.archived or not self.request.archive_first

    @rule()
    def end(self) -> None:
        if self._try("end"):
            assert self.request.destroyed >= set(Compartment) - {Compartment.HOLD}

    @invariant()
    def it_is_what_its_events_say(self) -> None:
        assert replayed(self.log) == self.request

    @invariant()
    def its_dates_are_a_fold_over_facts(self) -> None:
        request: DataSubjectRequest = self.request
        assert request.dates == deadlines(
            request.received_on,
            NO,
            request.promise_days,
            pauses=tuple(reversed(request.pauses)),
            extension=request.notice_sent_on is not None,
            statutory=request.right.is_statutory,
        )

    @invariant()
    def whoever_is_unknown_has_no_data_collected(self) -> None:
        assert self.known or self.request.collected_at is None


AnyRequest.TestCase.settings = settings(max_examples=400, stateful_step_count=30, deadline=None)
test_a_request_keeps_the_law_whatever_is_tried = AnyRequest.TestCase
