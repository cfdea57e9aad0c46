"""The certificates of simulated devices: each maker's own, as real devices come with it, and those of faults.

They are the same in every run and every process, or a fleet that is started again would look exchanged.
"""

from __future__ import annotations

import hashlib
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2044, 1, 1, tzinfo=UTC)
EXPIRES_IN = timedelta(days=10)


class Paper(StrEnum):
    """Which certificate is shown."""

    OWN = "own"
    OTHER = "other"
    EXPIRING = "expiring"


@cache
def context_for(maker: str, paper: Paper) -> ssl.SSLContext:
    """A device's side of TLS."""
    secret = hashlib.sha256(f"{maker} {paper is Paper.OTHER}".encode()).digest()
    key = ec.derive_private_key(int.from_bytes(secret[:31], "big") + 1, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, maker)])
    end = datetime.now(UTC) + EXPIRES_IN if paper is Paper.EXPIRING else END
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), int.from_bytes(secret[:8], "big") | 1)
        .not_valid_before(BEGIN)
        .not_valid_after(end)
        .sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "device.pem"  # the ssl module reads files only
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(file)
    return context
