"""Identity providers: who may vouch for a person, how surely, and for which identifiers (B.2.8).

Data, in `identity_providers.toml`. What a provider says about its own certainty (`acr`) is mapped
to three levels; a word that is not in the map proves nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from domain.errors import DomainError
from domain.policy import BodyType
from domain.vocabulary import IdentifierKind, IdentityMethod

_DATA = Path(__file__).with_suffix(".toml")


class Assurance(Enum):
    """How sure a provider is whom it vouches for (eIDAS, Art. 8)."""

    LOW = "low"
    SUBSTANTIAL = "substantial"
    HIGH = "high"

    def is_at_least(self, other: Assurance) -> bool:
        order = list(Assurance)
        return order.index(self) >= order.index(other)


class Authentication(Enum):
    """How we show a provider who we are."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    PRIVATE_KEY = "private_key_jwt"


class NotSureEnough(DomainError):
    """The provider vouches for somebody, but not surely enough."""


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """One provider, as far as it differs from the next."""

    id: str
    name: str
    issuer: str
    method: IdentityMethod
    scopes: tuple[str, ...]
    acr_values: tuple[str, ...]
    acr: Mapping[str, Assurance]
    least: Assurance
    authentication: Authentication
    claims: Mapping[str, IdentifierKind]
    only_if: Mapping[str, str] = field(default_factory=dict)
    without_acr: Assurance | None = None
    userinfo: bool = False
    public_bodies_only: bool = False

    def may_serve(self, body: BodyType) -> bool:
        """Whether it may vouch towards such a body: one is there for the public sector alone."""
        return not self.public_bodies_only or body is BodyType.PUBLIC_BODY

    def assurance(self, acr: object) -> Assurance:
        """The level of what it said; too little, or nothing known, is `NotSureEnough`."""
        said = self.without_acr if acr is None else self.acr.get(str(acr))
        if said is None or not said.is_at_least(self.least):
            raise NotSureEnough("the provider did not vouch surely enough: choose another way")
        return said

    def identifiers(self, claims: Mapping[str, Any]) -> Iterator[tuple[IdentifierKind, str]]:
        """What it vouches for; an address it has not verified itself is only hearsay."""
        for claim, kind in self.claims.items():
            value = claims.get(claim)
            condition = self.only_if.get(claim)
            if not isinstance(value, str) or not value.strip():
                continue
            if condition is None or claims.get(condition) is True:
                yield kind, value.strip()


@cache
def identity_providers() -> Mapping[str, IdentityProvider]:
    return {
        provider_id: _provider(provider_id, said)
        for provider_id, said in tomllib.loads(_DATA.read_text("utf-8")).items()
    }


def _provider(provider_id: str, said: Mapping[str, Any]) -> IdentityProvider:
    without = said.get("without_acr")
    return IdentityProvider(
        id=provider_id,
        name=said["name"],
        issuer=said["issuer"],
        method=IdentityMethod(said["method"]),
        scopes=tuple(said["scopes"]),
        acr_values=tuple(said["acr_values"]),
        acr={acr: Assurance(level) for acr, level in said["acr"].items()},
        least=Assurance(said["least"]),
        authentication=Authentication(said["authentication"]),
        claims={claim: IdentifierKind(kind) for claim, kind in said["claims"].items()},
        only_if=dict(said.get("only_if", {})),
        without_acr=Assurance(without) if without else None,
        userinfo=said.get("userinfo", False),
        public_bodies_only=said.get("public_bodies_only", False),
    )
