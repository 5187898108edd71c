"""Draft messages: what is saved, who takes part, and the values to save one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal

from msgspec import UNSET, Struct, UnsetType, field

from nimble_async._sansio.record import Id, Member, Record
from nimble_async.nimble.models.limits import check_choice, check_each
from nimble_async.nimble.models.mentions import ShortContact
from nimble_async.nimble.models.users import User

__all__ = [
    "Attachment",
    "DraftMessage",
    "InReplyTo",
    "MessageDraft",
    "MessageSpecification",
    "MessagingAccount",
    "Participant",
    "Tracking",
    "WatchReplies",
]


class Participant(Record, frozen=True, kw_only=True):
    """Somebody who sends or gets a message, and who that is in Nimble."""

    email: str | UnsetType | None = UNSET
    contact: ClassVar[Member[ShortContact]] = Member.of(ShortContact)
    """None where no contact has this address."""
    user: ClassVar[Member[User]] = Member.of(User)
    """None where no user has this address."""


class MessageSpecification(Record, frozen=True, kw_only=True):
    """What a draft message says; every part of it may be missing."""

    subject: str | UnsetType | None = UNSET
    body: str | UnsetType | None = UNSET
    content_mode: str | UnsetType | None = UNSET
    """`standard`, `builder` or `custom_html`."""
    sender_credential_id: str | UnsetType | None = UNSET
    sender: ClassVar[Member[Any]] = Member(object)
    recipients: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...])
    cc: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...])
    bcc: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...])
    attachments: ClassVar[Member[tuple[Any, ...]]] = Member(tuple[Any, ...])


class DraftMessage(Record, frozen=True, kw_only=True):
    """A saved draft message, with everybody in it matched to contacts and users."""

    id: Id = field(name="draft_id")
    updated: datetime | UnsetType | None = UNSET
    specification: ClassVar[Member[MessageSpecification]] = Member.of(MessageSpecification)
    creator: ClassVar[Member[User]] = Member.of(User)
    sender: ClassVar[Member[Participant]] = Member.of(Participant)
    recipients: ClassVar[Member[tuple[Participant, ...]]] = Member.each(Participant)
    cc: ClassVar[Member[tuple[Participant, ...]]] = Member.each(Participant)
    bcc: ClassVar[Member[tuple[Participant, ...]]] = Member.each(Participant)


class MessagingAccount(Struct, frozen=True, kw_only=True):
    """Who sends or gets a message: `MessagingAccount(identifier="a@example.com")`.

    Attributes:
        identifier: For an e-mail account its address.
        account_type: `email` or `mass_mail`.
        name: The name to show.
        avatar_url: A picture.
        comment: The role of the account, such as `work`.
        company: The company's name.
        company_id: The company's id.
        contact_id: The contact it belongs to.
        user_id: The user it belongs to.

    Raises:
        DraftRefused: There is no such type.
    """

    identifier: str
    account_type: Literal["email", "mass_mail"] = "email"
    name: str | UnsetType | None = UNSET
    avatar_url: str | UnsetType | None = UNSET
    comment: str | UnsetType = UNSET
    company: Any = UNSET
    company_id: Any = UNSET
    contact_id: str | UnsetType | None = UNSET
    user_id: str | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        """Refuse a type that the vendor does not know."""
        check_choice("account_type", self.account_type, ("email", "mass_mail"))


class Attachment(Struct, frozen=True, kw_only=True):
    """A file in a message, already uploaded; `file_size` is in bytes."""

    data_id: str
    file_size: int
    content_type: str
    name: str
    url: str


class InReplyTo(Struct, frozen=True, kw_only=True):
    """The message that is answered, by the mail provider's id, and its thread."""

    in_reply_to_id: str | UnsetType = UNSET
    thread_id: str | UnsetType = UNSET


class Tracking(Struct, frozen=True, kw_only=True):
    """Whether openings and clicks are counted."""

    opens_tracking: bool | UnsetType = UNSET
    clicks_tracking: bool | UnsetType = UNSET


class WatchReplies(Struct, frozen=True, kw_only=True):
    """How long to watch for an answer: seconds, or until a moment (as text)."""

    expiration_interval: int | float | UnsetType | None = UNSET
    expiration_tstamp: str | UnsetType | None = UNSET


class MessageDraft(Struct, frozen=True, kw_only=True):
    """A draft message to save; every part of it may be missing.

    Attributes:
        subject: The subject.
        body: The text, as HTML.
        recipients: Who gets it.
        cc: Who gets a copy.
        bcc: Who gets a copy that the others do not see.
        sender: The account that sends it.
        sender_credential_id: The credential to send with; None: found by the sender.
        attachments: Files in it.
        in_reply_to: The message that it answers.
        tracking_configuration: What is counted.
        tracking_enabled: Deprecated by the vendor; use `tracking_configuration`.
        watch_replies: Whether answers are watched for.
        builder_data: The state of the vendor's e-mail builder.
        content_mode: `standard`, `builder` or `custom_html`.

    Raises:
        DraftRefused: The vendor would refuse these values.
    """

    subject: str | UnsetType | None = UNSET
    body: str | UnsetType | None = UNSET
    recipients: Sequence[MessagingAccount] | UnsetType = UNSET
    cc: Sequence[MessagingAccount] | UnsetType = UNSET
    bcc: Sequence[MessagingAccount] | UnsetType = UNSET
    sender: MessagingAccount | UnsetType | None = UNSET
    sender_credential_id: str | UnsetType | None = UNSET
    attachments: Sequence[Attachment] | UnsetType = UNSET
    in_reply_to: InReplyTo | UnsetType | None = UNSET
    tracking_configuration: Tracking | UnsetType = UNSET
    tracking_enabled: Mapping[str, Any] | UnsetType | None = UNSET
    watch_replies: WatchReplies | UnsetType | None = UNSET
    builder_data: Mapping[str, Any] | UnsetType | None = UNSET
    content_mode: Literal["standard", "builder", "custom_html"] | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse what the vendor would refuse."""
        check_choice("content_mode", self.content_mode, ("standard", "builder", "custom_html"))
        for name in ("recipients", "cc", "bcc"):
            check_each(name, getattr(self, name), MessagingAccount)
