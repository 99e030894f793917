"""The Sandbox's mails: a person can read each, and every link leads to an operation there is."""

from __future__ import annotations

import pytest

from adapters.inbound.http.openapi import document
from adapters.inbound.http.routes import ROUTES
from adapters.outbound.local.mail_words import words_of
from application.ports.mail import MailKind

URL = "http://127.0.0.1:8080"
OPERATIONS = {
    f"{URL}/docs#/{operation['tags'][0]}/{operation['operationId']}"
    for operations in document(ROUTES)["paths"].values()
    for operation in operations.values()
}


@pytest.mark.parametrize("kind", MailKind)
def test_every_mail_says_what_it_is_about_and_leads_to_an_operation(kind: MailKind) -> None:
    mail = words_of(kind, "token-1", URL)
    assert mail.subject
    assert mail.body.endswith(("token-1", "."))
    assert "{" not in mail.body
    assert mail.link in OPERATIONS


def test_only_the_mails_that_ask_for_a_token_show_one() -> None:
    assert [kind for kind in MailKind if "token-1" in words_of(kind, "token-1", URL).body] == [
        MailKind.VERIFY,
        MailKind.PASSWORD_RESET,
        MailKind.EMAIL_CHANGE,
    ]
