"""Errands at the desk: sent again, withdrawn, or asked of somebody else whom a handler confirms."""

from __future__ import annotations

from uuid import UUID

from domain.errand import Errand, ErrandEnd
from domain.errors import DomainError, NotAllowedNow
from domain.vocabulary import IdentifierKind, Language
from services import dossier
from services.contacts import Contact
from services.controllers import Controllers
from services.errands import LINK, Errands
from services.matching import normal
from services.planning import RECIPIENT
from services.ports import Clock, Erased, Links, Vault
from services.register import Register, again_on_conflict


class ErrandDesk:
    """What staff do about those who were asked by a link."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        errands: Errands,
        links: Links,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._errands, self._links, self._clock = errands, links, clock

    def ask_again(self, request_id: UUID, line: str, *, by: str) -> None:
        """Send every open link of a line once more; where none is open, ask anew."""
        open_ones = [one for one in self._errands.of_line(request_id, line) if one.is_open]
        if open_ones:
            self._register.save_all([], [self._errands.mail_task(one, by=by) for one in open_ones])
            return
        request = self._register.request(request_id)
        profile = self._controllers.in_force(request.controller)
        begun = sum(
            self._errands.begin(request_id, line, profile, contact)
            for contact in self._errands.contacts(request_id, line, profile)
        )
        if not begun:
            raise NotAllowedNow(
                "nobody can be asked by a link here: the profile registers no address, or nothing"
                " is waited for",
                key="nobody-by-link",
            )

    def withdraw(self, request_id: UUID, line: str, *, by: str) -> None:
        """Nobody needs to answer any more, or somebody else does."""
        for errand in self._errands.of_line(request_id, line):
            if errand.is_open:
                self._errands.end(errand, ErrandEnd.WITHDRAWN, by=by)

    @again_on_conflict
    def redirect(self, errand_id: UUID, address: str, *, by: str) -> None:
        """Ask at another address, which a handler has looked at and confirmed."""
        address = address.strip()
        if not _is_address(address):
            raise DomainError("write one e-mail address", key="one-address")
        errand = self._register.errand(errand_id)
        before = self._errands.contact_of(errand)
        contact = Contact(address, Language.EN, before.names if before is not None else ())
        also = self._errands.confirm(errand, contact, by=by)
        self._register.save_all(
            [errand],
            [
                *also,
                self._errands.book.keep(errand),
                self._links.withdraw(errand.id, purpose=LINK),
                self._errands.mail_task(errand, by=by),
            ],
        )

    def tell(self, request_id: UUID, line: str, *, name: str, address: str, by: str) -> None:
        """Tell somebody whom the records name, at an address that the profile does not have."""
        if not _is_address(address.strip()):
            raise DomainError("write one e-mail address", key="one-address")
        request = self._register.request(request_id)
        named = {one for record in self._errands.records_of(request) for one in record.recipients}
        if not line.startswith(RECIPIENT) or name not in named:
            raise DomainError("choose among those on the page", key="choose-on-page")
        profile = self._controllers.in_force(request.controller)
        contact = Contact(address.strip(), profile.language, (name,))
        if not self._errands.begin(request_id, line, profile, contact, by=by):
            raise NotAllowedNow("they have been asked, or nothing is waited for", key="asked-there")

    def disowned_words(self, errand: Errand) -> str:
        """Whom somebody said to ask instead."""
        if errand.disowned is None:
            return ""
        try:
            return dossier.note_in(self._vault, errand.disowned)
        except Erased:
            return ""


def _is_address(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    return (
        bool(local)
        and "." in domain
        and not any(c.isspace() for c in text)
        and len(text) <= 254
        and normal(IdentifierKind.EMAIL, text) != ""
    )
