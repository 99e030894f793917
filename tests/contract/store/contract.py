"""What every store promises. Subclass `StoreContract`, give it a fixture `world`, and each promise is a test.

    class TestMyStore(StoreContract):
        @pytest.fixture
        async def world(self) -> AsyncIterator[World]: ...

Each promise is given a world of its own, empty and fresh.
"""

from __future__ import annotations

from tests.contract.store.audit import AuditPromises
from tests.contract.store.backlog import BacklogPromises
from tests.contract.store.blocked_numbers import BlockedNumberPromises
from tests.contract.store.calls import CallPromises
from tests.contract.store.charges import ChargePromises
from tests.contract.store.commits import CommitPromises
from tests.contract.store.contacts import ContactPromises
from tests.contract.store.conversations import ConversationPromises
from tests.contract.store.directory import DirectoryPromises
from tests.contract.store.erasure import ErasurePromises
from tests.contract.store.exports import ExportPromises
from tests.contract.store.inbox import InboxPromises
from tests.contract.store.jobs import JobPromises
from tests.contract.store.media import MediaPromises
from tests.contract.store.messages import MessagePromises
from tests.contract.store.peer_names import PeerNamePromises
from tests.contract.store.purges import PurgePromises
from tests.contract.store.races import RacePromises
from tests.contract.store.reads import ReadPromises
from tests.contract.store.relative import RelativePromises
from tests.contract.store.residue import ResiduePromises
from tests.contract.store.search import SearchPromises
from tests.contract.store.snapshots import SnapshotPromises
from tests.contract.store.unique import UniquePromises
from tests.contract.store.voicemail import VoicemailPromises
from tests.contract.store.webhooks import WebhookPromises
from tests.contract.store.world import World

__all__ = ["StoreContract", "World"]


class StoreContract(
    CommitPromises, RacePromises, RelativePromises, UniquePromises, JobPromises, ReadPromises, MessagePromises,
    MediaPromises, ConversationPromises, InboxPromises, ExportPromises, DirectoryPromises, PurgePromises,
    ErasurePromises, ResiduePromises, SnapshotPromises, AuditPromises, ContactPromises,
    PeerNamePromises, BlockedNumberPromises, SearchPromises, VoicemailPromises, CallPromises, BacklogPromises,
    WebhookPromises, ChargePromises,
):  # fmt: skip
    """Everything a use case may rely on, whichever store it is given."""
