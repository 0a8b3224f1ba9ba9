"""The proof of a password, checked by the other side of the protocol."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from typing import Any

import pytest

from schema.srp import CHALLENGE, GENERATOR, PRIME, PasswordProof, begin_sign_in

POOL, USER, PASSWORD = "eu-central-1_AbCdEfGhI", "0c4f-id", "Correct-horse-1"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
BLOCK = base64.b64encode(b"a block that only the pool can read").decode()


def padded(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 8) // 8, "big")


def hashed(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


class Pool:
    """The user pool's side of a sign-in (RFC 5054), which knows the verifier and not the password."""

    def __init__(self, salt: int) -> None:
        self.salt = salt
        inner = hashlib.sha256(f"AbCdEfGhI{USER}:{PASSWORD}".encode()).digest()
        self._verifier = pow(GENERATOR, hashed(padded(salt), inner), PRIME)
        self._secret = secrets.randbelow(PRIME)
        multiplier = hashed(padded(PRIME), padded(GENERATOR))
        self.public = (multiplier * self._verifier + pow(GENERATOR, self._secret, PRIME)) % PRIME

    def challenge(self) -> dict[str, str]:
        values = {"SALT": format(self.salt, "x"), "SRP_B": format(self.public, "x")}
        return {**values, "SECRET_BLOCK": BLOCK, "USER_ID_FOR_SRP": USER}

    def accepts(self, theirs: str, responses: dict[str, str]) -> bool:
        public = int(theirs, 16)
        scrambler = hashed(padded(public), padded(self.public))
        shared = pow(public * pow(self._verifier, scrambler, PRIME), self._secret, PRIME)
        extracted = hmac.new(padded(scrambler), padded(shared), hashlib.sha256).digest()
        key = hmac.new(extracted, b"Caldera Derived Key\x01", hashlib.sha256).digest()[:16]
        message = b"AbCdEfGhI" + USER.encode() + base64.b64decode(BLOCK) + responses["TIMESTAMP"].encode()
        expected = hmac.new(key, message, hashlib.sha256).digest()
        return base64.b64decode(responses["PASSWORD_CLAIM_SIGNATURE"]) == expected


def test_the_group_is_that_of_the_standard() -> None:
    """RFC 3526: 64 ones at both ends, and a prime whose half is a prime, too (by Fermat's test)."""
    assert PRIME.bit_length() == 3072
    assert PRIME % 2**64 == PRIME >> 3008 == 2**64 - 1
    half = (PRIME - 1) // 2
    assert pow(3, PRIME - 1, PRIME) == pow(3, half - 1, half) == 1


@pytest.mark.parametrize("salt", [1, 0x7F, 0x80, 0xFF00, 2**127 + 5, 2**120 + 3])
def test_the_right_password_is_accepted_and_no_other(salt: int) -> None:
    pool = Pool(salt)
    for password, accepted in ((PASSWORD, True), (f"{PASSWORD} ", False), ("", False)):
        proof = PasswordProof(POOL, password)
        assert pool.accepts(proof.public, proof.responses(pool.challenge(), NOW)) is accepted


def test_the_time_is_written_in_english() -> None:
    responses = PasswordProof(POOL, PASSWORD).responses(Pool(5).challenge(), NOW)
    assert responses["TIMESTAMP"] == "Wed Mar 4 05:06:07 UTC 2026"
    assert (responses["USERNAME"], responses["PASSWORD_CLAIM_SECRET_BLOCK"]) == (USER, BLOCK)


@pytest.mark.parametrize("value", [0, PRIME, 2 * PRIME])
def test_values_that_reveal_the_password_are_refused(value: int) -> None:
    challenge = {**Pool(5).challenge(), "SRP_B": format(value, "x")}
    with pytest.raises(ValueError, match="no sound sign-in"):
        PasswordProof(POOL, PASSWORD).responses(challenge)


class Cognito:
    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.sent: list[dict[str, Any]] = []

    def initiate_auth(self, **request: Any) -> dict[str, Any]:
        self.sent.append(request)
        return self.answer

    def respond_to_auth_challenge(self, **request: Any) -> dict[str, Any]:
        self.sent.append(request)
        return {"AuthenticationResult": {}}


@pytest.mark.parametrize("session", [{}, {"Session": "s-1"}])
def test_the_password_is_never_sent(session: dict[str, str]) -> None:
    cognito = Cognito({"ChallengeName": CHALLENGE, "ChallengeParameters": Pool(5).challenge(), **session})
    begin_sign_in(cognito, client_id="c", pool=POOL, email="a@b.c", password=PASSWORD)
    assert [one.get("AuthFlow", one.get("ChallengeName")) for one in cognito.sent] == ["USER_SRP_AUTH", CHALLENGE]
    assert PASSWORD not in str(cognito.sent)
    assert {"Session": cognito.sent[1].get("Session")} == {"Session": session.get("Session")}


def test_another_challenge_is_passed_on() -> None:
    answer = {"ChallengeName": "SOMETHING", "ChallengeParameters": {}}
    assert begin_sign_in(Cognito(answer), client_id="c", pool=POOL, email="a@b.c", password="x") is answer
