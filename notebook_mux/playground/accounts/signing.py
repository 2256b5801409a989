"""Tokens that are signed: JSON Web Tokens (RFC 7519) with ES256, and the key set that proves them (RFC 7517)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

Json = dict[str, Any]

ALGORITHM = "ES256"
HALF = 32
"""Bytes of each of the two numbers of a signature, and of a point's coordinates (RFC 7518, 3.4)."""


class BadToken(ValueError):
    """A text that is no token, or one that another key signed."""


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of base64url without padding.

    Raises:
        BadToken: It is none.
    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadToken(str(error)) from None


class Signer:
    """The key of a cluster's tokens.

    Args:
        pem: A private key of P-256 (PKCS 8); None makes one.

    Raises:
        ValueError: It is no such key.
    """

    def __init__(self, pem: bytes | None = None):
        if pem is None:
            self._key = ec.generate_private_key(ec.SECP256R1())
        else:
            key = serialization.load_pem_private_key(pem, None)
            if not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)):
                raise ValueError("a private key of P-256 is needed")
            self._key = key
        public = self._key.public_key()
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.id = encode(hashlib.sha256(der).digest())
        self._public = public

    @property
    def pem(self) -> bytes:
        """The private key, for a state that is kept. A secret."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, claims: Json) -> str:
        """A token with these claims."""
        parts = ({"alg": ALGORITHM, "kid": self.id}, claims)
        text = ".".join(encode(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
        r, s = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{encode(r.to_bytes(HALF, 'big') + s.to_bytes(HALF, 'big'))}"

    def verify(self, token: str) -> Json:
        """The claims of a token.

        Raises:
            BadToken: It is none, or not of this key.
        """
        parts = token.split(".")
        if len(parts) != 3 or not token.isascii():
            raise BadToken("not three parts")
        header, claims = (_object(decode(part)) for part in parts[:2])
        signature = decode(parts[2])
        if header.get("alg") != ALGORITHM or header.get("kid") != self.id or len(signature) != 2 * HALF:
            raise BadToken("signed otherwise")
        r, s = (int.from_bytes(half, "big") for half in (signature[:HALF], signature[HALF:]))
        signed = f"{parts[0]}.{parts[1]}".encode()
        try:
            self._public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise BadToken("another signature") from None
        return claims

    def jwks(self) -> Json:
        """The key set that others prove tokens with."""
        numbers = self._public.public_numbers()
        x, y = (encode(number.to_bytes(HALF, "big")) for number in (numbers.x, numbers.y))
        key = {"use": "sig", "kty": "EC", "kid": self.id, "crv": "P-256", "alg": ALGORITHM, "x": x, "y": y}
        return {"keys": [key]}


def _object(data: bytes) -> Json:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadToken(str(error)) from None
    if not isinstance(found, dict):
        raise BadToken("no object")
    return found
