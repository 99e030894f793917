"""The table of contents: every use case, by theme, with what it is given. dependency-injector lives here alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import timedelta
from threading import Lock
from types import MappingProxyType
from typing import Any

from dependency_injector import containers, providers
from dependency_injector.providers import Dependency, Dict, Provider, Singleton

from application.account_deletion import (
    DeleteAccount,
    EraseOnRequest,
    PreviewDeletion,
    RecoverAccount,
    ShutAccount,
)
from application.accounts import AcceptDocuments, ChangeProfile, ReadAccount
from application.asking_again import AskProvidersAgain
from application.audit_log import KeepAuditLog, ListAuditLog, VerifyAuditLog
from application.backlog import ReadBacklog
from application.billing import ChangePlan, ListPlans, OpenCheckout, OpenPortal, ReadSubscription
from application.billing_erasure import CancelSubscription, DeletePayer
from application.blocked_numbers import BlockNumber, ListBlockedNumbers, UnblockNumber
from application.call_costs import CallCosts
from application.call_progress import ApplyCallReport
from application.call_reconciliation import ReconcileCalls
from application.call_records import CloseCall, DeleteCallRecords
from application.calls import DeleteCall, ForwardLine, ListCalls, ReadCall, StopForwarding
from application.carrier_copies import DeleteCarrierCopies
from application.carrier_recordings import RefuseRecording
from application.catching_up import CatchUp
from application.completion_mail import KeepAddress, SendCompletionMail
from application.contact_import import ExportContacts, ImportContacts
from application.contacts import AddContact, ChangeContact, DeleteContact, ListContacts, ReadContact
from application.credentials import NoteRefusedSignIn, VerifyPassword
from application.data_requests import CloseDataRequest, ListDataRequests, OpenDataRequest, WatchDataRequests
from application.egress import must_keep_to
from application.email_changes import (
    AskEmailChange,
    ForgetFormerAddress,
    ForgetNewAddress,
    SendEmailChangeAskedMail,
    SendEmailChangedMail,
    SendEmailChangeMail,
    VerifyEmailChange,
)
from application.endings import PurgeEndings
from application.epochs import ConfirmErasures, RotateMasterKey, TurnEpochs
from application.erasure import (
    BeginErasures,
    DeleteRows,
    DestroyKeys,
    EraseAccount,
    RecordIntent,
    VerifyNothingLeft,
)
from application.erasure_steps import ERASURE_STEPS
from application.erasure_view import ListErasures
from application.export_building import BuildExport
from application.exports import (
    DownloadExport,
    ExpireExports,
    ListExports,
    MeasureExport,
    ReadExport,
    StartExport,
)
from application.forwarded_calls import AcceptForwardedCall
from application.greetings import (
    PurgeGreeting,
    ReadGreeting,
    ReadOfferedGreeting,
    RemoveGreeting,
    UploadGreeting,
    WriteGreeting,
)
from application.guesses import LimitGuesses
from application.idempotency import PurgeIdempotencyRecords
from application.inbound_calls import AnswerCall, ContinueCall, Direct, RouteCall
from application.inbound_messages import ApplyDeliveryReceipt, ReceiveMessage
from application.job_type import JobType
from application.jobs import JOBS
from application.kept_address import KeptAddress
from application.key_rotation import RotateAccountKey
from application.limits import Counts, PurgeLimits
from application.line_check import CheckLine
from application.line_purchase import ApplyOrderChange, CompletePurchase
from application.line_release import FinishRelease, ReleaseNumbers
from application.line_settings import ChangeLine
from application.lines import (
    BuyLine,
    CancelRelease,
    ListLines,
    ReadLine,
    ReleaseLine,
    SearchNumbers,
)
from application.live import FollowEvents, PurgeLiveEvents
from application.live_hub import LiveHub
from application.mail import (
    EraseMailAddress,
    SendAlreadyRegisteredMail,
    SendDeletionScheduledMail,
    SendEndInStoreMail,
    SendExportReadyMail,
    SendLineLostMail,
    SendPasswordChangedMail,
    SendPasswordResetMail,
    SendPaymentFailedMail,
    SendRecoveredMail,
    SendReleaseAnnouncedMail,
    SendSubscriptionLapsedMail,
    SendVerificationMail,
    SendWebhookDisabledMail,
)
from application.mail_suppression import NoteUnreachable
from application.mailbox import Mailbox
from application.media import FetchMedia, KeepPicture, ListMedia, ReadMedia
from application.media_upload import OfferMedia, PurgeUpload, ReadOfferedMedia, UploadMedia
from application.message_deletion import DeleteCarrierCopy, PurgeConversation
from application.message_following import FollowMessage
from application.messages import (
    CancelMessage,
    DeleteConversation,
    DeleteMessage,
    ListConversations,
    ListMessages,
    ListReceipts,
    MarkRead,
    ReadConversation,
    ReadMessage,
    SendMessage,
)
from application.number_reconciliation import ReconcileNumbers, WatchNumbers
from application.object_erasure import DeleteObjects
from application.operator_access import CountAccounts, ListOperatorAccess, NoteOperatorAccess
from application.orphan_keys import DestroyOrphanKeys
from application.outbound_calls import AnswerApp, BeginCall, ConnectCall, IssueVoiceToken, PlaceCall
from application.outbound_messages import SendQueuedMessage
from application.overdue_erasures import BeginOverdueErasures
from application.passwords import AskPasswordReset, ChangePassword, ResetPassword
from application.payers import FindPayer
from application.port_following import CancelPorts, FollowPort, LapsePort
from application.porting import CancelPort, ListPorts, ProvePort, ReadPort, RequestPort
from application.ports.audit_log import AuditLog
from application.ports.backlog import Backlog
from application.ports.call_clients import CallClients
from application.ports.catch_ups import CatchUps
from application.ports.clock import Clock
from application.ports.data_requests import DataRequests
from application.ports.directory import Directory
from application.ports.entitlements import Entitlements
from application.ports.epochs import Epochs
from application.ports.ids import Ids
from application.ports.jobs import Queue
from application.ports.keyring import Keyring
from application.ports.ledger import ErasureLedger, Fingerprint
from application.ports.ledger_place import LedgerPlace
from application.ports.limits import Limits
from application.ports.live import LiveEvents
from application.ports.mail import Mail
from application.ports.media_addresses import MediaAddresses
from application.ports.message_carrier import MessageCarrier
from application.ports.numbering import NumberingPlan
from application.ports.numbers import NumberProvider
from application.ports.objects import Objects
from application.ports.passwords import PasswordHasher
from application.ports.payments import Payments
from application.ports.pictures import Pictures
from application.ports.porting import Porting
from application.ports.push import Push
from application.ports.recordings import Recordings
from application.ports.resealing import Resealing
from application.ports.signing import Signing
from application.ports.store import Store
from application.ports.store_purchases import StorePurchases
from application.ports.tokens import Tokens
from application.ports.transcriber import Transcriber
from application.ports.voice_carrier import VoiceCarrier
from application.ports.webhook_receivers import WebhookReceivers
from application.push import DeletePushToken, ListPushTokens, RegisterPushToken, WakeDevice
from application.recall import RecallJobs
from application.receipts import ReadPublicKey, ShowReceipt
from application.reconciliation import ReconcileLine
from application.recorded_audio import FetchRecording, KeepAudio
from application.renewal import SettleRenewal
from application.residue import ClearResidue
from application.restore_gate import RestoreGate
from application.restriction import ChangeRestriction, LiftRestriction, RestrictAccount
from application.retention import PURGES, Sweep
from application.search import IndexMessages, ReindexMessages, Search, UnindexMessages
from application.sessions import (
    Authenticate,
    ListSessions,
    PurgeEndedSessions,
    SignIn,
    SignOut,
    SignOutOthers,
)
from application.sign_up import AnswerSignUp, SignUp, VerifyAccount
from application.spend import Spend
from application.spoken_greetings import FetchGreeting, ReceiveGreeting
from application.store_purchases import ReadBuyerToken, ReceiveStoreHint
from application.subscription_following import CatchUpOnPayments, FollowSubscription, ReceivePaymentHint
from application.unused_accounts import WatchUnusedAccounts
from application.unused_mail import SendUnusedMail, SendUnusedStillMail
from application.use_cases import UseCases
from application.voicemail import (
    ChangeVoicemail,
    DeleteVoicemail,
    ListVoicemails,
    ReadVoicemail,
    RestoreVoicemail,
)
from application.voicemail_audio import FetchVoicemail
from application.voicemail_deletion import (
    DeleteRecording,
    DeleteRecordings,
    ExpireVoicemail,
    PurgeVoicemail,
)
from application.voicemail_receiving import ReceiveVoicemail
from application.voicemail_transcripts import ApplyTranscript, FollowTranscript
from application.webhook_deliveries import DeliverWebhook, PurgeWebhookDeliveries
from application.webhook_endpoints import (
    AddWebhookEndpoint,
    ChangeWebhookEndpoint,
    DeleteWebhookEndpoint,
    ListWebhookDeliveries,
    ListWebhookEndpoints,
    ReadWebhookEndpoint,
    RotateWebhookSecret,
    TryWebhookEndpoint,
)
from bootstrap.outside import Outside
from domain.billing import Offers
from domain.documents import Documents
from domain.epochs import EpochPolicy
from domain.retention import Retention
from domain.spend import SpendPolicy

Replaced = Mapping[str, Callable[..., object]]
"""By a use case's name: what is called, with the honest one's parts by name, to make another in its place."""

must_keep_to()  # a port to the outside that asks for more of a person than it may be handed is wired to nothing

NOTHING: Replaced = MappingProxyType({})


def _maker(declared: Mapping[str, object], of: type[object]) -> Provider[Any]:
    """Return the one provider that makes `of`. Raises KeyError when none is declared."""
    for provider in declared.values():
        if isinstance(provider, Singleton) and provider.cls is of:
            return provider
    raise KeyError(of.__name__)


def _all(declared: Mapping[str, object], wanted: Iterable[type[object]]) -> Provider[Any]:
    """Return what makes a tuple of all that is wanted, in that order. Raises KeyError."""
    return providers.Callable(tuple, providers.List(*(_maker(declared, of) for of in wanted)))


def _by_name(declared: Mapping[str, object], jobs: Iterable[JobType]) -> Provider[Any]:
    """Return what makes the handlers of all jobs, by the job's name. Raises KeyError."""
    return Dict({job.name: _maker(declared, job.use_case) for job in jobs})


# fmt: off
class Container(containers.DeclarativeContainer):
    """Each line names what one use case is made of; nothing is opened here."""

    # Outside: a world brings these.
    store = Dependency[Store]()
    live_events = Dependency[LiveEvents]()
    directory = Dependency[Directory]()
    queue = Dependency[Queue]()
    backlog = Dependency[Backlog]()
    keyring = Dependency[Keyring]()
    resealing = Dependency[Resealing]()
    epochs = Dependency[Epochs]()
    numbers = Dependency[NumberProvider]()
    porting = Dependency[Porting]()
    carrier = Dependency[MessageCarrier]()
    catch_ups = Dependency[CatchUps]()
    voice = Dependency[VoiceCarrier]()
    call_clients = Dependency[CallClients]()
    recordings = Dependency[Recordings]()
    transcriber = Dependency[Transcriber]()
    plan = Dependency[NumberingPlan]()
    entitlements = Dependency[Entitlements]()
    payments = Dependency[Payments]()
    store_purchases = Dependency[StorePurchases]()
    offers = Dependency[Offers]()
    mail = Dependency[Mail]()
    push = Dependency[Push]()
    webhook_receivers = Dependency[WebhookReceivers]()
    objects = Dependency[Objects]()
    pictures = Dependency[Pictures]()
    media_addresses = Dependency[MediaAddresses]()
    audit_log = Dependency[AuditLog]()
    signing = Dependency[Signing]()
    ledger = Dependency[ErasureLedger]()
    place = Dependency[LedgerPlace]()
    fingerprint = Dependency[Fingerprint]()
    limits = Dependency[Limits]()
    limits_here = Dependency[Limits]()
    data_requests = Dependency[DataRequests]()
    hasher = Dependency[PasswordHasher]()
    tokens = Dependency[Tokens]()
    clock = Dependency[Clock]()
    ids = Dependency[Ids]()
    retention = Dependency[Retention]()
    epoch_policy = Dependency[EpochPolicy]()
    spend_policy = Dependency[SpendPolicy]()
    documents = Dependency[Documents]()
    pause = Dependency[timedelta]()

    # Limits
    counts = Singleton(Counts, limits=limits, here=limits_here, clock=clock)
    limit_guesses = Singleton(LimitGuesses, counts=counts, here=limits_here)
    purge_limits = Singleton(PurgeLimits, limits=limits)
    change_restriction = Singleton(ChangeRestriction, store=store, clock=clock, offers=offers, retention=retention)
    restrict_account = Singleton(RestrictAccount, change=change_restriction)
    lift_restriction = Singleton(LiftRestriction, change=change_restriction)
    open_data_request = Singleton(OpenDataRequest, data_requests=data_requests, store=store, ids=ids, clock=clock)
    list_data_requests = Singleton(ListDataRequests, data_requests=data_requests)
    close_data_request = Singleton(CloseDataRequest, data_requests=data_requests, store=store, clock=clock)
    watch_data_requests = Singleton(WatchDataRequests, data_requests=data_requests, retention=retention)

    # Accounts
    verify_password = Singleton(
        VerifyPassword, store=store, directory=directory, keyring=keyring, hasher=hasher, guesses=limit_guesses,
        ids=ids, clock=clock,
    )
    note_refused_sign_in = Singleton(NoteRefusedSignIn, store=store)
    sign_up = Singleton(
        SignUp, store=store, keyring=keyring, hasher=hasher, clock=clock, ids=ids, documents=documents
    )
    answer_sign_up = Singleton(AnswerSignUp, store=store, directory=directory, clock=clock)
    verify_account = Singleton(
        VerifyAccount, store=store, directory=directory, verify_password=verify_password, tokens=tokens,
        clock=clock, ids=ids, retention=retention,
    )
    read_account = Singleton(ReadAccount, store=store)
    change_profile = Singleton(ChangeProfile, store=store, clock=clock)
    accept_documents = Singleton(AcceptDocuments, store=store, clock=clock, documents=documents)
    preview_deletion = Singleton(PreviewDeletion, store=store, clock=clock, retention=retention)
    shut_account = Singleton(ShutAccount, store=store, clock=clock)
    settle_renewal = Singleton(SettleRenewal, store=store, queue=queue, payments=payments)
    delete_account = Singleton(
        DeleteAccount, store=store, verify_password=verify_password, clock=clock,
        preview_deletion=preview_deletion, shut_account=shut_account, settle_renewal=settle_renewal,
        ledger=ledger, fingerprint=fingerprint,
    )
    recover_account = Singleton(
        RecoverAccount, store=store, verify_password=verify_password, tokens=tokens, clock=clock, ids=ids,
        retention=retention, ledger=ledger, fingerprint=fingerprint, offers=offers,
    )

    change_password = Singleton(
        ChangePassword, store=store, verify_password=verify_password, hasher=hasher, tokens=tokens, clock=clock,
        ids=ids, retention=retention,
    )
    ask_password_reset = Singleton(
        AskPasswordReset, store=store, directory=directory, keyring=keyring, clock=clock,
    )
    reset_password = Singleton(
        ResetPassword, store=store, hasher=hasher, tokens=tokens, clock=clock, ids=ids, retention=retention,
    )

    # Sessions
    sign_in = Singleton(
        SignIn, store=store, verify_password=verify_password, hasher=hasher, tokens=tokens, clock=clock, ids=ids,
        retention=retention,
    )
    authenticate = Singleton(
        Authenticate, store=store, directory=directory, tokens=tokens, clock=clock, retention=retention,
    )
    list_sessions = Singleton(ListSessions, store=store, clock=clock)
    sign_out = Singleton(SignOut, store=store, clock=clock)
    sign_out_others = Singleton(SignOutOthers, store=store, clock=clock)
    purge_ended_sessions = Singleton(PurgeEndedSessions, store=store, retention=retention)

    # Audit log
    note_operator_access = Singleton(NoteOperatorAccess, store=store, keyring=keyring, clock=clock)
    list_operator_access = Singleton(ListOperatorAccess, store=store, keyring=keyring)
    count_accounts = Singleton(CountAccounts, directory=directory)
    list_audit_log = Singleton(ListAuditLog, store=store)
    verify_audit_log = Singleton(VerifyAuditLog, audit_log=audit_log, signing=signing)
    keep_audit_log = Singleton(
        KeepAuditLog, audit_log=audit_log, signing=signing, verify_audit_log=verify_audit_log,
    )

    # What erasures ask providers for
    clear_residue = Singleton(
        ClearResidue, store=store, numbers=numbers, carrier=carrier, recordings=recordings, voice=voice,
        payments=payments, clock=clock, pause=pause,
    )

    # Lines
    search_numbers = Singleton(SearchNumbers, numbers=numbers)
    complete_purchase = Singleton(
        CompletePurchase, store=store, queue=queue, numbers=numbers, entitlements=entitlements, offers=offers,
        clock=clock,
    )
    apply_order_change = Singleton(
        ApplyOrderChange, directory=directory, complete_purchase=complete_purchase,
    )
    buy_line = Singleton(
        BuyLine, store=store, directory=directory, plan=plan, clock=clock, ids=ids, retention=retention,
        numbers=numbers, entitlements=entitlements, complete_purchase=complete_purchase,
    )
    list_lines = Singleton(ListLines, store=store)
    read_line = Singleton(ReadLine, store=store)
    change_line = Singleton(ChangeLine, store=store)
    release_line = Singleton(ReleaseLine, store=store, clock=clock, retention=retention)
    cancel_release = Singleton(CancelRelease, store=store, offers=offers, clock=clock)
    check_line = Singleton(CheckLine, store=store, numbers=numbers, clock=clock)
    finish_release = Singleton(FinishRelease, store=store, queue=queue, numbers=numbers, carrier=carrier, clock=clock)
    reconcile_numbers = Singleton(
        ReconcileNumbers, numbers=numbers, directory=directory, store=store, plan=plan, clock=clock,
    )
    watch_numbers = Singleton(WatchNumbers, reconcile_numbers=reconcile_numbers, numbers=numbers)
    request_port = Singleton(
        RequestPort, store=store, directory=directory, plan=plan, clock=clock, ids=ids, retention=retention,
        porting=porting, entitlements=entitlements,
    )
    prove_port = Singleton(ProvePort, store=store, porting=porting, clock=clock)
    list_ports = Singleton(ListPorts, store=store)
    read_port = Singleton(ReadPort, store=store)
    cancel_port = Singleton(CancelPort, store=store, porting=porting, clock=clock)
    follow_port = Singleton(
        FollowPort, store=store, queue=queue, porting=porting, plan=plan, offers=offers, clock=clock,
    )
    lapse_port = Singleton(LapsePort, store=store, clock=clock)
    cancel_ports = Singleton(CancelPorts, store=store, porting=porting)
    release_numbers = Singleton(
        ReleaseNumbers, store=store, numbers=numbers, carrier=carrier,
        clear_residue=clear_residue,
    )

    # Messages
    receive_message = Singleton(
        ReceiveMessage, store=store, directory=directory, clock=clock, ids=ids,
    )
    apply_delivery_receipt = Singleton(ApplyDeliveryReceipt, store=store, directory=directory, clock=clock)
    spend = Singleton(Spend, limits=limits, plan=plan, policy=spend_policy, clock=clock)
    send_message = Singleton(
        SendMessage, store=store, clock=clock, ids=ids, retention=retention, plan=plan, carrier=carrier, spend=spend,
    )
    offer_media = Singleton(OfferMedia, store=store, addresses=media_addresses, clock=clock)
    send_queued_message = Singleton(
        SendQueuedMessage, store=store, queue=queue, carrier=carrier, offer_media=offer_media, clock=clock, ids=ids,
        spend=spend,
    )
    list_receipts = Singleton(ListReceipts, store=store)
    cancel_message = Singleton(CancelMessage, store=store, clock=clock)
    read_message = Singleton(ReadMessage, store=store)
    delete_message = Singleton(DeleteMessage, store=store, clock=clock)
    list_conversations = Singleton(ListConversations, store=store)
    read_conversation = Singleton(ReadConversation, store=store)
    list_messages = Singleton(ListMessages, store=store)
    mark_read = Singleton(MarkRead, store=store, clock=clock)
    delete_conversation = Singleton(DeleteConversation, store=store, clock=clock, ids=ids)
    reconcile_line = Singleton(
        ReconcileLine, store=store, queue=queue, carrier=carrier, clock=clock, receive_message=receive_message,
    )
    catch_up = Singleton(
        CatchUp, store=store, directory=directory, carrier=carrier, catch_ups=catch_ups, clock=clock,
        receive_message=receive_message,
    )
    follow_message = Singleton(FollowMessage, store=store, carrier=carrier, clock=clock)
    delete_carrier_copy = Singleton(
        DeleteCarrierCopy, store=store, queue=queue, carrier=carrier, objects=objects, clock=clock,
    )
    purge_conversation = Singleton(PurgeConversation, store=store, clock=clock)
    delete_carrier_copies = Singleton(
        DeleteCarrierCopies, store=store, carrier=carrier, clear_residue=clear_residue,
    )
    purge_idempotency_records = Singleton(PurgeIdempotencyRecords, store=store)

    # Calls
    call_costs = Singleton(CallCosts, store=store, spend=spend)
    mailbox = Singleton(Mailbox, transcriber=transcriber, addresses=media_addresses, clock=clock)
    route_call = Singleton(RouteCall, store=store, directory=directory, clock=clock, ids=ids, mailbox=mailbox)
    direct = Singleton(Direct, clients=call_clients, costs=call_costs)
    answer_call = Singleton(AnswerCall, route=route_call, direct=direct)
    continue_call = Singleton(ContinueCall, route=route_call, direct=direct)
    accept_forwarded_call = Singleton(AcceptForwardedCall, store=store, directory=directory)
    apply_call_report = Singleton(
        ApplyCallReport, store=store, directory=directory, clients=call_clients, clock=clock, ids=ids,
    )
    begin_call = Singleton(BeginCall, clock=clock, ids=ids, plan=plan, costs=call_costs)
    answer_app = Singleton(AnswerApp, store=store, clients=call_clients, begin=begin_call)
    connect_call = Singleton(ConnectCall, store=store, directory=directory, costs=call_costs)
    place_call = Singleton(
        PlaceCall, store=store, voice=voice, clients=call_clients, clock=clock, retention=retention, begin=begin_call,
    )
    issue_voice_token = Singleton(IssueVoiceToken, store=store, clients=call_clients, voice=voice, clock=clock)
    list_calls = Singleton(ListCalls, store=store)
    read_call = Singleton(ReadCall, store=store)
    delete_call = Singleton(DeleteCall, store=store, clock=clock)
    forward_line = Singleton(ForwardLine, store=store, directory=directory, plan=plan, spend=spend)
    stop_forwarding = Singleton(StopForwarding, store=store)
    close_call = Singleton(CloseCall, store=store, queue=queue, voice=voice, spend=spend, clock=clock)
    delete_call_records = Singleton(
        DeleteCallRecords, store=store, voice=voice, clients=call_clients, numbers=numbers, clear_residue=clear_residue,
    )

    # Billing
    list_plans = Singleton(ListPlans, offers=offers)
    read_subscription = Singleton(ReadSubscription, store=store, offers=offers, clock=clock)
    find_payer = Singleton(FindPayer, store=store, payments=payments, clock=clock)
    follow_subscription = Singleton(
        FollowSubscription, store=store, queue=queue, payments=payments, store_purchases=store_purchases, offers=offers,
        settle_renewal=settle_renewal, retention=retention, clock=clock,
    )
    open_checkout = Singleton(
        OpenCheckout, store=store, payments=payments, offers=offers, find_payer=find_payer, clock=clock, ids=ids,
        retention=retention,
    )
    open_portal = Singleton(OpenPortal, store=store, payments=payments)
    change_plan = Singleton(
        ChangePlan, store=store, payments=payments, offers=offers, follow_subscription=follow_subscription, clock=clock,
        ids=ids, retention=retention,
    )
    note_unreachable = Singleton(NoteUnreachable, store=store, directory=directory, clock=clock)
    receive_payment_hint = Singleton(
        ReceivePaymentHint, store=store, directory=directory, clock=clock, retention=retention,
    )
    receive_store_hint = Singleton(
        ReceiveStoreHint, store=store, directory=directory, store_purchases=store_purchases, clock=clock,
        retention=retention,
    )
    read_buyer_token = Singleton(ReadBuyerToken, store=store, ids=ids)
    catch_up_on_payments = Singleton(
        CatchUpOnPayments, payments=payments, catch_ups=catch_ups, receive_payment_hint=receive_payment_hint,
    )
    cancel_subscription = Singleton(
        CancelSubscription, store=store, payments=payments, clear_residue=clear_residue,
    )
    delete_payer = Singleton(DeletePayer, store=store, payments=payments, clear_residue=clear_residue)

    # Live events
    live_hub = Singleton(LiveHub, events=live_events)
    follow_events = Singleton(FollowEvents, store=store, events=live_events, hub=live_hub, clock=clock)
    purge_live_events = Singleton(PurgeLiveEvents, store=store, retention=retention)

    # Pushes
    register_push_token = Singleton(
        RegisterPushToken, store=store, directory=directory, push=push, clock=clock, ids=ids,
    )
    list_push_tokens = Singleton(ListPushTokens, store=store)
    delete_push_token = Singleton(DeletePushToken, store=store)
    wake_device = Singleton(WakeDevice, store=store, queue=queue, push=push, clock=clock)

    # Webhook endpoints
    add_webhook_endpoint = Singleton(
        AddWebhookEndpoint, store=store, receivers=webhook_receivers, clock=clock, ids=ids, retention=retention,
    )
    list_webhook_endpoints = Singleton(ListWebhookEndpoints, store=store)
    read_webhook_endpoint = Singleton(ReadWebhookEndpoint, store=store)
    change_webhook_endpoint = Singleton(
        ChangeWebhookEndpoint, store=store, receivers=webhook_receivers, clock=clock,
    )
    delete_webhook_endpoint = Singleton(DeleteWebhookEndpoint, store=store, clock=clock)
    rotate_webhook_secret = Singleton(RotateWebhookSecret, store=store, clock=clock, ids=ids)
    try_webhook_endpoint = Singleton(TryWebhookEndpoint, store=store, limits=limits, clock=clock, ids=ids)
    list_webhook_deliveries = Singleton(ListWebhookDeliveries, store=store)
    deliver_webhook = Singleton(
        DeliverWebhook, store=store, queue=queue, receivers=webhook_receivers, clock=clock,
    )
    purge_webhook_deliveries = Singleton(PurgeWebhookDeliveries, store=store, retention=retention)

    # Contacts
    add_contact = Singleton(AddContact, store=store, clock=clock, ids=ids, retention=retention, plan=plan)
    list_contacts = Singleton(ListContacts, store=store)
    read_contact = Singleton(ReadContact, store=store)
    change_contact = Singleton(ChangeContact, store=store, clock=clock, ids=ids, plan=plan)
    delete_contact = Singleton(DeleteContact, store=store, clock=clock)
    import_contacts = Singleton(ImportContacts, store=store, clock=clock, ids=ids, plan=plan)
    export_contacts = Singleton(ExportContacts, store=store)
    block_number = Singleton(BlockNumber, store=store, clock=clock, ids=ids)
    unblock_number = Singleton(UnblockNumber, store=store, clock=clock)
    list_blocked_numbers = Singleton(ListBlockedNumbers, store=store)

    # Pictures
    keep_picture = Singleton(KeepPicture, objects=objects)
    fetch_media = Singleton(
        FetchMedia, store=store, carrier=carrier, pictures=pictures, objects=objects, keep_picture=keep_picture,
        clock=clock,
    )
    upload_media = Singleton(
        UploadMedia, store=store, pictures=pictures, keep_picture=keep_picture, clock=clock, ids=ids,
    )
    purge_upload = Singleton(PurgeUpload, store=store, objects=objects)
    read_offered_media = Singleton(ReadOfferedMedia, store=store, addresses=media_addresses, clock=clock)
    list_media = Singleton(ListMedia, store=store)
    read_media = Singleton(ReadMedia, store=store, objects=objects)

    # Voicemail
    list_voicemails = Singleton(ListVoicemails, store=store)
    read_voicemail = Singleton(ReadVoicemail, store=store, objects=objects)
    change_voicemail = Singleton(ChangeVoicemail, store=store, clock=clock)
    delete_voicemail = Singleton(DeleteVoicemail, store=store, clock=clock)
    restore_voicemail = Singleton(RestoreVoicemail, store=store, clock=clock)
    refuse_recording = Singleton(
        RefuseRecording, store=store, directory=directory, clients=call_clients, recordings=recordings, clock=clock,
    )
    receive_greeting = Singleton(
        ReceiveGreeting, store=store, directory=directory, clients=call_clients, recordings=recordings,
        refuse=refuse_recording, clock=clock, ids=ids,
    )
    receive_voicemail = Singleton(
        ReceiveVoicemail, store=store, directory=directory, recordings=recordings, transcriber=transcriber,
        greeting=receive_greeting, clock=clock, ids=ids, retention=retention,
    )
    reconcile_calls = Singleton(
        ReconcileCalls, store=store, queue=queue, voice=voice, recordings=recordings, clients=call_clients,
        clock=clock, apply_report=apply_call_report, receive=receive_voicemail, greeting=receive_greeting,
        refuse=refuse_recording,
    )
    apply_transcript = Singleton(
        ApplyTranscript, store=store, directory=directory, recordings=recordings,
        receive_voicemail=receive_voicemail, clock=clock,
    )
    follow_transcript = Singleton(FollowTranscript, store=store, transcriber=transcriber, clock=clock)
    keep_audio = Singleton(KeepAudio, objects=objects)
    fetch_recording = Singleton(FetchRecording, recordings=recordings, keep_audio=keep_audio, clock=clock)
    fetch_voicemail = Singleton(
        FetchVoicemail, store=store, objects=objects, fetch=fetch_recording, clock=clock,
    )
    fetch_greeting = Singleton(
        FetchGreeting, store=store, objects=objects, fetch=fetch_recording, clock=clock,
    )
    read_greeting = Singleton(ReadGreeting, store=store, objects=objects)
    write_greeting = Singleton(WriteGreeting, store=store, clock=clock, ids=ids)
    upload_greeting = Singleton(UploadGreeting, store=store, keep_audio=keep_audio, clock=clock, ids=ids)
    remove_greeting = Singleton(RemoveGreeting, store=store, clock=clock)
    read_offered_greeting = Singleton(
        ReadOfferedGreeting, store=store, addresses=media_addresses, clock=clock,
    )
    purge_greeting = Singleton(
        PurgeGreeting, store=store, queue=queue, recordings=recordings, objects=objects,
    )
    delete_recording = Singleton(
        DeleteRecording, store=store, queue=queue, recordings=recordings, clock=clock,
    )
    purge_voicemail = Singleton(
        PurgeVoicemail, store=store, queue=queue, recordings=recordings, objects=objects, clock=clock,
    )
    expire_voicemail = Singleton(
        ExpireVoicemail, store=store, objects=objects, clock=clock, retention=retention,
    )
    delete_recordings = Singleton(DeleteRecordings, store=store, clear_residue=clear_residue)

    # Search
    search = Singleton(Search, store=store)
    index_messages = Singleton(IndexMessages, store=store, clock=clock, ids=ids)
    reindex_messages = Singleton(ReindexMessages, store=store, index_messages=index_messages)
    unindex_messages = Singleton(UnindexMessages, store=store, ids=ids)

    # Mail
    mailing = MappingProxyType({"store": store, "queue": queue, "mail": mail, "counts": counts})
    send_verification_mail = Singleton(
        SendVerificationMail, **mailing, tokens=tokens, retention=retention,
    )
    send_already_registered_mail = Singleton(SendAlreadyRegisteredMail, **mailing)
    send_password_reset_mail = Singleton(SendPasswordResetMail, **mailing, tokens=tokens, clock=clock)
    send_password_changed_mail = Singleton(SendPasswordChangedMail, **mailing)
    send_deletion_scheduled_mail = Singleton(SendDeletionScheduledMail, **mailing)
    send_recovered_mail = Singleton(SendRecoveredMail, **mailing)
    send_unused_mail = Singleton(SendUnusedMail, **mailing)
    send_unused_still_mail = Singleton(SendUnusedStillMail, **mailing)
    send_export_ready_mail = Singleton(SendExportReadyMail, **mailing)
    send_line_lost_mail = Singleton(SendLineLostMail, **mailing)
    send_payment_failed_mail = Singleton(SendPaymentFailedMail, **mailing)
    send_subscription_lapsed_mail = Singleton(SendSubscriptionLapsedMail, **mailing)
    send_release_announced_mail = Singleton(SendReleaseAnnouncedMail, **mailing)
    send_webhook_disabled_mail = Singleton(SendWebhookDisabledMail, **mailing)
    send_end_in_store_mail = Singleton(SendEndInStoreMail, **mailing)
    erase_mail_address = Singleton(EraseMailAddress, store=store, mail=mail, directory=directory)

    ask_email_change = Singleton(AskEmailChange, store=store, verify_password=verify_password, clock=clock)
    verify_email_change = Singleton(
        VerifyEmailChange, store=store, directory=directory, tokens=tokens, clock=clock,
    )
    send_email_change_mail = Singleton(SendEmailChangeMail, **mailing, tokens=tokens, clock=clock)
    send_email_change_asked_mail = Singleton(SendEmailChangeAskedMail, **mailing)
    send_email_changed_mail = Singleton(SendEmailChangedMail, **mailing)
    forget_new_address = Singleton(
        ForgetNewAddress, store=store, queue=queue, erase_mail_address=erase_mail_address,
    )
    forget_former_address = Singleton(
        ForgetFormerAddress, store=store, queue=queue, erase_mail_address=erase_mail_address,
    )

    # Exports
    start_export = Singleton(StartExport, store=store, clock=clock, ids=ids, retention=retention)
    read_export = Singleton(ReadExport, store=store)
    list_exports = Singleton(ListExports, store=store)
    download_export = Singleton(DownloadExport, store=store, verify_password=verify_password, clock=clock)
    measure_export = Singleton(MeasureExport, store=store)
    build_export = Singleton(BuildExport, store=store, objects=objects, clock=clock, ids=ids, retention=retention)
    expire_exports = Singleton(ExpireExports, store=store, directory=directory)

    # Erasure
    begin_erasures = Singleton(
        BeginErasures, store=store, directory=directory, retention=retention, ledger=ledger,
        fingerprint=fingerprint,
    )
    begin_overdue_erasures = Singleton(
        BeginOverdueErasures, begin_erasures=begin_erasures, keyring=keyring, ledger=ledger, fingerprint=fingerprint,
    )
    kept_address = Singleton(KeptAddress, keyring=keyring, objects=objects, fingerprint=fingerprint)
    ask_providers_again = Singleton(
        AskProvidersAgain, release_numbers=release_numbers, erase_mail_address=erase_mail_address, clock=clock,
        pause=pause,
    )
    record_intent = Singleton(RecordIntent, store=store, keyring=keyring, ledger=ledger, fingerprint=fingerprint)
    destroy_keys = Singleton(DestroyKeys, store=store, keyring=keyring, epochs=epochs, clock=clock)
    delete_objects = Singleton(DeleteObjects, store=store, objects=objects)
    delete_rows = Singleton(DeleteRows, store=store)
    verify_nothing_left = Singleton(
        VerifyNothingLeft, store=store, keyring=keyring, objects=objects, ledger=ledger, fingerprint=fingerprint,
        signing=signing, clock=clock, clear_residue=clear_residue,
    )
    keep_address = Singleton(
        KeepAddress, store=store, ledger=ledger, fingerprint=fingerprint, clock=clock, kept_address=kept_address,
    )
    send_completion_mail = Singleton(
        SendCompletionMail, store=store, mail=mail, erase_mail_address=erase_mail_address, epochs=epochs, clock=clock,
        kept_address=kept_address, pause=pause,
    )
    erase_account = Singleton(
        EraseAccount, steps=_all(locals(), ERASURE_STEPS), store=store, queue=queue, keyring=keyring, ledger=ledger,
        fingerprint=fingerprint, signing=signing, audit_log=audit_log, epochs=epochs, policy=epoch_policy, clock=clock,
        kept_address=kept_address,
    )

    # Master keys
    rotate_master_key = Singleton(RotateMasterKey, epochs=epochs, clock=clock)
    rotate_account_key = Singleton(
        RotateAccountKey, store=store, keyring=keyring, resealing=resealing, objects=objects, clock=clock,
    )
    turn_epochs = Singleton(TurnEpochs, epochs=epochs, ledger=ledger, policy=epoch_policy)
    confirm_erasures = Singleton(ConfirmErasures, epochs=epochs, ledger=ledger, policy=epoch_policy, signing=signing)

    list_erasures = Singleton(
        ListErasures, steps=_all(locals(), ERASURE_STEPS), store=store, queue=queue, ledger=ledger,
        fingerprint=fingerprint, clock=clock,
    )
    read_backlog = Singleton(
        ReadBacklog, steps=_all(locals(), ERASURE_STEPS), backlog=backlog, epochs=epochs, ledger=ledger, place=place,
        retention=retention, clock=clock,
    )
    erase_on_request = Singleton(
        EraseOnRequest, preview_deletion=preview_deletion, delete_account=delete_account, clock=clock,
    )
    show_receipt = Singleton(ShowReceipt, ledger=ledger, fingerprint=fingerprint, signing=signing)
    read_public_key = Singleton(ReadPublicKey, signing=signing)

    watch_unused_accounts = Singleton(
        WatchUnusedAccounts, store=store, directory=directory, data_requests=data_requests,
        delete_account=delete_account, retention=retention,
    )

    # What the clock and the queue set going, in the order of their tables
    purge_endings = Singleton(PurgeEndings, keyring=keyring)
    destroy_orphan_keys = Singleton(DestroyOrphanKeys, keyring=keyring, directory=directory, store=store)
    recall_jobs = Singleton(RecallJobs, queue=queue)
    sweep = Singleton(Sweep, purges=_all(locals(), PURGES), clock=clock)
    restore_gate = Singleton(
        RestoreGate, store=store, directory=directory, keyring=keyring, objects=objects, ledger=ledger, place=place,
        fingerprint=fingerprint, signing=signing, delete_account=delete_account, sweep=sweep, clock=clock,
        kept_address=kept_address,
    )
    job_handlers = _by_name(locals(), JOBS)
# fmt: on


_CONTAINER = Container()  # one for all wirings: an instance is a deep copy of every provider, some 20 ms
_SINGLETONS = [each for each in _CONTAINER.providers.values() if isinstance(each, Singleton)]
_WIRING = Lock()


def wire(outside: Outside, replaced: Replaced = NOTHING) -> UseCases:
    """Return every use case over one world's outside; none is shared with another wiring.

    What depends on a use case of `replaced` is given the one in its place. Raises dependency_injector.errors.Error when
    something outside is missing, and AttributeError for a use case there is not.
    """
    given: dict[str, Any] = {port.name: getattr(outside, port.name) for port in fields(outside)}
    for name, make in replaced.items():
        given[name] = Singleton(make, **getattr(_CONTAINER, name).kwargs)
    with _WIRING, _CONTAINER.override_providers(**given):
        _CONTAINER.check_dependencies()
        try:
            return UseCases(**{each.name: getattr(_CONTAINER, each.name)() for each in fields(UseCases)})
        finally:
            for made in _SINGLETONS:
                made.reset()
