"""The facts about a record on which decisions depend; connectors supply them, profiles name them.

An anchor is something that happened, or will, on a day. A flag is something that is so now.
Connectors may say more than this; decisions and profiles use these names and no others.
"""

from __future__ import annotations

from typing import Final

ANCHORS: Final = {
    "last_purchase": "the person bought this, or bought last, on this day",
    "last_form_registration": "the person last registered through a form",
    "last_contact": "the last contact that tells of a living relation; a rights request is none",
    "rights_request": "the person last exercised a right",
    "order_placed": "the order was made",
    "order_completed": "the contract is performed: the event is over, the goods are delivered",
    "warranty_ends": "the guarantee ends",
    "instalments_end": "the last instalment is due",
    "subscription_ends": "the subscription ends",
    "refund_window_ends": "the last day on which money may have to go back the way it came",
    "voucher": "the business event that the bookkeeping voucher proves",
    "invoiced": "the invoice is dated",
    "signed_up": "the person joined a list",
    "account_closed": "the account was closed",
    "consent_given": "consent was given",
    "consent_withdrawn": "consent was withdrawn",
}

FLAGS: Final = {
    "paid": "money was received",
    "unpaid": "money has not been received",
    "invoiced": "an invoice was issued",
    "refunded": "money went back",
    "failed_payment": "the payment did not go through",
    "cancelled": "the order was cancelled",
    "open_order": "what was ordered has not been delivered",
    "open_ticket": "a ticket admits to something still to come",
    "subscription": "a subscription runs",
    "instalments": "instalments are outstanding",
    "guarantee": "a guarantee runs",
    "use": "the person uses the product",
    "refund_open": "a refund may still have to be made",
    "open_balance": "a gift card or account still holds value",
    "contract_completed": "both sides have performed",
    "warranty_expired": "no guarantee runs any more",
    "given_up": "the person was told what ends with the data, and wants the erasure nonetheless",
    "restricted": "processing is restricted (Art. 18)",
    "special_category": "the content reveals something of Art. 9",
    "full_card_number": "a whole card number is held, not only its last four digits",
    "handed_to_archive": "the archive has confirmed that it received the record",
    "permission_given": "the person allowed this record to be passed on",
    "consent_given": "there is a record of consent",
    "suppressed": "the person is on the list of those who must not be written to",
}

ENDS: Final = {
    "open_ticket": "order_completed",
    "subscription": "subscription_ends",
    "instalments": "instalments_end",
    "guarantee": "warranty_ends",
    "refund_open": "refund_window_ends",
}
"""Which anchor tells when an open obligation ends."""
