"""Who may vouch for a person, how surely, and for what (Art. 12(6))."""

from __future__ import annotations

import pytest

from domain.identity_providers import Assurance, NotSureEnough, identity_providers
from domain.policy import BodyType
from domain.vocabulary import IdentifierKind


@pytest.mark.parametrize("body", BodyType)
def test_the_public_sectors_provider_serves_public_bodies_alone(body: BodyType) -> None:
    """B.4 row eid: private bodies have others."""
    serving = {name for name, one in identity_providers().items() if one.may_serve(body)}

    assert ("id-porten" in serving) is (body is BodyType.PUBLIC_BODY)
    assert {"bankid", "vipps", "freja"} <= serving


@pytest.mark.parametrize(
    ("provider", "acr", "level"),
    [
        ("id-porten", "idporten-loa-substantial", Assurance.SUBSTANTIAL),
        ("id-porten", "idporten-loa-high", Assurance.HIGH),
        ("id-porten", "idporten-loa-low", None),
        ("id-porten", None, None),
        ("freja", "loa2", None),
        ("freja", "loa3", Assurance.SUBSTANTIAL),
        ("bankid", "urn:bankid:bid", Assurance.HIGH),
        ("vipps", None, Assurance.LOW),
    ],
)
def test_what_a_provider_says_of_its_certainty_is_taken_at_its_level(
    provider: str, acr: str | None, level: Assurance | None
) -> None:
    """B.4 row eid, B.2.8: too little, or a word nobody knows, proves nothing."""
    one = identity_providers()[provider]
    if level is None:
        with pytest.raises(NotSureEnough):
            one.assurance(acr)
    else:
        assert one.assurance(acr) is level


def test_an_address_that_the_provider_has_not_verified_is_hearsay() -> None:
    """B.2.8: identification is not authentication."""
    vipps = identity_providers()["vipps"]
    claims = {"email": "kari@person.example", "name": "Kari Testesen"}

    assert IdentifierKind.EMAIL not in dict(vipps.identifiers(claims))
    assert IdentifierKind.EMAIL in dict(vipps.identifiers({**claims, "email_verified": True}))
