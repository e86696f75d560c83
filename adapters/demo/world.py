"""What surrounds the invented organisations: doubles of their systems, with memory and people.

Every double writes each change to a file, so that what was erased stays erased when the
demonstration is started again, however it ended.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from adapters.demo.doubles.mailchimp import MailchimpDouble
from adapters.demo.doubles.pretix import PretixDouble
from adapters.demo.doubles.server import Double
from adapters.demo.doubles.stripe import StripeDouble

NORWEGIAN, SWEDISH = "fjordscenen", "stundbiljett"


@dataclass(frozen=True)
class World:
    """The connected systems of both organisations."""

    ticketing: PretixDouble = field(default_factory=PretixDouble)
    payment: StripeDouble = field(default_factory=StripeDouble)
    mailing: MailchimpDouble = field(default_factory=MailchimpDouble)
    shop: PretixDouble = field(default_factory=lambda: PretixDouble(currency="SEK"))
    card_payment: StripeDouble = field(default_factory=StripeDouble)

    @property
    def doubles(self) -> Mapping[str, Double]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def secrets(self) -> dict[tuple[str, str], Mapping[str, str]]:
        """What each controller's connectors need to reach their system."""
        return {
            (NORWEGIAN, "ticketing"): self.ticketing.configuration,
            (NORWEGIAN, "payment"): {"url": self.payment.url, "key": self.payment.key},
            (NORWEGIAN, "mailing"): {"url": self.mailing.url, "key": self.mailing.key},
            (SWEDISH, "shop"): self.shop.configuration,
            (SWEDISH, "payment"): {"url": self.card_payment.url, "key": self.card_payment.key},
        }


@contextmanager
def world(folder: Path, fill: Callable[[World], None]) -> Iterator[World]:
    """The world as it was left in `folder`, or a new one; its doubles run meanwhile."""
    made = World()
    if not folder.exists():
        fill(made)
        _put_down(made, folder)
    with ExitStack() as stack:
        for name, double in made.doubles.items():
            double.remember(folder / name)
            stack.enter_context(double)
        yield made


def _put_down(made: World, folder: Path) -> None:
    """Write all of it, or nothing: a start may break off."""
    making = folder.with_suffix(".new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    for name, double in made.doubles.items():
        double.remember(making / name)
        double.save()
    making.rename(folder)
