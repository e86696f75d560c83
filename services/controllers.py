"""Controllers and their profiles: which one is in force, and which was when a case began."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from threading import Lock

from domain.controller import Controller
from domain.errors import DomainError, NotAllowedNow
from domain.findings import Finding, check
from domain.policy import Profile
from domain.vocabulary import Severity
from services.ports import Clock, Names
from services.register import Register, again_on_conflict

BY_DATA: Mapping[str, str] = {
    "channel_missing": "add an address under 'channels' to the profile and adopt it again",
}
"""Findings that no words settle: without an address there is nobody whom a letter could be from."""

ReadProfile = Callable[[bytes, str], Profile]
"""Reads a profile's document, given its bytes and the name for error messages."""


class Controllers:
    """The profiles of all controllers of this installation, by name and by digest."""

    def __init__(self, register: Register, names: Names, clock: Clock, read: ReadProfile) -> None:
        self._register, self._names = register, names
        self._clock, self._read = clock, read
        self._profiles: dict[str, Profile] = {}
        self._lock = Lock()

    @again_on_conflict
    def adopt(self, document: bytes, *, name: str, by: str) -> Profile:
        """Put a profile in force. One that the law forbids to load is refused, with reasons."""
        profile = self._read(document, name)
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

    def names(self) -> tuple[str, ...]:
        """Every controller that has ever had a profile here."""
        return self._names.all()

    def findings(self, name: str, on: date) -> tuple[Finding, ...]:
        """What is still open about the profile in force: decided findings are left out.

        What only data can settle stays open until a profile says it.
        """
        decided = self._known(name).decided
        return tuple(
            finding
            for finding in check(self.in_force(name), on)
            if finding.code not in decided or finding.code in BY_DATA
        )

    @again_on_conflict
    def decide_finding(self, name: str, *, code: str, decision: str, by: str) -> None:
        controller = self._known(name)
        known = {finding.code for finding in check(self.in_force(name), self._clock().date())}
        if code not in known:
            raise DomainError(f"there is no finding {code!r} about {name!r}")
        if code in BY_DATA:
            raise DomainError(f"{code!r} about {name!r} is not for deciding: {BY_DATA[code]}")
        controller.decide_finding(code=code, decision=decision, by=by, at=self._clock())
        self._register.save_all([controller])

    def require_letters_allowed(self, name: str) -> None:
        """A finding that leaves open who is writing to the person stops every letter (AK-01)."""
        blocking = [
            finding.code
            for finding in self.findings(name, self._clock().date())
            if finding.severity is Severity.BLOCK_LETTERS
        ]
        if blocking:
            raise NotAllowedNow(
                f"no letter may leave for {name!r} before somebody decides: {', '.join(blocking)}"
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
                + ", ".join(blocking)
            )

    def _known(self, name: str) -> Controller:
        controller = self._register.find_controller(name)
        if controller is None:
            raise DomainError(
                f"there is no controller {name!r}: adopt a profile with that id first"
            )
        return controller
