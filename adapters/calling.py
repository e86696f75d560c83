"""Connected systems that are called to be told: webhooks and OpenDSR, wired here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from adapters.outbound.opendsr.carrier import OpenDsrCarrier, OpenDsrProcessors
from adapters.outbound.tasks import PostgresTasks
from adapters.outbound.vault import PostgresVault
from adapters.outbound.webhooks.admission import Admission
from adapters.outbound.webhooks.compose import Composer
from adapters.outbound.webhooks.keys import WebhookKeys
from adapters.outbound.webhooks.ledger import DeliveryLedger
from adapters.outbound.webhooks.schedule import pause_before
from adapters.outbound.webhooks.send import WebhookCarrier
from domain.instruction import Contract
from services.controllers import Controllers
from services.delivering import Carrier, Delivering
from services.instructing import Instructions
from services.instruction_ledger import InstructionLedger
from services.ports import Clock
from services.processors import AskingProcessors
from services.register import Register

Secrets = Callable[[str, str], Mapping[str, str]]


@dataclass(frozen=True)
class Calling:
    admission: Admission
    controllers: Controllers
    keys: WebhookKeys
    deliveries: DeliveryLedger
    processors: OpenDsrProcessors
    asking: AskingProcessors

    @classmethod
    def over(
        cls,
        register: Register,
        vault: PostgresVault,
        tasks: PostgresTasks,
        controllers: Controllers,
        ledger: InstructionLedger,
        instructions: Instructions,
        admission: Admission,
        secrets: Secrets,
        clock: Clock,
        *,
        address: str,
    ) -> Self:
        """Wire it, so that instructions are delivered by webhook and by OpenDSR."""

        def configured(controller: str, system: str) -> Mapping[str, str]:
            found = (one for one in controllers.in_force(controller).systems if one.id == system)
            known = next(found, None)
            return {**known.options, **secrets(controller, system)} if known else {}

        def delivering(carrier: Carrier) -> Delivering:
            return Delivering(register, tasks, deliveries, carrier, pause_before)

        keys = WebhookKeys(vault.database, vault.key_for("webhook keys"), clock)
        deliveries = DeliveryLedger(vault.database, clock)
        processors = OpenDsrProcessors(configured, admission.guard, clock)
        asking = AskingProcessors(register, tasks, instructions, processors, clock)
        compose = Composer(vault.database, ledger)
        webhooks = WebhookCarrier(configured, compose, keys, admission.guard, deliveries, clock)
        opendsr = OpenDsrCarrier(
            processors, register, tasks, instructions, asking, clock, address=address
        )
        instructions.deliver_by(Contract.WEBHOOK, delivering(webhooks))
        instructions.deliver_by(Contract.OPENDSR, delivering(opendsr))
        return cls(admission, controllers, keys, deliveries, processors, asking)

    def purge(self) -> None:
        """Forget what is over."""
        self.deliveries.purge()
        self.keys.purge()

    def warnings(self) -> list[str]:
        """Which systems are left out, and which said that they never want to be called again."""
        left_out = self.admission.warnings(self.controllers)
        return left_out + [
            f"{one.controller}/{one.system} answered 410 Gone and is told nothing any more: see to"
            " its address, then open it again at the desk under Systems"
            for one in self.deliveries.gone()
        ]
