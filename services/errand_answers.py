"""What whoever holds a link answers: found, nothing held, done, kept because …, not me.

Answers count like those of staff: none held needs a reason, an erasure a second look (Art. 5(2)).
What was answered, and that it was by this link, is saved together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from uuid import UUID

from domain.aggregate import Aggregate
from domain.errand import Errand, ErrandAnswer, holder_name
from domain.errors import DomainError, NotAllowedNow
from domain.folder import FileKind
from domain.grounds import LEGAL_CLAIM
from domain.policy import Profile, Sector
from domain.vocabulary import (
    Action,
    Decision,
    IdentifierKind,
    Match,
    Outcome,
    Right,
)
from services import dossier
from services.byhand import ByHand
from services.contacts import recipient_of
from services.controllers import Controllers
from services.errands import Errands
from services.filing import Filing
from services.planning import RECIPIENT
from services.ports import (
    Also,
    Attachment,
    Clock,
    Identifier,
    Record,
    Result,
    Vault,
)
from services.recipients import known_names
from services.register import Register, again_on_conflict

HANDLED_AS = {
    Right.RECTIFICATION: Outcome.RECTIFIED,
    Right.RESTRICTION: Outcome.RESTRICTED,
}
NOTHING_REASONS = ("searched-nothing-held", "already-erased", "not-in-use")
BY_LINK = "answered-by-link"


class ErrandAnswers:
    """Records answers; whose they are is an id."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        errands: Errands,
        byhand: ByHand,
        filing: Filing,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._errands, self._byhand, self._filing = errands, byhand, filing
        self._clock = clock

    def found(
        self, errand_id: UUID, records: Sequence[Record], *, document: Attachment | None = None
    ) -> None:
        """What was found there; the handler sees whose it is, as with any search by hand."""
        errand = self._asked(errand_id, Action.FIND)
        if not records:
            raise DomainError(
                "describe what you found, or say that there is nothing", key="found-or-nothing"
            )
        self._answer(
            errand,
            ErrandAnswer.FOUND,
            lambda: self._byhand.found(
                errand.request_id,
                errand.system,
                records,
                reason="searched-by-hand",
                by=holder_name(errand.holder),
            ),
            document=document,
        )

    def nothing_held(self, errand_id: UUID, *, reason: str) -> None:
        """Nothing is there, or nothing any more; which of the two is said."""
        errand = self._asked(errand_id)
        if reason not in NOTHING_REASONS:
            raise DomainError("choose why there is nothing", key="why-nothing")
        by = holder_name(errand.holder)
        if errand.action is Action.ERASE:
            raise DomainError("say record by record what was done", key="say-each-record")
        if errand.action is Action.FIND:
            self._answer(
                errand,
                ErrandAnswer.NOTHING_HELD,
                lambda: self._byhand.found(
                    errand.request_id, errand.system, [], reason=reason, by=by
                ),
            )
            return
        self._whole(errand, ErrandAnswer.NOTHING_HELD, Outcome.NOT_FOUND, reason)

    def erased(
        self, errand_id: UUID, results: Mapping[UUID, Result], *, looked_again: bool
    ) -> None:
        """What became of each record, after a second look."""
        errand = self._asked(errand_id, Action.ERASE)
        for result in results.values():
            _require_sayable(result, self._profile(errand))
        kept = [one for one in results.values() if one.outcome is Outcome.KEPT]
        self._answer(
            errand,
            ErrandAnswer.KEPT if kept else ErrandAnswer.DONE,
            lambda: self._byhand.erased(
                errand.request_id,
                errand.system,
                results,
                looked_again=looked_again,
                by=holder_name(errand.holder),
            ),
            ground=kept[0].ground if kept else None,
            until=kept[0].until if kept else None,
        )

    def all_erased(self, errand_id: UUID, *, looked_again: bool) -> None:
        """Every record that was to be erased is: for whoever answers many at once."""
        errand = self._asked(errand_id, Action.ERASE)
        state = self._register.fulfilment(errand.request_id).systems[errand.system]
        self.erased(
            errand_id,
            {
                one.record_id: Result(
                    Outcome.ANONYMISED if one.decision is Decision.ANONYMISE else Outcome.ERASED
                )
                for one in state.decisions
                if one.touches_the_system
            },
            looked_again=looked_again,
        )

    def done(self, errand_id: UUID) -> None:
        """Stopped, taken note of and passed on, or done as it was asked."""
        errand = self._asked(errand_id)
        if errand.action in {Action.FIND, Action.ERASE}:
            raise DomainError("say what was found or erased", key="say-each-record")
        self._whole(errand, ErrandAnswer.DONE, self._outcome(errand), BY_LINK)

    def kept(self, errand_id: UUID, *, ground: str, until: date | None, words: str) -> None:
        """A recipient keeps what it got, on a ground of its own and until a day."""
        errand = self._asked(errand_id, Action.INFORM)
        result = Result(Outcome.KEPT, ground=ground, until=until, words=words)
        _require_sayable(result, self._profile(errand))
        self._whole(errand, ErrandAnswer.KEPT, Outcome.INFORMED, BY_LINK, result=result)

    @again_on_conflict
    def disown(self, errand_id: UUID, words: str) -> None:
        """Not me: who it is instead goes to the handler, and to nobody else."""
        words = words.strip()[:500]
        if not words:
            raise DomainError("say who can answer, or that you do not know", key="who-instead")
        errand = self._asked(errand_id)
        now = self._clock()
        by = holder_name(errand.holder)
        sealed = dossier.seal_note(self._vault, errand.case_id, words, by, now)
        errand.disown(note=sealed.ref, at=now)
        self._register.save_all([errand], [*sealed.also, self._errands.book.keep(errand)])

    def _asked(self, errand_id: UUID, *actions: Action) -> Errand:
        errand = self._register.errand(errand_id)
        if not errand.is_open:
            raise NotAllowedNow("this has been answered already", key="link-ended")
        if actions and errand.action not in actions:
            raise DomainError("that is not what was asked here", key="not-asked")
        return errand

    def _profile(self, errand: Errand) -> Profile:
        return self._controllers.in_force(errand.controller)

    def _outcome(self, errand: Errand) -> Outcome:
        if errand.action is Action.HANDLE:
            right = self._register.request(errand.request_id).right
            return HANDLED_AS.get(right, Outcome.MANUAL)
        return {Action.SUPPRESS: Outcome.SUPPRESSED}.get(errand.action, Outcome.INFORMED)

    def _whole(
        self,
        errand: Errand,
        said: ErrandAnswer,
        outcome: Outcome,
        reason: str,
        *,
        result: Result | None = None,
    ) -> None:
        """An answer for a line as a whole; one with several to tell waits for each of them."""
        by = holder_name(errand.holder)

        def record() -> None:
            if self._is_last(errand):
                self._byhand.done(
                    errand.request_id,
                    errand.system,
                    outcome=self._of_all(errand, outcome),
                    reason=reason,
                    by=by,
                )
            else:
                self._register.save_all([])

        self._answer(
            errand,
            said,
            record,
            ground=result.ground if result else None,
            until=result.until if result else None,
            words=result.words if result else "",
        )

    def _is_last(self, errand: Errand) -> bool:
        """Whether everybody whom this line's records name has answered, but for this one."""
        if not errand.system.startswith(RECIPIENT):
            return True
        profile = self._profile(errand)
        recipient = recipient_of(profile, errand.system)
        if recipient is not None and recipient.sector is not Sector.ORGANISER:
            return True
        request = self._register.request(errand.request_id)
        named = {name for one in self._errands.records_of(request) for name in one.recipients}
        told: set[str] = set()
        for one in self._errands.of_line(errand.request_id, errand.system):
            contact = self._errands.contact_of(one)
            if contact is not None and (one.said is not None or one.id == errand.id):
                told.update(contact.names)
        return named - known_names(profile) <= told

    def _of_all(self, errand: Errand, outcome: Outcome) -> Outcome:
        """Informed, where anybody was; only if nobody held anything it is not-found."""
        lines = self._errands.of_line(errand.request_id, errand.system)
        if errand.action is Action.INFORM and any(
            one.said not in {None, ErrandAnswer.NOTHING_HELD} for one in lines
        ):
            return Outcome.INFORMED
        return outcome

    def _answer(
        self,
        errand: Errand,
        said: ErrandAnswer,
        record: Callable[[], None],
        *,
        ground: str | None = None,
        until: date | None = None,
        words: str = "",
        document: Attachment | None = None,
    ) -> None:
        """Save what was answered with the event that it was; then the link opens nothing more."""
        by, note = holder_name(errand.holder), None
        also: list[Also] = []
        if words:
            now = self._clock()
            sealed = dossier.seal_note(self._vault, errand.case_id, words, by, now)
            note, also = sealed.ref, list(sealed.also)
        put_in = (
            self._filing.prepared(errand.case_id, document, kind=FileKind.OTHER, by=by)
            if document is not None
            else None
        )
        if put_in is not None:
            also += put_in.also

        def beside() -> list[Aggregate]:
            fresh = self._register.errand(errand.id)
            fresh.answer(said=said, ground=ground, until=until, note=note, at=self._clock())
            return [fresh, *([self._filing.with_file(put_in)] if put_in is not None else [])]

        def make() -> list[Also]:
            saving = self._register.saving[errand.id]
            assert isinstance(saving, Errand)
            return [*also, *self._errands.ending(saving)]

        try:
            with self._register.joining(make, beside):
                record()
        except NotAllowedNow:
            if not self._errands.still_waits(errand):
                self._errands.end_elsewhere(errand)
                raise NotAllowedNow(
                    "somebody has answered this in the meantime: nothing more is needed",
                    key="answered-meanwhile",
                ) from None
            raise


def matched_by(person: Sequence[Identifier], kind: IdentifierKind) -> Match:
    """What somebody's word makes of a match: a name never opens anything, whoever says it."""
    if kind is IdentifierKind.NAME:
        return Match.SAME_NAME
    if any(one.kind is kind and one.verified for one in person):
        return Match.VERIFIED_IDENTIFIER
    return Match.UNVERIFIED_IDENTIFIER


def _require_sayable(result: Result, profile: Profile) -> None:
    """What a holder may say of one record; refusing and claims need a person of the controller."""
    if result.outcome is Outcome.REFUSED or result.ground == LEGAL_CLAIM:
        raise DomainError(
            "that needs the controller's decision: write to the handler with “not me, ask …”",
            key="not-by-link",
        )
    if result.outcome is Outcome.KEPT:
        if not result.ground:
            raise DomainError("say on which ground it is kept", key="why-kept")
        if result.until is None:
            raise DomainError("say until which day it is kept", key="until-when-kept")
