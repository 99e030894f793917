"""How a person reads a mail of ours: what it says, the token to copy, and where it leads."""

from __future__ import annotations

from typing import TypedDict

from adapters.outbound.sendgrid.simulator.state import SentMail


class ReadMail(TypedDict):
    """What stands in a mail, part by part."""

    to: str
    kind: str
    locale: str
    token: str | None
    at: str
    subject: str
    body: str
    link: str


def as_read(mail: SentMail) -> ReadMail:
    """Take a mail's text apart, which `templates/letter.txt` put together."""
    body, *tokens, leads = mail["text"].partition("\n\n-- \n")[0].split("\n\n")
    return ReadMail(
        to=mail["to"],
        kind=mail["categories"][0],
        locale=mail["language"],
        token=tokens[0] if tokens else None,
        at=mail["at"],
        subject=mail["subject"],
        body=body,
        link=leads.rpartition(" ")[2],
    )
