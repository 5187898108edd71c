"""Files of deals: links to other clouds, and uploads to the vendor's own."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import UNSET, Struct, UnsetType, field

from nimble_async._sansio.record import Id, Member, Record
from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.users import User

__all__ = [
    "AzureFile",
    "DealFile",
    "DownloadUrl",
    "ExternalFile",
    "FileMetadata",
    "UploadedFile",
]


class FileMetadata(Record, frozen=True, kw_only=True):
    """Where the content of a file is."""

    source: str | UnsetType | None = UNSET
    """`uploaded_azure`, `dropbox`, `one_drive` or `google_drive`."""
    data_id: str | UnsetType | None = UNSET
    """For an upload: the object in the vendor's cloud."""
    file_url: str | UnsetType | None = UNSET
    """For a link: where the file is."""
    icon_url: str | UnsetType | None = UNSET


class DealFile(Record, frozen=True, kw_only=True):
    """A file of a deal."""

    id: Id = field(name="file_id")
    name: str | UnsetType | None = field(name="file_name", default=UNSET)
    file_size: int | float | UnsetType | None = UNSET
    """In bytes."""
    uploaded_at: str | UnsetType | None = UNSET
    uploader: ClassVar[Member[User]] = Member.of(User)
    metadata: ClassVar[Member[FileMetadata]] = Member.of(FileMetadata)


class DownloadUrl(Record, frozen=True, kw_only=True):
    """Where a file can be fetched, by whoever has the address: treat it like a key.

    It lies on another host as a rule. Fetch it with any HTTP client and without this client's key or
    token; `client.request` refuses other hosts, so nothing of it can leak there.
    """

    url: Id

    def __repr__(self) -> str:
        """Show where it leads, without the query, which is what opens the file."""
        return f"DownloadUrl({self.url.partition('?')[0]!r})"


class UploadedFile(Record, frozen=True, kw_only=True):
    """What the upload to the vendor's cloud answers; its shape is not documented."""

    data_id: str | UnsetType | None = UNSET
    """What `deal_files.create` takes."""


class AzureFile(Struct, frozen=True, kw_only=True):
    """The content of a new file: an upload, by the `data_id` it was given."""

    data_id: str
    source: Literal["uploaded_azure"] = "uploaded_azure"

    def __post_init__(self) -> None:
        """Refuse an upload that names nothing."""
        if not self.data_id:
            raise DraftRefused("data_id is empty.")


class ExternalFile(Struct, frozen=True, kw_only=True):
    """The content of a new file: a link into another cloud."""

    source: Literal["dropbox", "one_drive", "google_drive"]
    file_url: str
    icon_url: str

    def __post_init__(self) -> None:
        """Refuse a source that the vendor does not know."""
        known = ("dropbox", "one_drive", "google_drive")
        if self.source not in known:
            raise DraftRefused(f"The source of a link is {', '.join(known)}, not {self.source!r}.")
