from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.life import proof

TOKEN = "t" * 43
WHO: dict[str, Any] = {"instance": "0011223344556677", "port": 8123, "version": "0.1.0"}
NONCE = "ab" * 32


def test_an_answer_is_verified() -> None:
    nonce = proof.nonce()
    assert proof.verify(proof.answer(TOKEN, nonce, **WHO), TOKEN, nonce, **WHO)


def test_the_proof_is_what_is_written_down() -> None:
    # printf '%s' "$NONCE|0011223344556677|8123" | openssl dgst -sha256 -hmac "$TOKEN"
    assert proof.answer(TOKEN, NONCE, **WHO) == {
        "instance": "0011223344556677",
        "version": "0.1.0",
        "proof": "afff9a55f35784fa1d6cf684da1d217f7dbad002eb1a87afa163de48418a29ae",
    }


def test_the_token_is_not_in_the_answer() -> None:
    assert TOKEN not in str(proof.answer(TOKEN, NONCE, **WHO))


def test_no_two_questions_are_the_same() -> None:
    assert proof.nonce() != proof.nonce()


@pytest.mark.parametrize("changed", [{"instance": "other"}, {"port": 8124}, {"version": "0.2.0"}])
def test_an_answer_of_another_service_is_not_believed(changed: dict[str, Any]) -> None:
    assert not proof.verify(proof.answer(TOKEN, NONCE, **(WHO | changed)), TOKEN, NONCE, **WHO)
    assert not proof.verify(proof.answer(TOKEN, NONCE, **WHO), TOKEN, NONCE, **(WHO | changed))


def test_an_answer_with_another_token_or_to_another_question_is_not_believed() -> None:
    assert not proof.verify(proof.answer("u" * 43, NONCE, **WHO), TOKEN, NONCE, **WHO)
    assert not proof.verify(proof.answer(TOKEN, "cd" * 32, **WHO), TOKEN, NONCE, **WHO)


@pytest.mark.parametrize("given", [None, 1, [], {}, "", "ä", "\ud800", "0" * 64])
def test_whatever_else_comes_is_no_proof(given: Any) -> None:
    reply = {"instance": WHO["instance"], "version": WHO["version"], "proof": given}
    assert not proof.verify(reply, TOKEN, NONCE, **WHO)
    assert not proof.verify({}, TOKEN, NONCE, **WHO)


@pytest.mark.parametrize("nonce", ["", "ab", "AB" * 16, "ab" * 65, "g" * 32, "ab" * 16 + "|", "ab" * 16 + "\n"])
def test_a_malformed_question_is_refused(nonce: str) -> None:
    with pytest.raises(proof.BadNonce):
        proof.answer(TOKEN, nonce, **WHO)
