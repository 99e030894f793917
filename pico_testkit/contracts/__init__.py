"""What every provider behind a port promises: subclass a suite, give its fixtures your adapter, and run pytest.

The suites are `async`: pytest-asyncio must run in its mode `auto`.
"""

import pytest

# Before they are imported: their assertions then say what they saw, in anybody's repository.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{suite}"
        for suite in ("carrier", "kms", "ledger", "mail", "messages", "numbers", "porting")
    )
)

from pico_testkit.contracts.carrier import CarrierWorld  # noqa: E402
from pico_testkit.contracts.kms import KmsContract  # noqa: E402
from pico_testkit.contracts.ledger import LedgerContract  # noqa: E402
from pico_testkit.contracts.mail import MailContract  # noqa: E402
from pico_testkit.contracts.messages import MessageCarrierContract  # noqa: E402
from pico_testkit.contracts.numbers import NumberProviderContract  # noqa: E402

__all__ = [
    "CarrierWorld",
    "KmsContract",
    "LedgerContract",
    "MailContract",
    "MessageCarrierContract",
    "NumberProviderContract",
]
