"""People who answer by a link, as tests meet them: their address, their mails, their codes."""

from __future__ import annotations

import re
from pathlib import Path

from adapters.outbound.outbox import StoredMail
from tests.support.asking import hurry
from tests.support.house import NORWAY, ORGANISATIONS, SWEDEN, House

OWNER = "log.owner@venue.example"
ORGANISER = "post@lonn.example"


def with_owner(house: House, *, system: str = "web", controller: str = NORWAY) -> None:
    """Register who answers for a system."""
    _adopt(house, controller, f'[[systems]]\nid = "{system}"\n', f'answers_at = "{OWNER}"\n')


def with_organisers(house: House, **addresses: str) -> None:
    """Register where organisers are asked, by the names that records give."""
    organisers = ", ".join(f'"{name}" = "{address}"' for name, address in addresses.items())
    _adopt(
        house,
        SWEDEN,
        '[[recipients]]\nid = "organisers"\n',
        f"organisers = {{ {organisers} }}\n",
    )


def _adopt(house: House, controller: str, after: str, more: str) -> None:
    document = Path(ORGANISATIONS / f"{controller}.toml").read_text(encoding="utf-8")
    known = house.installation.controllers.in_force(controller)
    assert known is not None
    assert document.count(after) == 1
    changed = document.replace(after, after + more).encode()
    house.installation.controllers.adopt(changed, name=controller, by="trettio-tests")


def go_round(house: House) -> int:
    """What happens once a minute, and what follows from it."""
    house.work()
    changed = house.installation.errands.pass_over()
    hurry(house, destroying=False)
    house.work()
    return changed


def mails_to(house: House, address: str, kind: str = "errand") -> list[StoredMail]:
    return [one for one in house.mails() if one.recipient == address and one.kind.value == kind]


def link_in(mail: StoredMail) -> str:
    found = re.search(r"/answer-for/[\w-]+", mail.text)
    assert found is not None
    return found[0]


def code_in(mail: StoredMail) -> str:
    found = re.search(r"\b\d{4} \d{4}\b", mail.text)
    assert found is not None
    return found[0]
