"""Electronic identity: the person is vouched for elsewhere, and only what that proves is opened.

Of what the provider says nothing stays but who it was (as a keyed digest), how surely and when; a
national number is matched with and dropped (B.4, E-10). Other ways are always offered beside it.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import NamedTuple
from uuid import UUID

import structlog

from domain.case import Case
from domain.errors import DomainError
from domain.identity_providers import IdentityProvider
from services.controllers import Controllers
from services.identity import Identity
from services.ports import (
    Attempt,
    Attempts,
    Begun,
    ProofRefused,
    Providers,
    Refused,
    Unavailable,
)
from services.register import Register

VALID_FOR = timedelta(minutes=10)
CANCELLED = frozenset({"access_denied", "login_required", "interaction_required"})
"""What a provider answers when the person turned back; that proves nothing either way."""

log = structlog.get_logger()


class Back(Enum):
    """How somebody came back from a provider."""

    PROVEN = "proven"
    CANCELLED = "cancelled"
    FAILED = "failed"
    AWAY = "away"


class Returned(NamedTuple):
    how: Back
    case_id: UUID | None


class ElectronicIdentity:
    """There and back again: to a provider that vouches for the person."""

    def __init__(
        self,
        register: Register,
        controllers: Controllers,
        identity: Identity,
        providers: Providers,
        attempts: Attempts,
    ) -> None:
        self._register, self._controllers, self._identity = register, controllers, identity
        self._providers, self._attempts = providers, attempts

    def on_offer(self, case: Case) -> tuple[IdentityProvider, ...]:
        return self._providers.on_offer(self._controllers.in_force(case.controller))

    def begin(self, case_id: UUID, provider: str, *, language: str) -> Begun:
        """Set out; raises `Unavailable` or `Refused` where the provider cannot be reached."""
        case = self._register.case(case_id)
        profile = self._controllers.in_force(case.controller)
        begun, digest = self._providers.begin(profile, provider, language=language)
        self._attempts.begin(digest, Attempt(case_id, provider), valid_for=VALID_FOR)
        return begun

    def finish(
        self, secret: str, *, state: str, code: str, error: str, issuer: str | None
    ) -> Returned:
        """Come back, once: with a code to be exchanged, or with the provider's excuse."""
        try:
            attempt = self._attempts.take(self._providers.digest(secret, state))
        except ProofRefused:
            attempt = None
        if attempt is None:
            return Returned(Back.FAILED, None)
        if error:
            log.info("provider_declined", provider=attempt.provider, known=error in CANCELLED)
            how = Back.CANCELLED if error in CANCELLED else Back.AWAY
            return Returned(how, attempt.case_id)
        return Returned(self._proven(attempt, secret, code, issuer), attempt.case_id)

    def _proven(self, attempt: Attempt, secret: str, code: str, issuer: str | None) -> Back:
        case = self._register.case(attempt.case_id)
        profile = self._controllers.in_force(case.controller)
        provider = next(
            (one for one in self._providers.on_offer(profile) if one.id == attempt.provider), None
        )
        if provider is None:
            return Back.AWAY
        try:
            vouched = self._providers.vouched(
                profile, provider.id, secret=secret, code=code, issuer=issuer
            )
            assurance = provider.assurance(vouched.acr)
        except (Unavailable, Refused) as problem:
            log.warning("provider_failed", provider=provider.id, reason=problem.reason)
            return Back.AWAY
        except ProofRefused as refused:
            log.warning("proof_refused", provider=provider.id, reason=refused.reason)
            self._identity.proof_failed(case.id, provider.method, reason=f"proof-{refused.reason}")
            return Back.FAILED
        except DomainError:
            self._identity.proof_failed(case.id, provider.method, reason="proof-not-sure-enough")
            return Back.FAILED
        proven = self._identity.vouched_for(case.id, provider, vouched, assurance)
        return Back.PROVEN if proven else Back.FAILED
