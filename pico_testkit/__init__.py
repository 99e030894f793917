"""Pico for people who write tests: the whole product in memory, the people in it, and everything that can go wrong.

`docs/testing-with-pico.md` shows a whole life in a dozen lines. What a replaced provider must pass is in
`pico_testkit.contracts`, which needs pytest.
"""

from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.memory.mail import MemoryMail
from adapters.outbound.memory.system import HandClock
from bootstrap.worlds.edge import Answer, HttpClient
from bootstrap.worlds.memory import InMemory
from bootstrap.worlds.people import PASSWORD, STRANGER, Person
from domain.messages import Status
from domain.values import Email, Label, Locale, MessageBody, Password, Peer, PhoneNumber
from pico_testkit.chaos import Chaos, ChaosMessages, ChaosNumbers, ChaosWebhooks

__all__ = [
    "PASSWORD",
    "STRANGER",
    "Answer",
    "Chaos",
    "ChaosMessages",
    "ChaosNumbers",
    "ChaosWebhooks",
    "Email",
    "HandClock",
    "HttpClient",
    "InMemory",
    "Label",
    "Locale",
    "MemoryCarrier",
    "MemoryMail",
    "MessageBody",
    "Password",
    "Peer",
    "Person",
    "PhoneNumber",
    "Status",
]
