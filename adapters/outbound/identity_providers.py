"""The identity providers of every controller, set up by `TRETTIO_EID__<CONTROLLER>__<PROVIDER>__…`.

`CLIENT_ID` switches one on; `CLIENT_SECRET` or `PRIVATE_KEY` (or `…_FILE`) shows who we are;
`ISSUER` names another instance of it, for a test or a broker.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping

from adapters.outbound.oidc import Client, RelyingParty, new_secret, words_of
from domain.errors import NotAllowedNow
from domain.identity_providers import IdentityProvider, identity_providers
from domain.policy import Profile
from services.ports import Begun, NotSetUp, ProofRefused, Vouched

RETURN_PATH = "/prove/eid/back"

Said = Callable[[str, str], Mapping[str, str]]
"""What the environment says about one provider of one controller."""


class ConfiguredProviders:
    """Keeps `services.ports.Providers`."""

    def __init__(self, said: Said, *, address: str) -> None:
        self._said, self._redirect_uri = said, address.rstrip("/") + RETURN_PATH
        self._made: dict[tuple[str, str], tuple[Mapping[str, str], RelyingParty]] = {}
        self._lock = threading.Lock()

    def on_offer(self, profile: Profile) -> tuple[IdentityProvider, ...]:
        return tuple(
            provider
            for provider in identity_providers().values()
            if provider.may_serve(profile.body_type)
            and self._said(profile.id, provider.id).get("client_id")
        )

    def begin(self, profile: Profile, provider: str, *, language: str) -> tuple[Begun, bytes]:
        secret = new_secret()
        words = words_of(secret)
        address = self._party(profile, provider).address(words, language=language)
        return Begun(address, secret), self.digest(secret, words.state)

    def digest(self, secret: str, state: str) -> bytes:
        expected = words_of(secret).state
        if not hmac.compare_digest(expected.encode(), state.encode(errors="replace")):
            raise ProofRefused("state")
        return hashlib.sha256(expected.encode()).digest()

    def vouched(
        self, profile: Profile, provider: str, *, secret: str, code: str, issuer: str | None
    ) -> Vouched:
        return self._party(profile, provider).vouched(code, words_of(secret), said_issuer=issuer)

    def _party(self, profile: Profile, provider_id: str) -> RelyingParty:
        provider = identity_providers().get(provider_id)
        if provider is None or not provider.may_serve(profile.body_type):
            raise NotAllowedNow("this controller may not use that provider: choose another way")
        said = self._said(profile.id, provider_id)
        if not said.get("client_id"):
            raise NotSetUp(f"no client of {provider_id} is set up")
        with self._lock:
            made = self._made.get((profile.id, provider_id))
            if made is None or made[0] != said:
                party = RelyingParty(
                    provider,
                    Client(said["client_id"], said.get("client_secret"), said.get("private_key")),
                    redirect_uri=self._redirect_uri,
                    issuer=said.get("issuer"),
                )
                made = self._made[profile.id, provider_id] = (dict(said), party)
        return made[1]
