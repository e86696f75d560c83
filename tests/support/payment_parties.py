"""Doubles of four payment parties: each answers by id only, and none knows how to erase."""

from __future__ import annotations

import ssl
from base64 import b64encode
from pathlib import Path
from typing import Any

from adapters.demo.doubles.server import Call, Double, Reply, route

JsonObject = dict[str, Any]
BASIC = "Basic " + b64encode(b"merchant:secret").decode()

_UNKNOWN = Reply(404, {"error_code": "NO_SUCH_ORDER"})


class KlarnaDouble(Double):
    """The order management API; customer tokens beside it."""

    def __init__(self, *, keep_exchanges: bool = False) -> None:
        super().__init__(keep_exchanges=keep_exchanges)
        self.orders: dict[str, JsonObject] = {}
        self.tokens: dict[str, str] = {}

    def add(self, number: str, email: str, **more: object) -> None:
        address = {
            "given_name": "Kari",
            "family_name": "Zwyxdal",
            "email": email,
            "phone": "+4740000017",
            "street_address": "Gata 1",
            "postal_code": "0001",
            "city": "Byen",
            "country": "NO",
        }
        self.orders[number] = {
            "order_id": number,
            "status": "CAPTURED",
            "order_amount": 45_000,
            "refunded_amount": 0,
            "purchase_currency": "NOK",
            "klarna_reference": "K4MADNY",
            "merchant_reference1": "T-1001",
            "created_at": "2026-03-01T23:30:00.000Z",
            "billing_address": address,
            "customer": {
                "date_of_birth": "1990-01-01",
                "national_identification_number": "01817499100",
            },
            "initial_payment_method": {"type": "INVOICE"},
            **more,
        }

    def unauthorised(self, call: Call) -> Reply | None:
        return None if call.headers.get("Authorization") == BASIC else Reply(401, {})

    @route("GET", "/ordermanagement/v1/orders/{id}")
    def _order(self, call: Call) -> Reply:
        found = self.orders.get(call.names["id"])
        if found:
            return Reply(200, found)
        message = {"error_code": "NO_SUCH_ORDER", "error_messages": ["?"], "correlation_id": "1"}
        return Reply(404, message)

    @route("GET", "/customer-token/v1/tokens/{id}")
    def _token(self, call: Call) -> Reply:
        status = self.tokens.get(call.names["id"])
        if status is None:
            return _UNKNOWN
        return Reply(200, {"status": status, "payment_method_type": "INVOICE"})


class SwishDouble(Double):
    """Payments and refunds, behind mutual TLS."""

    prefix = "/swish-cpcapi"

    def __init__(self, certificate: Path, clients: Path) -> None:
        super().__init__()
        self.payments: dict[str, JsonObject] = {}
        self._certificate, self._clients = certificate, clients

    def start(self, port: int = 0) -> SwishDouble:
        super().start(port)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate)
        context.load_verify_locations(self._clients)
        context.verify_mode = ssl.CERT_REQUIRED
        assert self._server is not None
        # The handshake belongs to the connection's thread: a client may fail it.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        return self

    @property
    def url(self) -> str:
        return super().url.replace("http://", "https://")

    def add(self, number: str, payer: str) -> None:
        self.payments[number] = {
            "id": number,
            "payeePaymentReference": "T-1001",
            "paymentReference": "1E2FC19E5E5E4E18916609B7F8911C12",
            "payerAlias": payer,
            "payerSSN": "199001012384",
            "payeeAlias": "1231181189",
            "amount": 450.00,
            "currency": "SEK",
            "message": "Biljett",
            "status": "PAID",
            "dateCreated": "2026-03-01T12:00:00.000Z",
            "datePaid": "2026-03-01T12:00:05.000Z",
        }

    @route("GET", "/api/v1/paymentrequests/{id}")
    def _payment(self, call: Call) -> Reply:
        found = self.payments.get(call.names["id"])
        return Reply(200, found) if found else Reply(404)


class VippsDouble(Double):
    """Payments and agreements, behind an access token that ends."""

    def __init__(self) -> None:
        super().__init__()
        self.payments: dict[str, JsonObject] = {}
        self.agreements: dict[str, JsonObject] = {}
        self.given: list[str] = []
        self.expires_in = "3599"

    def add(self, reference: str) -> None:
        self.payments[reference] = {
            "reference": reference,
            "pspReference": "psp-1",
            "state": "AUTHORIZED",
            "amount": {"currency": "NOK", "value": 45_000},
            "aggregate": {
                "capturedAmount": {"currency": "NOK", "value": 45_000},
                "refundedAmount": {"currency": "NOK", "value": 0},
            },
            "paymentMethod": {"type": "WALLET"},
            "profile": {"sub": "c06c4afe-d9e1-4c5d-939a-177d752a0944"},
        }

    def agree(self, number: str, status: str = "ACTIVE") -> None:
        self.agreements[number] = {
            "id": number,
            "status": status,
            "productName": "Klubb",
            "phoneNumber": "4740000017",
            "start": "2026-01-01T00:00:00Z",
            "stop": None,
        }

    def unauthorised(self, call: Call) -> Reply | None:
        keys = call.headers.get("Ocp-Apim-Subscription-Key"), call.headers.get("Client_Id")
        if call.path == "/accesstoken/get":
            return None if keys == ("subscription", "client") else Reply(401)
        valid = self.given and call.headers.get("Authorization") == f"Bearer {self.given[-1]}"
        return None if valid and keys[0] == "subscription" else Reply(401)

    @route("POST", "/accesstoken/get")
    def _give(self, call: Call) -> Reply:
        self.given.append(f"token-{len(self.given)}")
        return Reply(200, {"access_token": self.given[-1], "expires_in": self.expires_in})

    @route("GET", "/epayment/v1/payments/{id}")
    def _payment(self, call: Call) -> Reply:
        found = self.payments.get(call.names["id"])
        return Reply(200, found) if found else _UNKNOWN

    @route("GET", "/recurring/v3/agreements/{id}")
    def _agreement(self, call: Call) -> Reply:
        found = self.agreements.get(call.names["id"])
        return Reply(200, found) if found else _UNKNOWN


class NetsDouble(Double):
    def __init__(self) -> None:
        super().__init__()
        self.payments: dict[str, JsonObject] = {}

    def add(self, number: str, email: str) -> None:
        self.payments[number] = {
            "paymentId": number,
            "created": "2026-03-01T12:00:00+00:00",
            "orderDetails": {"amount": 45_000, "currency": "NOK", "reference": "T-1001"},
            "paymentDetails": {
                "paymentMethod": "Visa",
                "cardDetails": {"maskedPan": "492500******0004"},
            },
            "consumer": {
                "shippingAddress": {"addressLine1": "Gata 1", "city": "Byen"},
                "privatePerson": {
                    "firstName": "Kari",
                    "lastName": "Zwyxdal",
                    "email": email,
                    "phoneNumber": {"prefix": "+47", "number": "40000017"},
                },
            },
        }

    def unauthorised(self, call: Call) -> Reply | None:
        return None if call.headers.get("Authorization") == "live-secret-key" else Reply(401)

    @route("GET", "/v1/payments/{id}")
    def _payment(self, call: Call) -> Reply:
        found = self.payments.get(call.names["id"])
        return Reply(200, {"payment": found}) if found else Reply(404)
