"""What systems and categories are called on the page of a case, by the profile and the reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.inbound.web.look import Look
from domain.policy import Category, LegalBasis, Profile, System
from services.contacts import recipient_of, system_of
from services.planning import OTHER_RECIPIENTS, RECIPIENT
from services.wording import in_language


@dataclass(frozen=True, slots=True)
class Names:
    """The words of one profile for one reader."""

    profile: Profile
    look: Look

    def text(self, text: Mapping[Any, str]) -> str:
        return in_language(text, self.look.language, self.profile)

    def known(self, system: str) -> System | None:
        return next((one for one in self.profile.systems if one.id == system), None)

    def system(self, name: str) -> str:
        known = self.known(name)
        if known is not None:
            return known.name
        wanted = name.removeprefix(RECIPIENT)
        if wanted == OTHER_RECIPIENTS:
            return self.look.say("recipients.others")
        return next((r.name for r in self.profile.recipients if r.id == wanted), name)

    def category(self, category: str) -> str:
        known = next((one for one in self.profile.categories if one.id == category), None)
        return self.text(known.name) if known else self.look.say("record.unmapped")

    def answers_by_link(self, line: str) -> bool:
        """Whether the profile says who could be asked about a line by a link."""
        system, recipient = system_of(self.profile, line), recipient_of(self.profile, line)
        if system is not None:
            return system.answers_at is not None
        return recipient is not None and bool(recipient.answers_at or recipient.organisers)

    def kinds(self, system: System | None) -> Iterator[tuple[str, str]]:
        """The sorts of record that a system holds, with what they are called."""
        for holding in system.holdings if system else ():
            yield holding.kind, self.category(holding.category)

    def anchors(self, system: System | None) -> tuple[str, ...]:
        """The days from which something in the system is reckoned."""
        named = [anchor for one in self._held(system) for anchor in one.retention.anchors]
        vouchers = any(holding.voucher for holding in (system.holdings if system else ()))
        consents = any(
            LegalBasis.CONSENT in self.profile.bases(category) for category in self._held(system)
        )
        more = [*(["voucher"] if vouchers else []), *(["consent_given"] if consents else [])]
        return tuple(dict.fromkeys([*named, *more]))

    def flags(self, system: System | None) -> tuple[str, ...]:
        """The facts that keep something in the system open."""
        named = [flag for one in self._held(system) for flag in one.retention.open_while]
        return tuple(dict.fromkeys(named))

    def _held(self, system: System | None) -> list[Category]:
        holdings = system.holdings if system else ()
        return [self.profile.category(holding.category) for holding in holdings]
