"""What others than the handler do to requests: advise, decide as the second, deal with a breach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from domain.aggregate import Aggregate
from domain.personal import PersonalRef
from domain.refusal import Refusal
from domain.request import DataSubjectRequest, RefusalGround
from domain.vocabulary import ConsultedAbout


class Overseen:
    """Draws by a chance of its own, so that the histories around it stay as they were."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._refusals: dict[UUID, Refusal] = {}

    def step(self, requests: Sequence[DataSubjectRequest], at: datetime) -> Sequence[Aggregate]:
        """Now and then one of them, mostly one that somebody has begun with."""
        if not requests or self._chance.random() > 0.1:
            return []
        begun = [one for one in requests if one.consultations or one.breaches]
        often = begun if begun and self._chance.random() < 0.5 else requests
        request = self._chance.choice(often)
        return self._chance.choice([self._advice, self._second, self._breach])(request, at)

    def _advice(self, request: DataSubjectRequest, at: datetime) -> Sequence[Aggregate]:
        asked = [one for one in request.consultations.values() if one.followed is None]
        if not asked:
            at_once = self._chance.random() < 0.3
            request.consult_officer(
                question=self._ref(),
                advice=self._ref() if at_once else None,
                advised_by="officer" if at_once else None,
                about=self._chance.choice(list(ConsultedAbout)),
                by="staff-2",
                at=at,
            )
        elif asked[0].advice is None:
            request.advise(question=asked[0].question, advice=self._ref(), by="officer", at=at)
        else:
            followed = self._chance.random() < 0.7
            reasons = None if followed else self._ref()
            request.weigh_advice(
                question=asked[0].question, followed=followed, reasons=reasons, by="staff-2", at=at
            )
        return [request]

    def _second(self, request: DataSubjectRequest, at: datetime) -> Sequence[Aggregate]:
        refusal = self._refusals.get(request.id)
        if refusal is None:
            refusal = self._refusals[request.id] = Refusal(
                request_id=request.id,
                case_id=request.case_id,
                ground=RefusalGround.EXCESSIVE,
                code="repeats-itself",
                words=self._ref(),
                proof=self._ref(),
                by="staff-1",
                fee=self._ref() if self._chance.random() < 0.5 else None,
                timestamp=at,
            )
        elif not refusal.is_open and refusal.fee is not None and self._chance.random() < 0.5:
            refusal.take_fee(by="staff-1", at=at)
        elif not refusal.is_open:
            refusal.propose_again(
                ground=RefusalGround.UNFOUNDED,
                code="means-no-right",
                words=self._ref(),
                proof=self._ref(),
                by="staff-2",
                at=at,
            )
        elif self._chance.random() < 0.5:
            refusal.confirm(by="staff-3", at=at)
        else:
            refusal.decline(by="staff-3", words=self._ref(), at=at)
        return [refusal]

    def _breach(self, request: DataSubjectRequest, at: datetime) -> Sequence[Aggregate]:
        if not request.open_breaches:
            request.report_disclosure(
                report=self._ref(),
                by="staff-1",
                known_at=at,
                tell_authority_by=at + timedelta(hours=72),
                fetched_at=at if self._chance.random() < 0.5 else None,
                described=self._chance.random() < 0.5,
                at=at,
            )
            return [request]
        breach = request.open_breaches[0]
        about, told = breach.report.id, self._chance.random() < 0.5
        if not breach.notes:
            request.describe_breach(breach=about, note=self._ref(), by="staff-1", at=at)
        elif not breach.authority_settled:
            request.settle_breach_with_authority(
                breach=about,
                told_at=at if told else None,
                reasons=self._ref(),
                by="staff-1",
                at=at,
            )
        else:
            request.settle_breach_with_person(
                breach=about, told=told, reasons=self._ref(), by="staff-1", at=at
            )
        return [request]

    def _ref(self) -> PersonalRef:
        return PersonalRef(UUID(int=self._chance.getrandbits(128), version=4))
