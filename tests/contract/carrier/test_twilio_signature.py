"""Webhook signatures: Twilio's own vectors, the SDK as a second opinion, and every way of tampering."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from adapters.inbound.webhooks.twilio import TwilioSignature
from adapters.outbound.twilio.signature import sign
from tests.support.provider_files import sample_webhooks

Pairs = list[tuple[str, str]]
TOKEN, FORMER = "pico-test-auth-token-not-a-secret", "the-token-before-the-rotation"
URL = "https://api.pico.example/webhooks/twilio/message-status?message=01890000-0000-7000-8000-0000000000a1"
FORM: Pairs = [
    ("From", "+13105550178"),
    ("Body", " שלום 🙂 "),
    ("To", "+12025550143"),
    ("NumMedia", ""),
    ("b", "1"),
]


def samples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every sample request with the token it is signed with."""
    inbound = sample_webhooks("twilio_inbound_messages.json")
    statuses = sample_webhooks("twilio_message_status_sequences.json")
    for request in [*inbound["requests"], *(r for life in statuses["sequences"].values() for r in life)]:
        yield inbound["auth_token"], request


def test_every_vector_has_the_expected_verdict() -> None:
    cases = sample_webhooks("twilio_signature_cases.json")["cases"]
    for case in cases:
        check = TwilioSignature([case["token"]])
        if "raw_body" in case:
            verdict = check.verify_json(case["url"], case["raw_body"].encode(), case["signature"])
        else:
            pairs = [(name, value) for name, value in case.get("form_pairs", [])] or list(
                case["form"].items()
            )
            verdict = check.verify(case["url"], pairs, case["signature"])
        assert verdict is case["valid"], case["name"]
    assert {case["valid"] for case in cases} == {True, False}


def test_every_sample_request_verifies_and_no_altered_one_does() -> None:
    seen = 0
    for token, request in samples():
        check, signature = TwilioSignature([token]), request["headers"]["X-Twilio-Signature"]
        pairs = list(request["form"].items())
        assert check.verify(request["url"], pairs, signature), request["name"]
        assert check.verify(request["url"], pairs[::-1], signature), "the order of a form is no part of it"
        for at, (name, value) in enumerate(pairs):
            rest = pairs[:at] + pairs[at + 1 :]
            assert not check.verify(request["url"], [*rest, (name, value + " ")], signature)
            assert not check.verify(request["url"], [*rest, (name.swapcase(), value)], signature)
            assert not check.verify(request["url"], rest, signature)
        assert not check.verify(request["url"] + "/", pairs, signature)
        seen += 1
    assert seen > 40


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("https", "http"),
        URL.replace("api.", "apj."),
        URL.replace("message-status", "sms"),
        URL[:-1] + "2",
        URL + "&x=1",
        URL.partition("?")[0],
        URL.replace(".example", ".example:8443") + "x",
        URL + "#rc=3&rp=all",
    ],
)
def test_a_signature_is_good_for_one_address(url: str) -> None:
    check, signature = TwilioSignature([TOKEN]), sign(TOKEN, URL, FORM)
    assert check.verify(URL, FORM, signature)
    assert not check.verify(url, FORM, signature)


def test_every_bit_of_a_signature_counts() -> None:
    check, signature = TwilioSignature([TOKEN]), sign(TOKEN, URL, FORM)
    raw = base64.b64decode(signature)
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not check.verify(URL, FORM, base64.b64encode(flipped).decode())
    for at in range(len(signature)):
        for bit in range(7):
            altered = signature[:at] + chr(ord(signature[at]) ^ 1 << bit) + signature[at + 1 :]
            assert not check.verify(URL, FORM, altered)
    for other in ("", signature + "=", signature[:-1], signature.lower(), " " + signature, "\udcff", "é"):
        assert not check.verify(URL, FORM, other)


@pytest.mark.parametrize(
    ("signed", "seen"),
    [
        ("https://pico.example/x?y=1", "https://pico.example/x?y=1"),
        ("https://pico.example:443/x?y=1", "https://pico.example/x?y=1"),
        ("http://pico.example:80/x", "http://pico.example/x"),
        ("https://pico.example/x", "https://pico.example:8443/x"),
        ("https://pico.example:8443/x", "https://pico.example:8443/x"),
    ],
)
def test_a_port_may_be_there_or_not(signed: str, seen: str) -> None:
    assert TwilioSignature([TOKEN]).verify(seen, FORM, sign(TOKEN, signed, FORM))


def test_a_port_that_nobody_named_is_refused() -> None:
    signature = sign(TOKEN, "https://pico.example:8443/x", FORM)
    assert not TwilioSignature([TOKEN]).verify("https://pico.example/x", FORM, signature)


def test_during_a_rotation_either_token_signs_and_no_third() -> None:
    check = TwilioSignature([TOKEN, FORMER])
    assert check.verify(URL, FORM, sign(TOKEN, URL, FORM))
    assert check.verify(URL, FORM, sign(FORMER, URL, FORM))
    assert not check.verify(URL, FORM, sign("third", URL, FORM))
    assert not TwilioSignature([TOKEN]).verify(URL, FORM, sign(FORMER, URL, FORM))


@pytest.mark.parametrize("tokens", [[], [""], [TOKEN, ""]])
def test_without_a_token_there_is_no_check(tokens: list[str]) -> None:
    with pytest.raises(ValueError, match="token is missing"):
        TwilioSignature(tokens)


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", True),
        ("key=abc", True),
        ("algorithm=HMAC_SHA1", True),
        ("key=abc,algorithm=hmac_sha1", True),
        ("key=abc,algorithm=HMAC_SHA256", False),
        ("algorithm=NONE", False),
        ("key=abc, algorithm = MD5", False),
    ],
)
def test_an_algorithm_that_needs_another_key_is_refused(header: str, accepted: bool) -> None:
    check, signature = TwilioSignature([TOKEN]), sign(TOKEN, URL, FORM)
    assert check.verify(URL, FORM, signature, header) is accepted


def test_a_json_body_counts_through_its_hash_in_the_address() -> None:
    body = '{"text": "שלום"}'.encode()
    url = f"https://pico.example/x?a=1&bodySHA256={sha256(body).hexdigest()}"
    check, signature = TwilioSignature([TOKEN]), sign(TOKEN, url)
    assert check.verify_json(url, body, signature)
    assert not check.verify_json(url, body + b" ", signature)
    assert not check.verify_json(url, body, sign(FORMER, url))
    for bare in ("https://pico.example/x", f"{url}&bodySHA256={'0' * 64}"):
        assert not check.verify_json(bare, body, sign(TOKEN, bare)), "which body was signed must be certain"


def test_the_code_does_not_stumble_over_what_twilio_cannot_send() -> None:
    assert not TwilioSignature([TOKEN]).verify(URL, [("Body", "\ud800")], sign(TOKEN, URL, FORM))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), max_size=6),
    st.sampled_from(["https://a.example/x", "http://a.example/x?y=1", "https://a.example:8443/"]),
)
def test_the_sdk_agrees(pairs: Pairs, url: str) -> None:
    theirs = RequestValidator(TOKEN)
    assert sign(TOKEN, url, pairs) == theirs.compute_signature(url, MultiDict(pairs))
    assert theirs.validate(url, MultiDict(pairs), sign(TOKEN, url, pairs))
    assert TwilioSignature([TOKEN]).verify(url, pairs, theirs.compute_signature(url, MultiDict(pairs)))
