"""What the store's promises are played on: one empty store with everything around it, and makers of small things."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.outbound.memory.limits import MemoryLimits
from adapters.outbound.memory.system import HandClock
from application.ports.backlog import Backlog
from application.ports.directory import Directory, OpenSession
from application.ports.ids import Ids
from application.ports.jobs import Done, Handle, Job, LeasedJob, Outcome, Queue
from application.ports.keyring import Keyring
from application.ports.limits import Limits
from application.ports.store import Store
from domain.accounts import Account, AccountState
from domain.audit import AuditEntry
from domain.billing import BuyerToken, PayerRef, PurchaseToken, Subscription
from domain.blocked_numbers import BlockedNumber, BlockedNumberId
from domain.calls import Call, CallDirection, CallOutcome
from domain.contacts import (
    Contact,
    ContactId,
    ContactName,
    ContactNote,
    ContactNumber,
    ContactNumberId,
    ContactNumbers,
    SavedNumber,
)
from domain.exports import Export, ExportPart, ExportState
from domain.forwarding import ForwardWhen
from domain.greetings import Greeting, GreetingId, GreetingText
from domain.idempotency import IdempotencyRecord, Operation
from domain.kernel import (
    AccountId,
    Aggregate,
    CallId,
    CarrierRef,
    ConversationId,
    ExportId,
    IdempotencyRecordId,
    LineId,
    MediaId,
    MessageId,
    OptOutId,
    PartId,
    SessionId,
    WebhookEndpointId,
)
from domain.lines import LineState, PhoneLine
from domain.live import LiveStream
from domain.live_kinds import LiveKind
from domain.media import Media
from domain.messages import Conversation, Direction, Message, Status
from domain.opt_outs import LastingOptOut
from domain.porting import PortRequest, PortRequestId
from domain.push import DeviceToken, Platform, PushToken, PushTokenId
from domain.quiet_hours import QuietHours
from domain.search import Said, SearchSegment, Segment, SegmentId
from domain.sessions import Session
from domain.values import (
    Capability,
    ClientReference,
    Country,
    Email,
    Label,
    Locale,
    MessageBody,
    PasswordHash,
    Peer,
    PhoneNumber,
    SessionToken,
)
from domain.voicemail import (
    AudioDigest,
    AudioType,
    Transcript,
    TranscriptState,
    Voicemail,
    VoicemailId,
    VoicemailState,
)
from domain.webhook_deliveries import WebhookDelivery, WebhookDeliveryId
from domain.webhook_endpoints import WebhookEndpoint, WebhookSecret, WebhookUrl
from pico_testkit.contracts.porting import DETAILS

LATER = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Belongings:
    """One account that has one of everything, a deleted conversation with its last text included."""

    account_id: AccountId
    session: Session
    line: PhoneLine
    conversation: Conversation
    message: Message
    deleted: Conversation
    remnant: Message
    media: Media
    upload: Media
    voicemail: Voicemail
    greeting: Greeting
    export: Export
    part: ExportPart
    operation: Operation
    opt_out: LastingOptOut
    contact: Contact
    blocked: BlockedNumber
    segment: SearchSegment
    call: Call
    push_token: PushToken
    webhook_endpoint: WebhookEndpoint
    webhook_delivery: WebhookDelivery
    subscription: Subscription
    port: PortRequest


def opened(session: Session) -> OpenSession:
    """Return what the directory says of a session that is open."""
    return OpenSession(session.account_id, session.id, session.created_at, session.ends_at)


@dataclass
class World(ABC):
    """An empty store for one promise. A subclass adds what no use case can do: two looks behind the port, and a blow.

    `patience` is how many real seconds a promise waits for the queue before it counts as broken.
    """

    store: Store
    directory: Directory
    queue: Queue
    keyring: Keyring
    clock: HandClock
    ids: Ids
    patience: float = 5.0
    limits: Limits = field(default_factory=MemoryLimits)

    @property
    @abstractmethod
    def backlog(self) -> Backlog:
        """What counts what is still to be done."""

    @abstractmethod
    async def entries(self, account_id: AccountId) -> list[AuditEntry]:
        """Return the account's halves of the audit log, opened, salt included, in any order."""

    @abstractmethod
    async def public_log(self) -> set[bytes]:
        """Return the commitment of every public half, whoever it was about."""

    @abstractmethod
    async def strike(self) -> None:
        """Make store and directory stop answering, for good."""

    # What was kept

    async def traces(self, account_id: AccountId) -> tuple[dict[str, int], int, int]:
        """Return everything a commit could have left behind: rows, jobs, public audit entries."""
        return (
            await self.store.count_rows(account_id),
            await self.queue.waiting(),
            len(await self.public_log()),
        )

    async def commit(self, account_id: AccountId, *aggregates: Aggregate) -> None:
        async with self.store.begin(account_id) as tx:
            for aggregate in aggregates:
                tx.save(aggregate)

    async def relabel(self, line: PhoneLine, label: str) -> None:
        async with self.store.begin(line.account_id) as tx:
            mine = await tx.lines.get(line.id)
            mine.relabel(Label(label))
            tx.save(mine)

    async def read_line(self, line: PhoneLine) -> PhoneLine:
        async with self.store.begin(line.account_id) as tx:
            return await tx.lines.get(line.id)

    # Jobs

    async def work(self, handle: Handle | None = None, *, deliveries: int = 1, left: int = 0) -> list[Job]:
        """Run the queue until so many deliveries were answered and so many jobs are left; return what was delivered."""
        delivered: list[Job] = []

        async def noting(delivery: LeasedJob) -> Outcome:
            try:
                return await handle(delivery) if handle else Done()
            finally:  # only now: whoever waits for it cancels what is still going on
                delivered.append(delivery.job)

        running = asyncio.create_task(self.queue.run(noting))
        try:
            async with asyncio.timeout(self.patience):
                while len(delivered) < deliveries or await self.queue.waiting() != left:
                    assert not running.done(), "the queue stopped by itself"
                    await asyncio.sleep(0.002)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        return delivered

    # Makers: `account`, `line` and `belongings` store what they make; the others only make it.

    def number(self) -> PhoneNumber:
        return PhoneNumber(f"+1{self.ids.random_id().int % 10**10:010}")

    async def account(
        self, *, state: AccountState = AccountState.ACTIVE, email: str | None = None,
        created_at: datetime | None = None, erase_at: datetime | None = None,
    ) -> AccountId:  # fmt: skip
        account = self.new_account(state=state, email=email, created_at=created_at, erase_at=erase_at)
        await self.keyring.create(account.id)
        await self.commit(account.id, account)
        return account.id

    async def line(self, account_id: AccountId, **fields: object) -> PhoneLine:
        line = self.new_line(account_id, **fields)
        await self.commit(account_id, line)
        return line

    def new_account(
        self, *, state: AccountState = AccountState.ACTIVE, email: str | None = None,
        created_at: datetime | None = None, erase_at: datetime | None = None,
    ) -> Account:  # fmt: skip
        now = created_at or self.clock.now()
        return Account(
            id=AccountId(self.ids.new()), email=Email(email or f"{self.ids.random_id().hex}@example.com"),
            password=PasswordHash("$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA"), display_name=Label("Noa"),
            locale=Locale("he-IL"), terms_accepted_at=now, privacy_accepted_at=now, created_at=now, state=state,
            verified_at=None if state is AccountState.UNVERIFIED else now, erase_at=erase_at,
        )  # fmt: skip

    def new_session(
        self, account_id: AccountId, *, token: str | None = None, revoked_at: datetime | None = None,
        ends_at: datetime | None = None,
    ) -> Session:  # fmt: skip
        now = self.clock.now()
        return Session(
            account_id=account_id, id=SessionId(self.ids.new()), created_at=now, revoked_at=revoked_at,
            ends_at=ends_at or now + timedelta(days=31),
            token=SessionToken(token or f"pico_s1_{self.ids.random_id().hex}"),
        )  # fmt: skip

    def new_line(self, account_id: AccountId, **fields: object) -> PhoneLine:
        given = {"number": self.number(), "label": Label("Work"), "state": LineState.ACTIVE} | fields
        return PhoneLine(
            account_id=account_id, id=LineId(self.ids.new()), country=Country("US"),
            capabilities=frozenset({Capability.SMS, Capability.VOICE}), created_at=self.clock.now(),
            ref=CarrierRef(f"PN{self.ids.random_id().hex}"), **given,  # type: ignore[arg-type]
        )  # fmt: skip

    def ordered_line(self, account_id: AccountId, number: PhoneNumber | None = None) -> PhoneLine:
        """Make a line whose commit calls for one job and one audit entry."""
        return PhoneLine.order(
            account_id, LineId(self.ids.new()), number=number or self.number(), country=Country("US"),
            label=None, at=self.clock.now(),
        )  # fmt: skip

    def new_conversation(
        self, line: PhoneLine, peer: str | None = None, *, last_at: datetime | None = None
    ) -> Conversation:
        return Conversation(
            account_id=line.account_id, id=ConversationId(self.ids.new()), line_id=line.id,
            peer=Peer(peer or self.number()), last_at=last_at or self.clock.now(), unread=1, total=1,
            created_at=self.clock.now(),
        )  # fmt: skip

    def new_message(
        self, conversation: Conversation, *, ref: str | None = None, body: str = "שלום 👋"
    ) -> Message:
        return Message(
            account_id=conversation.account_id, id=MessageId(self.ids.new()), conversation_id=conversation.id,
            line_id=conversation.line_id, direction=Direction.INBOUND, status=Status.RECEIVED, body=MessageBody(body),
            created_at=self.clock.now(), ref=CarrierRef(ref or f"SM{self.ids.random_id().hex}"),
        )  # fmt: skip

    def new_media(self, account_id: AccountId, message: Message | None = None, position: int = 0) -> Media:
        return Media(
            account_id=account_id, id=MediaId(self.ids.new()), message_id=message.id if message else None,
            position=position, created_at=self.clock.now(),
        )  # fmt: skip

    def new_subscription(self, account_id: AccountId) -> Subscription:
        bought = Subscription.begin(account_id)
        bought.payer, bought.purchase = PayerRef(f"cus_{account_id.hex}"), PurchaseToken("1000000012345678")
        bought.buyer = BuyerToken(str(self.ids.random_id()))
        return bought

    def new_greeting(self, line: PhoneLine) -> Greeting:
        return Greeting(
            account_id=line.account_id, id=GreetingId(self.ids.new()), line_id=line.id,
            words=GreetingText("This is Ada."), created_at=self.clock.now(), ref=CarrierRef("RE1"),
        )  # fmt: skip

    def new_voicemail(self, line: PhoneLine, *, ref: str | None = None) -> Voicemail:
        return Voicemail(
            account_id=line.account_id, id=VoicemailId(self.ids.new()), line_id=line.id, caller=Peer(self.number()),
            state=VoicemailState.KEPT, type=AudioType.WAV, size=46, digest=AudioDigest("0" * 64), duration=12,
            transcript=Transcript("Hi, it is Noa."), transcript_state=TranscriptState.DONE,
            created_at=self.clock.now(), ref=CarrierRef(ref or f"RE{self.ids.random_id().hex}"),
        )  # fmt: skip

    def new_export(self, account_id: AccountId, *, expires_at: datetime | None = None) -> Export:
        state = ExportState.READY if expires_at else ExportState.BUILDING
        return Export(
            account_id=account_id, id=ExportId(self.ids.new()), requested_at=self.clock.now(), state=state,
            rows_total=7, expires_at=expires_at,
        )  # fmt: skip

    def new_part(self, export: Export, position: int, content: bytes = b'{"a": 1}') -> ExportPart:
        return ExportPart(
            account_id=export.account_id, id=PartId(self.ids.new()), export_id=export.id, position=position,
            content=content,
        )  # fmt: skip

    def new_record(
        self, account_id: AccountId, operation: Operation, *, expires_at: datetime | None = None
    ) -> IdempotencyRecord:
        resource = self.ids.new()
        return IdempotencyRecord.of(
            account_id,
            IdempotencyRecordId(self.ids.new()),
            operation,
            resource,
            expires_at or self.clock.now() + LATER,
        )

    def new_opt_out(self, line: PhoneLine, peer: Peer) -> LastingOptOut:
        return LastingOptOut(
            account_id=line.account_id, id=OptOutId(self.ids.random_id()), line_id=line.id, peer=peer,
            opted_out_at=self.clock.now(),
        )  # fmt: skip

    def new_contact(self, account_id: AccountId, *numbers: str, note: str | None = None) -> Contact:
        return Contact(
            account_id=account_id, id=ContactId(self.ids.new()), name=ContactName("נועה Cohen"),
            numbers=ContactNumbers.of(map(SavedNumber, numbers or (self.number(),))),
            note=None if note is None else ContactNote(note), created_at=self.clock.now(),
        )  # fmt: skip

    def leading_to(self, contact: Contact, place: int = 0) -> list[ContactNumber]:
        """Make what leads to a contact, by each of its numbers."""
        return [
            ContactNumber(
                account_id=contact.account_id, id=ContactNumberId(self.ids.random_id()), contact_id=contact.id,
                number=number, place=place,
            )
            for number in contact.numbers.each
        ]  # fmt: skip

    def new_block(self, account_id: AccountId, number: PhoneNumber | None = None) -> BlockedNumber:
        return BlockedNumber(
            account_id=account_id, id=BlockedNumberId(self.ids.new()), number=number or self.number(),
            blocked_at=self.clock.now(),
        )  # fmt: skip

    def new_call(self, line: PhoneLine, peer: Peer | None = None) -> Call:
        """Make a call that came in and is over."""
        call_id = CallId(self.ids.new())
        call = Call.begin(
            line.account_id, call_id, line.id, direction=CallDirection.INBOUND,
            peer=peer or Peer(self.number()), ref=CarrierRef(f"CA{call_id.hex}"), at=self.clock.now(),
        )  # fmt: skip
        call.collect()
        call.reach(CallOutcome.ANSWERED, 50)
        return call

    def new_segment(self, *messages: Message) -> SearchSegment:
        said = [Said(m.id, m.conversation_id, m.line_id, m.created_at, m.body) for m in messages]
        return SearchSegment(
            account_id=messages[0].account_id, id=SegmentId(self.ids.random_id()), first=messages[0].id,
            through=messages[-1].id, content=Segment.of_messages(said).pack(),
        )  # fmt: skip

    def new_endpoint(self, account_id: AccountId, *kinds: LiveKind) -> WebhookEndpoint:
        return WebhookEndpoint(
            account_id=account_id, id=WebhookEndpointId(self.ids.new()), url=WebhookUrl("https://hooks.example.org/x"),
            secret=WebhookSecret.of(self.ids.random_bytes()), former_secret=WebhookSecret.of(self.ids.random_bytes()),
            former_until=self.clock.now(), kinds=frozenset(kinds), created_at=self.clock.now(),
        )  # fmt: skip

    def new_delivery(self, endpoint: WebhookEndpoint) -> WebhookDelivery:
        return WebhookDelivery(
            account_id=endpoint.account_id, id=WebhookDeliveryId(self.ids.random_id()), endpoint_id=endpoint.id,
            kind=LiveKind.LINE_CHANGED, subject=self.ids.new(), at=self.clock.now(),
        )  # fmt: skip

    def new_port(self, account_id: AccountId) -> PortRequest:
        return PortRequest(
            account_id=account_id, id=PortRequestId(self.ids.new()), line_id=LineId(self.ids.new()),
            number=self.number(), details=DETAILS, created_at=self.clock.now(),
        )  # fmt: skip

    async def belongings(self) -> Belongings:
        """Store one of everything. Its two jobs: to settle the order, to clear the conversation."""
        account = self.new_account()
        account.new_email, account.former_email = Email("next@example.com"), Email("before@example.com")
        account_id = account.id
        await self.keyring.create(account_id)
        await self.commit(account_id, account)
        session, line, operation = (
            self.new_session(account_id),
            self.ordered_line(account_id),
            Operation("sms", "idempotency_records"),
        )
        session.label, line.label = Label("My phone"), Label("Work")
        line.forward(self.number(), frozenset({ForwardWhen.BUSY}))
        line.do_not_disturb = QuietHours("22:00-07:00 Europe/Berlin")
        line.activate(CarrierRef(f"PN{line.id.hex}"), frozenset({Capability.SMS}), self.clock.now())
        conversation, deleted = self.new_conversation(line), self.new_conversation(line)
        message, remnant = self.new_message(conversation), self.new_message(deleted)
        message.client_reference = ClientReference("order 1742")
        deleted.delete(self.clock.now())
        media, upload = self.new_media(account_id, message), self.new_media(account_id)
        voicemail, greeting = self.new_voicemail(line), self.new_greeting(line)
        export = self.new_export(account_id)
        part = self.new_part(export, 0)
        once, opt_out = self.new_record(account_id, operation), self.new_opt_out(line, deleted.peer)
        blocked, segment = self.new_block(account_id), self.new_segment(message)
        contact, call = self.new_contact(account_id, note="met in Haifa"), self.new_call(line)
        push_token = PushToken(
            account_id=account_id, id=PushTokenId(self.ids.new()), session_id=session.id, platform=Platform.IOS,
            token=DeviceToken(session.id.hex * 2), registered_at=self.clock.now(),
        )  # fmt: skip
        subscription = self.new_subscription(account_id)
        endpoint = self.new_endpoint(account_id)
        delivery, port = self.new_delivery(endpoint), self.new_port(account_id)
        await self.commit(
            account_id, session, line, conversation, message, deleted, remnant, media, upload, export, part, once,
            opt_out, voicemail, greeting,
            contact, *self.leading_to(contact), blocked, segment, call,
            LiveStream(account_id=account_id, id=account_id), push_token, subscription, endpoint, delivery, port,
        )  # fmt: skip
        return Belongings(
            account_id,
            session,
            line,
            conversation,
            message,
            deleted,
            remnant,
            media,
            upload,
            voicemail,
            greeting,
            export,
            part,
            operation,
            opt_out,
            contact,
            blocked,
            segment,
            call,
            push_token,
            endpoint,
            delivery,
            subscription,
            port,
        )
