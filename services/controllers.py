"""Controllers and their profiles: which one is in force, and which was when a case began."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from threading import Lock

from domain.controller import Controller, DecidedFinding, FindingAnswer
from domain.errors import DomainError, NotAllowedNow
from domain.findings import Finding, check
from domain.policy import Profile
from domain.vocabulary import Severity
from services import dossier
from services.ports import Clock, Erased, Names, Vault
from services.register import Register, again_on_conflict

BY_DATA: Mapping[str, str] = {
    "channel_missing": "add an address under 'channels' to the profile and adopt it again",
}
"""Findings that no words settle: without an address there is nobody whom a letter could be from."""

ReadProfile = Callable[[bytes, str], Profile]
"""Reads a profile's document, given its bytes and the name for error messages."""
Admit = Callable[[Profile], None]
"""Refuses, with `DomainError`, a profile that this installation must not put in force."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was answered to a finding, by whom and when; whether the finding is still that one."""

    code: str
    answer: str
    words: str
    by: str
    at: datetime
    profile: str
    stands: bool


class Controllers:
    """The profiles of all controllers of this installation, by name and by digest."""

    def __init__(
        self,
        register: Register,
        names: Names,
        vault: Vault,
        clock: Clock,
        read: ReadProfile,
        admit: Admit = lambda _: None,
    ) -> None:
        self._register, self._names, self._vault = register, names, vault
        self._clock, self._read, self._admit = clock, read, admit
        self._profiles: dict[str, Profile] = {}
        self._lock = Lock()

    @again_on_conflict
    def adopt(self, document: bytes, *, name: str, by: str, admit: Admit | None = None) -> Profile:
        """Put a profile in force. One that the law forbids to load is refused, with reasons."""
        profile = self._read(document, name)
        (admit or self._admit)(profile)
        now = self._clock()
        fatal = [
            finding
            for finding in check(profile, now.date())
            if finding.severity is Severity.REFUSE_TO_LOAD
        ]
        if fatal:
            raise DomainError(
                "the profile cannot be used: " + "; ".join(f"{f.code} ({f.where})" for f in fatal)
            )
        controller = self._register.find_controller(profile.id) or Controller(
            name=profile.id, timestamp=now
        )
        controller.adopt_profile(
            version=profile.version,
            digest=profile.digest,
            document=document.decode(),
            by=by,
            at=now,
        )
        self._register.save_all([controller], [self._names.add(profile.id)])
        self._profiles[profile.digest] = profile
        return profile

    def in_force(self, name: str) -> Profile:
        controller = self._known(name)
        if controller.in_force is None:
            raise DomainError(f"controller {name!r} has no profile in force: adopt one")
        return self.version(name, controller.in_force)

    def at_receipt(self, name: str, received_at: datetime) -> Profile:
        """The profile in force when something arrived: its promise and grounds are kept (AK-27)."""
        digest = self._known(name).in_force_at(received_at)
        return self.in_force(name) if digest is None else self.version(name, digest)

    def version(self, name: str, digest: str) -> Profile:
        """The profile with this digest, whether it is still in force or not."""
        if digest in self._profiles:
            return self._profiles[digest]
        document = self._known(name).documents.get(digest)
        if document is None:
            raise DomainError(f"controller {name!r} never had that profile")
        # Everybody asks when a process begins; one reads, the others wait for it.
        with self._lock:
            if digest not in self._profiles:
                self._profiles[digest] = self._read(document.encode(), name)
            return self._profiles[digest]

    def terms(self, name: str, digest: str) -> Profile:
        """What a request is decided by: promise, grounds and periods of its receipt (AK-27).

        Systems are the ones of today, and so is what the earlier profile had no word for.
        """
        then, now = self.version(name, digest), self.in_force(name)
        if then.digest == now.digest:
            return then
        categories = {category.id for category in then.categories}
        purposes = {purpose.id for purpose in then.purposes}
        return replace(
            then,
            systems=now.systems,
            categories=(*then.categories, *(c for c in now.categories if c.id not in categories)),
            purposes=(*then.purposes, *(p for p in now.purposes if p.id not in purposes)),
        )

    def document(self, name: str) -> str:
        """The text of the profile in force, as it was adopted."""
        controller = self._known(name)
        if controller.in_force is None:
            raise DomainError(f"controller {name!r} has no profile in force: adopt one")
        return controller.documents[controller.in_force]

    def adoptions(self, name: str) -> tuple[tuple[datetime, str], ...]:
        """When which profile came into force, by its digest; the earliest first."""
        return self._known(name).adoptions

    def names(self) -> tuple[str, ...]:
        """Every controller that has ever had a profile here."""
        return self._names.all()

    def findings(self, name: str, on: date) -> tuple[Finding, ...]:
        """What is still open about the profile in force: decided findings are left out.

        What only data can settle stays open until a profile says it.
        """
        controller = self._known(name)
        found = check(self.in_force(name), on)
        return tuple(
            finding
            for finding in found
            if finding.code in BY_DATA or not _stands(controller, finding.code, found)
        )

    def decisions(self, name: str, on: date) -> tuple[Decision, ...]:
        """What was decided about findings, the newest first; one that no longer stands too."""
        controller = self._known(name)
        found = check(self.in_force(name), on)
        made = [
            Decision(
                code=code,
                answer=decided.answer if decided.words else FindingAnswer.DECIDED.value,
                words=self._words(decided),
                by=decided.by,
                at=decided.at,
                profile=decided.profile,
                stands=_stands(controller, code, found),
            )
            for code, decided in controller.decided.items()
        ]
        return tuple(sorted(made, key=lambda one: one.at, reverse=True))

    @again_on_conflict
    def decide_finding(
        self,
        name: str,
        *,
        code: str,
        decision: str,
        by: str,
        answer: FindingAnswer = FindingAnswer.DECIDED,
    ) -> None:
        """Record an answer to a finding, with its reason in words, for as long as it is that one.

        The words may name people, so they are sealed; the same decision again changes nothing.
        """
        controller, now = self._known(name), self._clock()
        found = check(self.in_force(name), now.date())
        if code not in {finding.code for finding in found}:
            raise DomainError(f"there is no finding {code!r} about {name!r}")
        if code in BY_DATA:
            raise DomainError(f"{code!r} about {name!r} is not for deciding: {BY_DATA[code]}")
        if not decision.strip():
            raise DomainError(
                "a finding is decided in words: say what was decided, and why", key="words-needed"
            )
        before = controller.decided.get(code)
        said = before is not None and before.answer == answer.value and before.by == by
        if said and before and _stands(controller, code, found) and self._words(before) == decision:
            return
        sealed = dossier.seal_note(self._vault, controller.id, decision, by, now)
        controller.decide_finding(
            code=code,
            answer=answer,
            words=sealed.ref,
            about=_about(code, found),
            by=by,
            at=now,
        )
        self._register.save_all([controller], sealed.also)

    def require_letters_allowed(self, name: str) -> None:
        """A finding that leaves open who is writing to the person stops every letter (AK-01)."""
        blocking = [
            finding.code
            for finding in self.findings(name, self._clock().date())
            if finding.severity is Severity.BLOCK_LETTERS
        ]
        if blocking:
            raise NotAllowedNow(
                f"no letter may leave for {name!r} before somebody decides: {', '.join(blocking)}",
                key="findings-block-letters",
                findings=", ".join(blocking),
            )

    def require_cases_allowed(self, name: str) -> None:
        """Some questions about a profile have to be decided before the first case under it."""
        blocking = [
            finding.code
            for finding in self.findings(name, self._clock().date())
            if finding.severity is Severity.DECIDE_FIRST
        ]
        for code in blocking:
            if code in BY_DATA:
                raise NotAllowedNow(f"{code} stops every case of {name!r}: {BY_DATA[code]}")
        if blocking:
            raise NotAllowedNow(
                f"decide these findings about {name!r} before you confirm a case: "
                + ", ".join(blocking),
                key="findings-first",
                findings=", ".join(blocking),
            )

    def _words(self, decided: DecidedFinding) -> str:
        if decided.words is None:
            return decided.answer
        try:
            return dossier.note_in(self._vault, decided.words)
        except Erased:
            return ""

    def _known(self, name: str) -> Controller:
        controller = self._register.find_controller(name)
        if controller is None:
            raise DomainError(
                f"there is no controller {name!r}: adopt a profile with that id first"
            )
        return controller


def _about(code: str, found: Sequence[Finding]) -> str:
    """A digest of what a code is about: other words of the policy make another question of it."""
    asked = sorted(f"{one.what}\n{one.quote or ''}" for one in found if one.code == code)
    return sha256("\n\n".join(asked).encode()).hexdigest()[:32]


def _stands(controller: Controller, code: str, found: Sequence[Finding]) -> bool:
    """Whether a decision was made about just this; what is older than digests stays decided."""
    decided = controller.decided.get(code)
    return decided is not None and decided.about in {"", _about(code, found)}
