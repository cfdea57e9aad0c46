"""This file makes certificates that nobody vouches for: for playing devices back, and in place of a real device's."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "name-1"


def another(der: bytes) -> bytes | None:
    """A certificate (DER) of the same life as that in ``der``, with another name and key; None for what is none."""
    try:
        given = x509.load_der_x509_certificate(der)
    except ValueError:
        return None
    made, _ = _self_signed(given.not_valid_before_utc, given.not_valid_after_utc)
    return made.public_bytes(serialization.Encoding.DER)


def server_side() -> ssl.SSLContext:
    """A server's side of TLS with a certificate of its own that nobody has signed."""
    now = datetime.now(UTC)
    made, key = _self_signed(now - timedelta(days=1), now + timedelta(days=365))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "certificate.pem")
        private = serialization.PrivateFormat.PKCS8
        pem = key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
        file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(file)
    return context


def _self_signed(begin: datetime, end: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1).not_valid_before(begin).not_valid_after(end)
    )
    return builder.sign(key, hashes.SHA256()), key
