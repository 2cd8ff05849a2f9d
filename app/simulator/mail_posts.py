"""What SendGrid, Postmark and Amazon post for an incoming mail, signed as they sign.

Tests post them to the real channel. Keys are made for the occasion. Our own shape and Mailgun's are in mail_server.py.
"""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from app.simulator.switches import SignedRequest

TOPIC = "arn:aws:sns:eu-west-1:123456789012:usher-mail"
CERTIFICATE_URL = (
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
)
_EDGE = "xYzZY"


@dataclass(frozen=True, slots=True)
class SendGrid:
    """Inbound Parse with "POST the raw, full MIME message" and a security policy."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def public_key(self) -> str:
        """The key as SendGrid shows it: DER in base64."""
        der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def post(self, raw: bytes, url: str, at: datetime, recipient: str) -> SignedRequest:
        """Return the signed form."""
        envelope = json.dumps({"to": [recipient], "from": "bounce@customer.example"}).encode()
        fields = {
            "to": recipient.encode(),
            "envelope": envelope,
            "charsets": b'{"to":"UTF-8"}',
            "email": raw,
        }
        parts = [
            f'--{_EDGE}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value
            for name, value in fields.items()
        ]
        body = b"\r\n".join([*parts, f"--{_EDGE}--\r\n".encode()])
        stamp = str(int(at.timestamp()))
        signature = self.key.sign(stamp.encode() + body, ec.ECDSA(SHA256()))
        headers = {
            "content-type": f"multipart/form-data; boundary={_EDGE}",
            "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
            "x-twilio-email-event-webhook-timestamp": stamp,
        }
        return SignedRequest("POST", url, headers, body)


def postmark_post(raw: bytes, url: str, credentials: str, recipient: str) -> SignedRequest:
    """Return Postmark's inbound JSON with "Include raw email content in JSON payload"."""
    body = {
        "FromName": "Ana Ruiz",
        "MessageStream": "inbound",
        "From": "ana@acme.example",
        "To": recipient,
        "OriginalRecipient": recipient,
        "Subject": "Exporting a board",
        "MessageID": "22c74902-a0c1-4511-804f-341342852c90",
        "TextBody": "",
        "RawEmail": raw.decode("utf-8", "replace"),
        "Attachments": [],
    }
    basic = base64.b64encode(credentials.encode()).decode()
    headers = {
        "content-type": "application/json; charset=utf-8",
        "authorization": f"Basic {basic}",
        "user-agent": "Postmark",
    }
    return SignedRequest("POST", url, headers, json.dumps(body).encode())


@dataclass(slots=True)
class Amazon:
    """A topic that SES publishes to, with a certificate of its own. `fetched` are the addresses asked for."""

    at: datetime
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    )
    fetched: list[str] = field(default_factory=list)

    @property
    def certificate(self) -> bytes:
        """The certificate, PEM."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(self.at - timedelta(days=1))
            .not_valid_after(self.at + timedelta(days=365))
            .sign(self.key, SHA256())
        )
        return made.public_bytes(Encoding.PEM)

    async def fetch(self, url: str) -> bytes:
        """Serve what stands at an address of Amazon's."""
        self.fetched.append(url)
        return self.certificate if url.endswith(".pem") else b"<ConfirmSubscriptionResponse/>"

    def notice(
        self,
        raw: bytes,
        url: str,
        at: datetime,
        recipient: str,
        *,
        version: str = "2",
        coded: bool = True,
    ) -> SignedRequest:
        """Return the notification of a received mail."""
        content = base64.b64encode(raw).decode() if coded else raw.decode("utf-8", "replace")
        message = {
            "notificationType": "Received",
            "mail": {"messageId": "o3vrnil0e2ic28tr", "destination": [recipient]},
            "receipt": {
                "recipients": [recipient],
                "action": {
                    "type": "SNS",
                    "topicArn": TOPIC,
                    "encoding": "BASE64" if coded else "UTF8",
                },
            },
            "content": content,
        }
        said = {
            "Type": "Notification",
            "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
            "TopicArn": TOPIC,
            "Subject": "Amazon SES Email Receipt Notification",
            "Message": json.dumps(message, separators=(",", ":")),
            "Timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        return self.signed(said, url, version)

    def confirmation(self, url: str, at: datetime, subscribe_url: str) -> SignedRequest:
        """Return what SNS posts once when the webhook is subscribed."""
        said = {
            "Type": "SubscriptionConfirmation",
            "MessageId": "165f5ea4-6b8e-4b8b-b6bb-0d2f4a7f6f55",
            "Token": "2336412f37",
            "TopicArn": TOPIC,
            "Message": "You have chosen to subscribe to the topic.",
            "SubscribeURL": subscribe_url,
            "Timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        return self.signed(said, url, "1")

    def signed(self, said: dict[str, str], url: str, version: str) -> SignedRequest:
        """Return an envelope with Amazon's signature on it."""
        names = sorted(name for name in said if name in _SIGNED)
        text = "".join(f"{name}\n{said[name]}\n" for name in names).encode()
        kind = SHA1() if version == "1" else SHA256()  # noqa: S303 - Amazon's version 1
        signature = base64.b64encode(self.key.sign(text, padding.PKCS1v15(), kind)).decode()
        body = {
            **said,
            "SignatureVersion": version,
            "Signature": signature,
            "SigningCertURL": CERTIFICATE_URL,
        }
        headers = {
            "content-type": "text/plain; charset=UTF-8",
            "x-amz-sns-message-type": said["Type"],
        }
        return SignedRequest("POST", url, headers, json.dumps(body).encode())


_SIGNED = (
    "Message",
    "MessageId",
    "Subject",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
)
