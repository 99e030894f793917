"""Everything Pico can be asked to do, in one object: what the ways in are given."""

from __future__ import annotations

from dataclasses import dataclass

from application.accounts import (
    ChangeProfile,
    DeleteAccount,
    PreviewDeletion,
    ReadAccount,
    RecoverAccount,
    SignUp,
    VerifyAccount,
)
from application.erasure import EraseAccount
from application.exports import BuildExport, DownloadExport, ExpireExport, ReadExport, StartExport
from application.inbound_messages import ApplyDeliveryReceipt, ReceiveMessage
from application.lines import (
    BuyLine,
    CompletePurchase,
    FinishRelease,
    ListLines,
    ReadLine,
    RelabelLine,
    ReleaseLine,
    SearchNumbers,
)
from application.mail import SendMail
from application.message_deletion import DeleteCarrierCopy, PurgeConversation
from application.messages import (
    DeleteConversation,
    DeleteMessage,
    ListConversations,
    ListMessages,
    MarkRead,
    ReadConversation,
    ReadMessage,
    SendMessage,
)
from application.outbound_messages import SendQueuedMessage
from application.retention import Sweep
from application.sessions import Authenticate, ListSessions, SignIn, SignOut, SignOutOthers


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """One attribute per use case."""

    sign_up: SignUp
    verify_account: VerifyAccount
    read_account: ReadAccount
    change_profile: ChangeProfile
    preview_deletion: PreviewDeletion
    delete_account: DeleteAccount
    recover_account: RecoverAccount

    sign_in: SignIn
    authenticate: Authenticate
    list_sessions: ListSessions
    sign_out: SignOut
    sign_out_others: SignOutOthers

    search_numbers: SearchNumbers
    buy_line: BuyLine
    list_lines: ListLines
    read_line: ReadLine
    relabel_line: RelabelLine
    release_line: ReleaseLine

    send_message: SendMessage
    read_message: ReadMessage
    delete_message: DeleteMessage
    list_conversations: ListConversations
    read_conversation: ReadConversation
    mark_read: MarkRead
    delete_conversation: DeleteConversation
    list_messages: ListMessages

    start_export: StartExport
    read_export: ReadExport
    download_export: DownloadExport

    receive_message: ReceiveMessage
    apply_delivery_receipt: ApplyDeliveryReceipt

    send_queued_message: SendQueuedMessage
    delete_carrier_copy: DeleteCarrierCopy
    complete_purchase: CompletePurchase
    finish_release: FinishRelease
    purge_conversation: PurgeConversation
    build_export: BuildExport
    send_mail: SendMail
    expire_export: ExpireExport
    erase_account: EraseAccount
    sweep: Sweep
