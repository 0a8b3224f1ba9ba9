"""Sign-in to a Cognito user pool with a proof of the password: the password itself is never sent.

The protocol is SRP 6a (RFC 5054) in the form of Amazon Cognito, which its SDKs share:
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

CHALLENGE = "PASSWORD_VERIFIER"
# Group 15 of RFC 3526: a prime of 3072 bits, and its generator.
PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
GENERATOR = 2
_KEY_INFO = b"Caldera Derived Key"
_KEY_BYTES = 16
# Names in English, whatever the locale of the process is.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class PasswordProof:
    """Proves a password to a user pool, in one sign-in.

    Parameters
    ----------
    pool
        Id of the user pool, such as `eu-central-1_AbCdEfGhI`.
    password
        The user's password.

    Attributes
    ----------
    public
        The value to send first, `SRP_A`, as hexadecimal digits.
    """

    def __init__(self, pool: str, password: str) -> None:
        self._pool = pool.partition("_")[2]
        self._password = password
        self._secret = secrets.randbelow(PRIME - 1) + 1
        self._public = pow(GENERATOR, self._secret, PRIME)
        self.public = format(self._public, "x")

    def responses(self, challenge: Mapping[str, str], now: datetime | None = None) -> dict[str, str]:
        """Answer the pool's challenge.

        Parameters
        ----------
        challenge
            Parameters of the challenge.
        now
            The time that is signed; the present by default.

        Returns
        -------
        The challenge's responses.

        Raises
        ------
        ValueError
            The pool's value is one that would reveal the password.
        """
        user, block = challenge["USER_ID_FOR_SRP"], challenge["SECRET_BLOCK"]
        timestamp = _timestamp(now or datetime.now(UTC))
        message = f"{self._pool}{user}".encode() + base64.b64decode(block) + timestamp.encode()
        key = self._key(user, int(challenge["SALT"], 16), int(challenge["SRP_B"], 16))
        return {
            "USERNAME": user,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(_hmac(key, message)).decode(),
            "TIMESTAMP": timestamp,
        }

    def _key(self, user: str, salt: int, theirs: int) -> bytes:
        scrambler = _hash(_padded(self._public), _padded(theirs))
        if theirs % PRIME == 0 or scrambler == 0:
            raise ValueError("The user pool sent a value that no sound sign-in has")
        identity = hashlib.sha256(f"{self._pool}{user}:{self._password}".encode()).digest()
        private = _hash(_padded(salt), identity)
        multiplier = _hash(_padded(PRIME), _padded(GENERATOR))
        base = (theirs - multiplier * pow(GENERATOR, private, PRIME)) % PRIME
        shared = pow(base, self._secret + scrambler * private, PRIME)
        extracted = _hmac(_padded(scrambler), _padded(shared))
        return _hmac(extracted, _KEY_INFO + b"\x01")[:_KEY_BYTES]


def begin_sign_in(cognito: Any, *, client_id: str, pool: str, email: str, password: str) -> dict[str, Any]:
    """Begin a sign-in and prove the password.

    Parameters
    ----------
    cognito
        A client of `cognito-idp`; it needs no credentials.
    client_id
        Id of the pool's app client.
    pool
        Id of the user pool.
    email, password
        Of the account.

    Returns
    -------
    What the pool answers: tokens, or the next challenge.
    """
    proof = PasswordProof(pool, password)
    answer = cognito.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": email, "SRP_A": proof.public},
    )
    if answer.get("ChallengeName") != CHALLENGE:
        return answer
    session = {"Session": answer["Session"]} if answer.get("Session") else {}
    return cognito.respond_to_auth_challenge(
        ClientId=client_id,
        ChallengeName=CHALLENGE,
        ChallengeResponses=proof.responses(answer["ChallengeParameters"]),
        **session,
    )


def _padded(number: int) -> bytes:
    """Write a number as bytes, with a zero in front where the first bit is set: as a signed number."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _timestamp(moment: datetime) -> str:
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day} {month} {moment.day} {moment:%H:%M:%S} UTC {moment.year}"
