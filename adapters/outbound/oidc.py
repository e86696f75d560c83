"""A standard OpenID Connect relying party: code flow with PKCE, state and nonce (OIDC Core 1.0).

Nothing a provider or a browser says is believed before it is checked: issuer, audience, times,
nonce and signature (RFC 8725), with algorithms of our choosing and keys of the provider's own.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from adapters.outbound.http import HttpClient, Response
from domain.identity_providers import Authentication, IdentityProvider
from services.ports import NotSetUp, ProofRefused, Vouched

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures with a key pair only: a shared secret proves nothing about who signed."""
LEEWAY_SECONDS = 60
OLDEST_SECONDS = 600
"""How long ago an ID token may have been made: ours is asked for and fetched at once."""
METADATA_SECONDS = 3600
KEYS_AT_MOST_EVERY_SECONDS = 30
ASSERTION_SECONDS = 60
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to a provider."""

    client_id: str
    secret: str | None = None
    private_key: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What one attempt is told by, all made from one secret that only the browser keeps."""

    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        return _b64(hashlib.sha256(self.verifier.encode()).digest())


def words_of(secret: str) -> Words:
    def word(what: str) -> str:
        return _b64(hmac.digest(secret.encode(errors="replace"), what.encode(), "sha256"))

    return Words(word("state"), word("nonce"), word("verifier"))


def new_secret() -> str:
    return secrets.token_urlsafe(32)


class RelyingParty:
    """One client of one provider. Safe to share between threads."""

    def __init__(
        self,
        provider: IdentityProvider,
        client: Client,
        *,
        redirect_uri: str,
        issuer: str | None = None,
        prompt: str = "login",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """With another `prompt` than `login` whoever is signed in there need not do it again."""
        self.provider, self._client, self._prompt = provider, client, prompt
        self._redirect_uri, self._clock = redirect_uri, clock
        self._issuer = issuer or provider.issuer
        self._lock = threading.Lock()
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, jwk.KeySet] | None = None

    # Going there

    def address(self, words: Words, *, language: str) -> str:
        """Where the browser goes to have the person vouched for."""
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(self.provider.scopes),
            "state": words.state,
            "nonce": words.nonce,
            "code_challenge": words.challenge,
            "code_challenge_method": "S256",
            "ui_locales": language,
        }
        if self._prompt:
            query["prompt"] = self._prompt
        if self.provider.acr_values:
            query["acr_values"] = " ".join(self.provider.acr_values)
        return f"{self._endpoint('authorization_endpoint')}?{urlencode(query)}"

    def leaving(self, back: str) -> str | None:
        """Where the browser goes to be signed out there too, where the provider offers that."""
        if not self._described().get("end_session_endpoint"):
            return None
        query = {"client_id": self._client.client_id, "post_logout_redirect_uri": back}
        return f"{self._endpoint('end_session_endpoint')}?{urlencode(query)}"

    # Coming back

    def vouched(self, code: str, words: Words, *, said_issuer: str | None) -> Vouched:
        """Whom the provider vouches for; raises `ProofRefused` for anything that does not hold."""
        metadata = self._described()
        wants_issuer = metadata.get("authorization_response_iss_parameter_supported") is True
        if (said_issuer is not None or wants_issuer) and said_issuer != metadata["issuer"]:
            raise ProofRefused("issuer")  # RFC 9207: somebody mixed two providers up
        tokens = self._exchange(code, words.verifier)
        claims = self._claims(tokens.get("id_token"), words.nonce)
        if self.provider.userinfo:
            claims = {**self._userinfo(tokens.get("access_token"), claims["sub"]), **claims}
        return Vouched(
            subject=f"{metadata['issuer']}\n{claims['sub']}",
            acr=claims.get("acr"),
            claims=claims,
        )

    def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        headers: dict[str, str] = {}
        endpoint = self._endpoint("token_endpoint")
        match self.provider.authentication:
            case Authentication.BASIC:
                headers["Authorization"] = _basic(self._client)
            case Authentication.POST:
                form |= {
                    "client_id": self._client.client_id,
                    "client_secret": self._client.secret or "",
                }
            case Authentication.PRIVATE_KEY:
                form |= {
                    "client_id": self._client.client_id,
                    "client_assertion_type": (
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                    ),
                    "client_assertion": self._assertion(),
                }
        answer = _call(endpoint, "POST", form=form, headers=headers, expect=(200, 400))
        if answer.status != 200:
            raise ProofRefused("code")  # used, foreign or too old
        return answer.object()

    def _assertion(self) -> str:
        """Who we are, signed with our own key (RFC 7523)."""
        key = _own_key(self._client.private_key or "")
        now = int(self._clock())
        header = {"alg": _algorithm(key), "kid": key.thumbprint()}
        claims = {
            "iss": self._client.client_id,
            "sub": self._client.client_id,
            "aud": self._described()["issuer"],
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        return jwt.encode(header, claims, key, algorithms=list(ALGORITHMS))

    # What it says

    def _claims(self, token: object, nonce: str) -> dict[str, Any]:
        claims = self._signed(token)
        now = self._clock()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != self._described()["issuer"]:
            raise ProofRefused("issuer")
        if self._client.client_id not in audiences:
            raise ProofRefused("audience")
        party = claims.get("azp")
        if party != self._client.client_id and (party is not None or len(audiences) > 1):
            raise ProofRefused("audience")
        expires, made = claims.get("exp"), claims.get("iat")
        if not isinstance(expires, int | float) or expires + LEEWAY_SECONDS < now:
            raise ProofRefused("expired")
        if not isinstance(made, int | float) or not (
            now - OLDEST_SECONDS <= made <= now + LEEWAY_SECONDS
        ):
            raise ProofRefused("expired")
        said = claims.get("nonce")
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
            raise ProofRefused("nonce")
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise ProofRefused("subject")
        return claims

    def _signed(self, token: object) -> dict[str, Any]:
        if not isinstance(token, str):
            raise ProofRefused("signature")
        for fresh in (False, True):  # keys are changed from time to time: then look once more
            try:
                decoded = jwt.decode(token, self._key_set(fresh=fresh), algorithms=list(ALGORITHMS))
            except (JoseError, ValueError, KeyError, TypeError) as error:
                refused = type(error).__name__
                continue
            return dict(decoded.claims)
        raise ProofRefused("signature") from ValueError(refused)

    def _userinfo(self, access: object, subject: str) -> dict[str, Any]:
        if not isinstance(access, str):
            raise ProofRefused("code")
        headers = {"Authorization": f"Bearer {access}"}
        claims = _call(self._endpoint("userinfo_endpoint"), headers=headers).object()
        if claims.get("sub") != subject:
            raise ProofRefused("subject")
        return claims

    # The provider itself

    def _described(self) -> dict[str, Any]:
        with self._lock:
            if self._metadata is not None and self._metadata[0] > self._clock():
                return self._metadata[1]
        base = self._issuer.rstrip("/")
        found = _call(f"{base}/.well-known/openid-configuration").object()
        if found.get("issuer") != self._issuer:
            raise ProofRefused("issuer")
        with self._lock:
            self._metadata = (self._clock() + METADATA_SECONDS, found)
        return found

    def _endpoint(self, name: str) -> str:
        address = str(self._described().get(name, ""))
        parts = urlsplit(address)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ProofRefused("endpoint")
        return address

    def _key_set(self, *, fresh: bool) -> jwk.KeySet:
        now = self._clock()
        with self._lock:
            known = self._keys
        if known is not None and (not fresh or known[0] + KEYS_AT_MOST_EVERY_SECONDS > now):
            return known[1]
        found = _call(self._endpoint("jwks_uri")).object()
        keys = jwk.KeySet.import_key_set(found)  # type: ignore[arg-type]
        with self._lock:
            self._keys = (now, keys)
        return keys


def _call(address: str, method: str = "GET", **what: Any) -> Response:
    parts = urlsplit(address)
    http = HttpClient(f"{parts.scheme}://{parts.netloc}", connections=1)
    try:
        return http.request(method, parts.path or "/", **what)
    finally:
        http.close()


def _basic(client: Client) -> str:
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.secret or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _own_key(pem: str) -> jwk.RSAKey | jwk.ECKey:
    try:
        loaded = load_pem_private_key(pem.encode(), password=None)
    except ValueError:
        raise NotSetUp("the private key for this provider is none: give it as PEM") from None
    if isinstance(loaded, EllipticCurvePrivateKey):
        return jwk.ECKey.import_key(pem)
    return jwk.RSAKey.import_key(pem)


def _algorithm(key: jwk.RSAKey | jwk.ECKey) -> str:
    return "ES256" if isinstance(key, jwk.ECKey) else "RS256"


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
