"""A standard relying party: against a real provider, and against one that lies (law B.2.8, B.4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.outbound.identity_providers import ConfiguredProviders
from adapters.outbound.oidc import Client, RelyingParty, new_secret, words_of
from domain.errors import NotAllowedNow
from domain.identity_providers import (
    Assurance,
    Authentication,
    IdentityProvider,
    NotSureEnough,
    identity_providers,
)
from domain.policy import BodyType
from domain.vocabulary import IdentifierKind
from services.ports import ProofRefused, Unavailable
from tests.support.forger import CLIENT, Forger, forger, new_key
from tests.support.oidc import REDIRECT, OpenIdProvider, open_id_provider, query_of
from tests.support.profiles import fictional_profile

PROVIDERS = identity_providers()
SECRET = "the browser's own"
WORDS = words_of(SECRET)


@pytest.fixture(scope="session")
def provider() -> Iterator[OpenIdProvider]:
    with open_id_provider() as running:
        yield running


@pytest.fixture(scope="module")
def liar() -> Iterator[Forger]:
    with forger() as running:
        yield running


@pytest.fixture
def lies(liar: Forger) -> Forger:
    liar.claims = {"nonce": WORDS.nonce}
    liar.metadata, liar.unsigned, liar.symmetric = {}, False, False
    liar.shown = [liar.key]
    return liar


def party(said: IdentityProvider, client: Client, issuer: str, **more: Any) -> RelyingParty:
    return RelyingParty(said, client, redirect_uri=REDIRECT, issuer=issuer, **more)


def towards(liar: Forger, **more: Any) -> RelyingParty:
    return party(PROVIDERS["bankid"], Client(CLIENT, "s"), liar.issuer, **more)


# Against a real provider


def clients(running: OpenIdProvider) -> dict[str, Client]:
    return {
        "vipps": Client("basic", "s3cret +/%"),
        "bankid": Client("post", "s3cret"),
        "id-porten": Client("key", private_key=running.private_key),
    }


@pytest.mark.parametrize("name", ["vipps", "bankid", "id-porten"])
def test_a_person_is_vouched_for_once(provider: OpenIdProvider, name: str) -> None:
    """B.2.8, B.4: code flow with PKCE, state and nonce, by each way of saying who we are."""
    said = replace(PROVIDERS[name], userinfo=name == "vipps")
    relying = party(said, clients(provider)[name], provider.issuer)
    secret = new_secret()
    words = words_of(secret)
    acr = (*said.acr_values, "")[0]
    provider.next(acr=acr, name="Kari Testesen", pid="01817499100", nnin_altsub="01817499100")

    query = query_of(provider.sign_in(relying.address(words, language="nb")))

    assert query["state"] == words.state
    vouched = relying.vouched(query["code"], words, said_issuer=query["iss"])
    assert vouched.subject == f"{provider.issuer}\nsomebody"
    assert said.assurance(vouched.acr) is (said.without_acr or said.acr[acr])
    assert dict(said.identifiers(vouched.claims))
    with pytest.raises(ProofRefused, match="code"):
        relying.vouched(query["code"], words, said_issuer=query["iss"])  # replayed


def test_a_code_is_worth_nothing_without_the_secret_of_its_browser(
    provider: OpenIdProvider,
) -> None:
    """PKCE: somebody who reads the address on its way back has nothing (RFC 7636)."""
    relying = party(PROVIDERS["bankid"], clients(provider)["bankid"], provider.issuer)
    provider.next(acr="urn:bankid:bid")
    query = query_of(provider.sign_in(relying.address(words_of("mine"), language="nb")))

    with pytest.raises(ProofRefused, match="code"):
        relying.vouched(query["code"], words_of("a thief's"), said_issuer=query["iss"])


def test_the_provider_says_that_the_person_turned_back(provider: OpenIdProvider) -> None:
    relying = party(PROVIDERS["bankid"], clients(provider)["bankid"], provider.issuer)
    provider.next(error="access_denied")

    query = query_of(provider.sign_in(relying.address(words_of("x"), language="nb")))

    assert query["error"] == "access_denied"


# Against one that lies


def test_an_honest_answer_is_believed(lies: Forger) -> None:
    assert towards(lies).vouched("code", WORDS, said_issuer=None).claims["sub"] == "somebody"


FORGED: dict[str, tuple[str, Callable[[Forger], object]]] = {
    "another nonce": ("nonce", lambda f: f.claims.update(nonce="another")),
    "no nonce": ("nonce", lambda f: f.claims.update(nonce=None)),
    "for another client": ("audience", lambda f: f.claims.update(aud="another")),
    "for nobody": ("audience", lambda f: f.claims.update(aud=None)),
    "for several, by nobody": ("audience", lambda f: f.claims.update(aud=[CLIENT, "another"])),
    "got by another": ("audience", lambda f: f.claims.update(azp="another")),
    "another issuer": ("issuer", lambda f: f.claims.update(iss="https://evil.example")),
    "expired": ("expired", lambda f: f.claims.update(exp=int(time.time()) - 120)),
    "never expires": ("expired", lambda f: f.claims.update(exp=None)),
    "made long ago": ("expired", lambda f: f.claims.update(iat=int(time.time()) - 3600)),
    "made in future": ("expired", lambda f: f.claims.update(iat=int(time.time()) + 3600)),
    "of nobody": ("subject", lambda f: f.claims.update(sub="")),
    "alg none": ("signature", lambda f: setattr(f, "unsigned", True)),
    "signed with the public key": ("signature", lambda f: setattr(f, "symmetric", True)),
    "a stranger's key": ("signature", lambda f: setattr(f, "shown", [new_key("first")])),
}


@pytest.mark.parametrize("lie", FORGED)
def test_a_forged_token_proves_nothing(lies: Forger, lie: str) -> None:
    """OIDC Core 3.1.3.7: issuer, audience, party, times, nonce and signature, each by itself."""
    reason, forge = FORGED[lie]
    forge(lies)

    with pytest.raises(ProofRefused, match=reason):
        towards(lies).vouched("code", WORDS, said_issuer=None)


def test_an_answer_of_another_provider_is_not_exchanged(lies: Forger) -> None:
    """RFC 9207: the code of one provider is not carried to another."""
    with pytest.raises(ProofRefused, match="issuer"):
        towards(lies).vouched("code", WORDS, said_issuer="https://evil.example")
    lies.metadata = {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(ProofRefused, match="issuer"):
        towards(lies).vouched("code", WORDS, said_issuer=None)


def test_a_provider_may_change_its_keys(lies: Forger) -> None:
    """A key that is not known yet is looked up once more, but not as often as anybody wishes."""
    now = [time.time()]
    relying = towards(lies, clock=lambda: now[0])
    relying.vouched("code", WORDS, said_issuer=None)
    old, lies.key = lies.key, new_key("second")
    lies.shown = [lies.key]
    before = lies.asked_for_keys

    with pytest.raises(ProofRefused, match="signature"):
        relying.vouched("code", WORDS, said_issuer=None)
    assert lies.asked_for_keys == before
    now[0] += 31
    relying.vouched("code", WORDS, said_issuer=None)
    assert lies.asked_for_keys == before + 1
    lies.key = old


def test_nothing_is_sent_where_anybody_could_read_it(lies: Forger) -> None:
    lies.metadata = {"token_endpoint": "http://example.com/token"}

    with pytest.raises(ProofRefused, match="endpoint"):
        towards(lies).vouched("code", WORDS, said_issuer=None)


def test_a_provider_that_does_not_answer_is_away() -> None:
    relying = party(PROVIDERS["bankid"], Client(CLIENT, "s"), "http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        relying.address(WORDS, language="nb")


# What they are trusted with


@pytest.mark.parametrize("acr", ["idporten-loa-low", "urn:something:else", "", None, 4])
def test_too_little_or_unknown_assurance_proves_nothing(acr: object) -> None:
    """B.4: `acr` is mapped; a word that is not in the map is worth nothing."""
    with pytest.raises(NotSureEnough):
        PROVIDERS["id-porten"].assurance(acr)


def test_levels_are_what_the_providers_say() -> None:
    assert PROVIDERS["id-porten"].assurance("idporten-loa-high") is Assurance.HIGH
    assert PROVIDERS["freja"].assurance("loa3") is Assurance.SUBSTANTIAL
    with pytest.raises(NotSureEnough):
        PROVIDERS["freja"].assurance("loa2")
    assert PROVIDERS["id-porten"].authentication is Authentication.PRIVATE_KEY


def test_the_public_sectors_provider_serves_public_bodies_only() -> None:
    """B.4: ID-porten is for the public sector; a cinema is refused."""
    for body in BodyType:
        assert PROVIDERS["id-porten"].may_serve(body) is (body is BodyType.PUBLIC_BODY)
        assert PROVIDERS["vipps"].may_serve(body)


def test_an_address_that_the_provider_has_not_verified_is_hearsay() -> None:
    claims = {"email": "kari@person.example", "name": "Kari Testesen", "phone_number": ""}
    said = PROVIDERS["vipps"]

    assert dict(said.identifiers(claims)) == {IdentifierKind.NAME: "Kari Testesen"}
    verified = {**claims, "email_verified": True}
    assert IdentifierKind.EMAIL in dict(said.identifiers(verified))
    assert IdentifierKind.EMAIL not in dict(said.identifiers({**claims, "email_verified": "true"}))


def test_a_state_belongs_to_its_browser() -> None:
    """Whoever is sent somebody else's way back has not the secret that belongs to it."""
    providers = ConfiguredProviders(lambda *_: {}, address="https://trettio.example")
    providers.digest("mine", words_of("mine").state)
    with pytest.raises(ProofRefused, match="state"):
        providers.digest("mine", words_of("theirs").state)


def test_a_company_cannot_set_out_for_the_public_sectors_provider() -> None:
    providers = ConfiguredProviders(lambda *_: {"client_id": "x"}, address="https://x.example")
    company = fictional_profile(body_type=BodyType.COMPANY)
    assert company.body_type is not BodyType.PUBLIC_BODY
    assert "id-porten" not in {one.id for one in providers.on_offer(company)}
    with pytest.raises(NotAllowedNow, match="may not use"):
        providers.begin(company, "id-porten", language="nb")
