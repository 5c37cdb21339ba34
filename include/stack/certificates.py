"""A certificate authority of a stack's own, and what it signed: for brokers, the Connect worker, and users.

Made once per folder. Files are for their owner only. Java reads the PKCS12 files, librdkafka the PEM files.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from stack.ports import HOST
from stack.state import State, write_private

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

ORGANISATION = "Kafka Ferry"
_YEARS = 10


def distinguished_name(name: str) -> str:
    """As Kafka says the subject of a certificate: the name of a user of mTLS."""
    return f"CN={name},O={ORGANISATION}"


class Certificates:
    """Of one stack.

    :param state: the stack's, with the password of the key stores.
    """

    def __init__(self, state: State) -> None:
        self.folder, self._state = state.folder / "certificates", state

    @property
    def ca(self) -> Path:
        """The authority's certificate, PEM."""
        return self.folder / "ca.pem"

    @property
    def truststore(self) -> Path:
        """The same for Java, PKCS12."""
        return self.folder / "ca.p12"

    def certificate(self, name: str) -> Path:
        """PEM."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """PEM, PKCS#8, without a passphrase."""
        return self.folder / f"{name}.key"

    def both(self, name: str) -> Path:
        """Key and certificate in one PEM file, as Java wants them."""
        return self.folder / f"{name}.pem"

    def keystore(self, name: str) -> Path:
        """Key and certificate, PKCS12."""
        return self.folder / f"{name}.p12"

    @property
    def password(self) -> str:
        """Of the PKCS12 files."""
        return self._state.secret("certificates")

    def make(self, names: Iterable[str]) -> None:
        """The authority, and a certificate for each name that has none yet; for servers and clients alike."""
        # Here, not above: an open stack needs no such library.
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.serialization import pkcs12

        password = serialization.BestAvailableEncryption(self.password.encode())
        ca_key = self.folder / "ca.key"
        if not self.truststore.exists():
            key, certificate = issue("Certificate authority of a stack", None)
            write_private(ca_key, _pem(key))
            write_private(self.ca, certificate.public_bytes(serialization.Encoding.PEM).decode())
            trusted = pkcs12.PKCS12Certificate(certificate, b"ca")
            _write_bytes(self.truststore, pkcs12.serialize_java_truststore([trusted], password))
        ca = x509.load_pem_x509_certificate(self.ca.read_bytes())
        signer = serialization.load_pem_private_key(ca_key.read_bytes(), None)
        for name in names:
            if self.keystore(name).exists():  # the last file that is written
                continue
            key, certificate = issue(name, (signer, ca))  # type: ignore[arg-type]
            text = certificate.public_bytes(serialization.Encoding.PEM).decode()
            write_private(self.key(name), _pem(key))
            write_private(self.certificate(name), text)
            write_private(self.both(name), _pem(key) + text)
            stored = pkcs12.serialize_key_and_certificates(name.encode(), key, certificate, [ca], password)
            _write_bytes(self.keystore(name), stored)


def issue(
    name: str,
    authority: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None,
    days: tuple[int, int] = (-1, 365 * _YEARS),
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A key and its certificate.

    :param authority: who signs; None: the certificate is an authority's, and signs itself.
    :param days: from when to when it is good, counted from now.
    """
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    now, (begin, end) = datetime.datetime.now(datetime.UTC), days
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority[1].subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=begin))
        .not_valid_after(now + datetime.timedelta(days=end))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if authority:
        hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority[0].public_key())
        builder = (
            builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(signer, critical=False)
        )
    return key, builder.sign(authority[0] if authority else key, hashes.SHA256())


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _write_bytes(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}")
    temporary.touch(mode=0o600)
    temporary.write_bytes(content)
    temporary.replace(path)
