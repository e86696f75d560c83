"""Objecting: an objection weighed by a person, purpose by purpose (Art. 21(1); GK-08, GK-15).

Meanwhile the data is restricted. What stops is erased where nothing else needs it, and marketing
stops in every system; what goes on is refused with its compelling grounds in the letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Aggregate
from domain.balancing import Balancing, Weighed, ends_by_objection
from domain.deadlines import received_on
from domain.decisions import ErasureGround, RecordFacts, decide
from domain.errors import DomainError, NotAllowedNow
from domain.policy import Profile
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Action, Right
from services import dossier
from services.controllers import Controllers
from services.deciding import Deciding, Preview, record_decision
from services.planning import Steps, answer_task, task_for
from services.ports import Clock, Tasks, Vault
from services.recipients import tell_nobody
from services.register import Register, again_on_conflict


@dataclass(frozen=True, slots=True)
class Weighing:
    """What somebody decides about one purpose; `words` are the compelling grounds to go on."""

    purpose: str
    continues: bool
    words: str = ""


class Objecting:
    """From an objection to a balance struck by a person, and what follows from it."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        deciding: Deciding,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._deciding, self._clock = controllers, deciding, clock

    @again_on_conflict
    def give_grounds(self, request_id: UUID, *, words: str, by: str) -> None:
        """Take down the person's own situation; it is sealed."""
        if not words.strip():
            raise DomainError("write down what the person says about their situation")
        balancing = self._open(request_id)
        now = self._clock()
        sealed = dossier.seal_note(self._vault, balancing.case_id, words.strip(), by, now)
        balancing.give_grounds(words=sealed.ref, by=by, at=now)
        self._register.save_all([balancing], sealed.also)

    def preview(self, request: DataSubjectRequest, stopped: Sequence[str]) -> tuple[Preview, ...]:
        """What would go if these purposes stopped: what nothing else needs, record by record."""
        profile = self._controllers.version(request.controller, request.profile_version)
        on = received_on(self._clock(), request.country)
        previews = []
        records = self._deciding.records(request)
        for found in request.own_records:
            category = next((c for c in profile.categories if c.id == found.category), None)
            if category is None or not ends_by_objection(profile, category, stopped):
                continue
            record = records[found.record_id]
            facts = RecordFacts(found.system, found.kind, record.anchors, record.flags)
            verdict = decide(facts, profile, (), on, ground=ErasureGround.OBJECTION)
            previews.append(Preview(found, record, verdict))
        return tuple(previews)

    @again_on_conflict
    def strike(
        self, request_id: UUID, weighings: Sequence[Weighing], *, by: str, words: str = ""
    ) -> None:
        """Decide about every purpose; what follows is instructed in the same save."""
        with self._register.alone_with(request_id):
            now = self._clock()
            self._register.look_at(request_id)
            request = self._register.request(request_id)
            balancing = self._open(request_id)
            if request.status is not Status.COLLECTED:
                raise NotAllowedNow(
                    f"request {request_id} is {request.status.value}: let every system answer first"
                )
            profile = self._controllers.in_force(request.controller)
            steps = Steps()
            weighed = tuple(self._weighed(request, one, by, steps) for one in weighings)
            balancing.strike(weighed=weighed, by=by, at=now)
            previews = self.preview(request, tuple(balancing.stopped))
            note = None
            if words.strip():
                sealed = dossier.seal_note(self._vault, request.case_id, words.strip(), by, now)
                note = sealed.ref
                steps.also.extend(sealed.also)
            request.approve(
                decisions=tuple(record_decision(preview) for preview in previews),
                profile_version=profile.digest,
                by=by,
                note=note,
                at=now,
            )
            self._instruct(request, balancing, profile, previews, steps, by)
            changed: list[Aggregate] = [request, balancing, *steps.aggregates]
            self._register.save_all(changed, steps.also)

    def _instruct(
        self,
        request: DataSubjectRequest,
        balancing: Balancing,
        profile: Profile,
        previews: Sequence[Preview],
        steps: Steps,
        by: str,
    ) -> None:
        now = self._clock()
        fulfilment = self._register.fulfilment(request.id)
        if previews:
            self._deciding.carry_out(request, fulfilment, profile, previews, steps, by, now)
        else:
            tell_nobody(fulfilment, now)
        if balancing.stopped.intersection(balancing.absolute):
            for system in profile.systems:
                state = fulfilment.systems.get(system.id)
                if system.marketing and state is not None and state.action is Action.FIND:
                    fulfilment.instruct(
                        system=system.id, action=Action.SUPPRESS, decisions=(), at=now
                    )
                    task = task_for(request, system.id, Action.SUPPRESS, at=now)
                    steps.also.append(self._tasks.add(task))
        steps.aggregates.append(fulfilment)
        if fulfilment.all_done:
            fulfilment.complete(at=now)
            steps.also.append(self._tasks.add(answer_task(request, at=now)))

    def _weighed(
        self, request: DataSubjectRequest, one: Weighing, by: str, steps: Steps
    ) -> Weighed:
        if not one.continues:
            return Weighed(one.purpose, continues=False)
        if not one.words.strip():
            return Weighed(one.purpose, continues=True)
        sealed = dossier.seal_note(
            self._vault, request.case_id, one.words.strip(), by, self._clock()
        )
        steps.also.extend(sealed.also)
        return Weighed(one.purpose, continues=True, grounds=sealed.ref)

    def _open(self, request_id: UUID) -> Balancing:
        if self._register.request(request_id).right is not Right.OBJECTION:
            raise DomainError("this request asks for something else than to weigh an objection")
        balancing = self._register.find_balancing(request_id)
        if balancing is None:
            raise NotAllowedNow("the balance is opened once identity is settled")
        return balancing
