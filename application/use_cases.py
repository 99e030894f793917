"""Everything Pico can be asked to do, in one object, for HTTP, webhooks and the worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from application.account_deletion import DeleteAccount, EraseOnRequest, PreviewDeletion, RecoverAccount
from application.accounts import AcceptDocuments, ChangeProfile, ReadAccount
from application.audit_log import ListAuditLog, VerifyAuditLog
from application.backlog import ReadBacklog
from application.billing import ChangePlan, ListPlans, OpenCheckout, OpenPortal, ReadSubscription
from application.blocked_numbers import BlockNumber, ListBlockedNumbers, UnblockNumber
from application.call_progress import ApplyCallReport
from application.calls import DeleteCall, ForwardLine, ListCalls, ReadCall, StopForwarding
from application.carrier_recordings import RefuseRecording
from application.catching_up import CatchUp
from application.contact_import import ExportContacts, ImportContacts
from application.contacts import AddContact, ChangeContact, DeleteContact, ListContacts, ReadContact
from application.data_requests import CloseDataRequest, ListDataRequests, OpenDataRequest
from application.email_changes import AskEmailChange, VerifyEmailChange
from application.epochs import RotateMasterKey
from application.erasure_view import ListErasures
from application.exports import DownloadExport, ListExports, MeasureExport, ReadExport, StartExport
from application.forwarded_calls import AcceptForwardedCall
from application.greetings import (
    ReadGreeting,
    ReadOfferedGreeting,
    RemoveGreeting,
    UploadGreeting,
    WriteGreeting,
)
from application.inbound_calls import AnswerCall, ContinueCall
from application.inbound_messages import ApplyDeliveryReceipt, ReceiveMessage
from application.job_type import JobHandler
from application.key_rotation import RotateAccountKey
from application.line_purchase import ApplyOrderChange
from application.line_settings import ChangeLine
from application.lines import (
    BuyLine,
    CancelRelease,
    ListLines,
    ReadLine,
    ReleaseLine,
    SearchNumbers,
)
from application.live import FollowEvents
from application.mail_suppression import NoteUnreachable
from application.media import ListMedia, ReadMedia
from application.media_upload import ReadOfferedMedia, UploadMedia
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
from application.number_reconciliation import ReconcileNumbers
from application.operator_access import CountAccounts, ListOperatorAccess, NoteOperatorAccess
from application.outbound_calls import AnswerApp, ConnectCall, IssueVoiceToken, PlaceCall
from application.passwords import AskPasswordReset, ChangePassword, ResetPassword
from application.porting import CancelPort, ListPorts, ProvePort, ReadPort, RequestPort
from application.push import DeletePushToken, ListPushTokens, RegisterPushToken
from application.receipts import ReadPublicKey, ShowReceipt
from application.restore_gate import RestoreGate
from application.restriction import LiftRestriction, RestrictAccount
from application.retention import Sweep
from application.search import Search
from application.sessions import Authenticate, ListSessions, SignIn, SignOut, SignOutOthers
from application.sign_up import SignUp, VerifyAccount
from application.store_purchases import ReadBuyerToken, ReceiveStoreHint
from application.subscription_following import ReceivePaymentHint
from application.voicemail import (
    ChangeVoicemail,
    DeleteVoicemail,
    ListVoicemails,
    ReadVoicemail,
    RestoreVoicemail,
)
from application.voicemail_receiving import ReceiveVoicemail
from application.voicemail_transcripts import ApplyTranscript
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
from domain.documents import Documents


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """One attribute per use case, and the handlers of jobs by name."""

    sign_up: SignUp
    verify_account: VerifyAccount
    read_account: ReadAccount
    change_profile: ChangeProfile
    accept_documents: AcceptDocuments
    preview_deletion: PreviewDeletion
    delete_account: DeleteAccount
    recover_account: RecoverAccount
    change_password: ChangePassword
    ask_password_reset: AskPasswordReset
    reset_password: ResetPassword
    ask_email_change: AskEmailChange
    verify_email_change: VerifyEmailChange

    sign_in: SignIn
    authenticate: Authenticate
    list_sessions: ListSessions
    sign_out: SignOut
    sign_out_others: SignOutOthers

    search_numbers: SearchNumbers
    buy_line: BuyLine
    list_lines: ListLines
    read_line: ReadLine
    change_line: ChangeLine
    release_line: ReleaseLine
    cancel_release: CancelRelease
    request_port: RequestPort
    prove_port: ProvePort
    list_ports: ListPorts
    read_port: ReadPort
    cancel_port: CancelPort
    reconcile_numbers: ReconcileNumbers
    catch_up: CatchUp

    send_message: SendMessage
    read_message: ReadMessage
    list_receipts: ListReceipts
    cancel_message: CancelMessage
    delete_message: DeleteMessage
    list_conversations: ListConversations
    read_conversation: ReadConversation
    mark_read: MarkRead
    delete_conversation: DeleteConversation
    list_messages: ListMessages

    add_contact: AddContact
    list_contacts: ListContacts
    read_contact: ReadContact
    change_contact: ChangeContact
    delete_contact: DeleteContact
    import_contacts: ImportContacts
    export_contacts: ExportContacts

    list_media: ListMedia
    read_media: ReadMedia
    upload_media: UploadMedia
    read_offered_media: ReadOfferedMedia

    list_voicemails: ListVoicemails
    read_voicemail: ReadVoicemail
    change_voicemail: ChangeVoicemail
    delete_voicemail: DeleteVoicemail
    restore_voicemail: RestoreVoicemail

    read_greeting: ReadGreeting
    write_greeting: WriteGreeting
    upload_greeting: UploadGreeting
    remove_greeting: RemoveGreeting
    read_offered_greeting: ReadOfferedGreeting

    block_number: BlockNumber
    unblock_number: UnblockNumber
    list_blocked_numbers: ListBlockedNumbers
    follow_events: FollowEvents
    register_push_token: RegisterPushToken
    list_push_tokens: ListPushTokens
    list_plans: ListPlans
    read_subscription: ReadSubscription
    open_checkout: OpenCheckout
    open_portal: OpenPortal
    change_plan: ChangePlan
    receive_payment_hint: ReceivePaymentHint
    note_unreachable: NoteUnreachable
    receive_store_hint: ReceiveStoreHint
    read_buyer_token: ReadBuyerToken
    delete_push_token: DeletePushToken

    add_webhook_endpoint: AddWebhookEndpoint
    list_webhook_endpoints: ListWebhookEndpoints
    read_webhook_endpoint: ReadWebhookEndpoint
    change_webhook_endpoint: ChangeWebhookEndpoint
    delete_webhook_endpoint: DeleteWebhookEndpoint
    rotate_webhook_secret: RotateWebhookSecret
    try_webhook_endpoint: TryWebhookEndpoint
    list_webhook_deliveries: ListWebhookDeliveries

    search: Search

    restrict_account: RestrictAccount
    lift_restriction: LiftRestriction
    open_data_request: OpenDataRequest
    list_data_requests: ListDataRequests
    close_data_request: CloseDataRequest
    list_erasures: ListErasures
    read_backlog: ReadBacklog
    erase_on_request: EraseOnRequest
    show_receipt: ShowReceipt
    read_public_key: ReadPublicKey

    note_operator_access: NoteOperatorAccess
    list_operator_access: ListOperatorAccess
    count_accounts: CountAccounts
    list_audit_log: ListAuditLog
    verify_audit_log: VerifyAuditLog

    start_export: StartExport
    list_exports: ListExports
    read_export: ReadExport
    download_export: DownloadExport
    measure_export: MeasureExport

    receive_message: ReceiveMessage
    apply_delivery_receipt: ApplyDeliveryReceipt
    receive_voicemail: ReceiveVoicemail
    refuse_recording: RefuseRecording
    apply_transcript: ApplyTranscript
    apply_order_change: ApplyOrderChange

    rotate_master_key: RotateMasterKey
    rotate_account_key: RotateAccountKey
    answer_call: AnswerCall
    continue_call: ContinueCall
    accept_forwarded_call: AcceptForwardedCall
    apply_call_report: ApplyCallReport
    answer_app: AnswerApp
    connect_call: ConnectCall
    place_call: PlaceCall
    issue_voice_token: IssueVoiceToken
    list_calls: ListCalls
    read_call: ReadCall
    delete_call: DeleteCall
    forward_line: ForwardLine
    stop_forwarding: StopForwarding

    restore_gate: RestoreGate
    sweep: Sweep

    job_handlers: Mapping[str, JobHandler]
    """By the name of the job type."""

    documents: Documents
    """What there is to be accepted."""
