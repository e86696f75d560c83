"""Sends an instruction to a system's webhook: thin, signed, to an address that was judged.

Standard Webhooks 1.0. A 2xx says that it was taken in; what the answer says besides is ignored, no
redirect is followed, and 410 means: never call me again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

import urllib3

from adapters.outbound.http import wish_of
from adapters.outbound.webhooks.guard import AddressRefused, Guard
from adapters.outbound.webhooks.keys import WebhookKeys
from adapters.outbound.webhooks.ledger import DeliveryLedger
from adapters.outbound.webhooks.sign import signed
from domain.instruction import Instruction
from services.delivering import Try
from services.ports import Clock, Refused, Unavailable

TIMEOUT = urllib3.Timeout(connect=5.0, read=15.0)
LARGEST_ANSWER = 64 * 1024
EVERY_STATUS = range(100, 600)

Configuration = Callable[[str, str], Mapping[str, str]]
"""Options and secrets of a system, by controller and system."""
Compose = Callable[[Instruction], bytes]
"""The message that tells of an instruction, as a CloudEvent; the same bytes each time."""


class WebhookCarrier:
    """Keeps `services.delivering.Carrier`."""

    def __init__(
        self,
        configuration: Configuration,
        compose: Compose,
        keys: WebhookKeys,
        guard: Guard,
        ledger: DeliveryLedger,
        clock: Clock,
    ) -> None:
        self._configuration, self._compose = configuration, compose
        self._keys, self._guard, self._ledger, self._clock = keys, guard, ledger, clock

    def carry(self, instruction: Instruction) -> Try:
        controller, system = instruction.controller, instruction.system
        options = self._configuration(controller, system)
        url = options.get("url", "").strip()
        keys = self._keys.good(controller, system)
        if not url or not keys:
            return Try("no-address" if not url else "no-secret")
        if self._ledger.is_gone(controller, system, url):
            return Try("gone", over=True)
        began = time.monotonic()
        try:
            target = self._guard.target(url)
            body = self._compose(instruction)
            headers = signed(keys, str(instruction.id), self._clock(), body)
            client = self._guard.client(
                target,
                timeout=TIMEOUT,
                largest=LARGEST_ANSWER,
                cut_off=True,
                trusting=options.get("ca"),
            )
            try:
                answer = client.request(
                    "POST",
                    "{webhook}",
                    literally=target.place.path,
                    body=body,
                    headers={**headers, "Content-Type": "application/cloudevents+json"},
                    expect=EVERY_STATUS,
                )
            finally:
                client.close()
        except AddressRefused:
            return Try("address-refused", milliseconds=_since(began))
        except (Unavailable, Refused):
            return Try("no-answer", milliseconds=_since(began))
        delivered = HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
        gone = answer.status == HTTPStatus.GONE
        if gone:
            self._ledger.mark_gone(controller, system, url)
        return Try(
            "delivered" if delivered else "gone" if gone else "refused",
            delivered=delivered,
            over=gone,
            status=answer.status,
            milliseconds=_since(began),
            wish=wish_of(answer.headers.get("retry-after")),
        )


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
