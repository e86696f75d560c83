"""What a case page shows of rights with decisions of their own (Art. 7(3), 16, 18, 21, 22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.bootstrap import Installation
from adapters.inbound.web.look import Look
from domain.balancing import Balancing, consents
from domain.information import Information
from domain.policy import Profile
from domain.rectification import ClaimGround, Wish
from domain.request import DataSubjectRequest, Status
from domain.restriction import Restriction, RestrictionGround
from domain.vocabulary import Right
from services.informing import IN_WORDS
from services.ports import Erased
from services.rectifying import ClaimShown
from services.wording import in_language

OWN_WAY = frozenset({Right.RECTIFICATION, Right.RESTRICTION, Right.OBJECTION, *IN_WORDS})


@dataclass(frozen=True, slots=True)
class OwnWay:
    """The claims, the restriction, the balance and the answer in words of one request."""

    claims: tuple[ClaimShown, ...]
    restriction: Restriction | None
    balancing: Balancing | None
    information: Information | None
    purposes: tuple[tuple[str, str], ...]
    decides: str
    """Which form decides the request now; empty while none does."""
    claimable: bool
    system_names: Mapping[str, str]
    grounds: tuple[ClaimGround, ...] = tuple(ClaimGround)
    wishes: tuple[Wish, ...] = tuple(Wish)
    letters: tuple[RestrictionGround, ...] = tuple(RestrictionGround)

    @property
    def waits(self) -> bool:
        """Whether somebody has to restrict, or lift, where no call can."""
        systems = self.restriction.systems.values() if self.restriction else ()
        return any(state.waits_for for state in systems)


def own_way(
    installation: Installation,
    request: DataSubjectRequest,
    profile: Profile,
    look: Look,
    *,
    content: bool,
) -> OwnWay | None:
    """Nothing for rights that have none; without `content` nothing sealed is opened."""
    if request.right not in OWN_WAY:
        return None
    register = installation.register
    claims: tuple[ClaimShown, ...] = ()
    if content and request.right is Right.RECTIFICATION:
        try:
            claims = installation.rectifying.shown(request)
        except Erased:
            claims = ()
    names = {p.id: in_language(p.name, look.language, profile) for p in profile.purposes}
    balancing = register.find_balancing(request.id)
    decides = _FORMS[request.right] if request.status is Status.COLLECTED else ""
    return OwnWay(
        claims=claims,
        restriction=register.find_restriction(request.id),
        balancing=balancing,
        information=register.find_information(request.id),
        purposes=tuple(
            (one, names.get(one, one)) for one in (balancing.purposes if balancing else ())
        ),
        decides="" if request.undecided_matches else decides,
        system_names={one.id: one.name for one in profile.systems},
        claimable=request.right is Right.RECTIFICATION
        and request.status in {Status.RECEIVED, Status.VERIFIED, Status.COLLECTED},
    )


def withdrawable(profile: Profile, look: Look) -> tuple[tuple[str, str], ...]:
    """The consents that somebody may take back, one by one, by what they are called."""
    return tuple((p.id, in_language(p.name, look.language, profile)) for p in consents(profile))


_FORMS = {
    Right.RECTIFICATION: "claims",
    Right.RESTRICTION: "restrict",
    Right.OBJECTION: "balance",
    **dict.fromkeys(IN_WORDS, "words"),
}
