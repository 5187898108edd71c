"""New people and companies.

Rule: a draft is what is sent; what the vendor documents to refuse is refused when it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, Literal, TypeVar, overload

import msgspec
from msgspec import UNSET, Struct, UnsetType

from nimble_async.errors import DraftRefused
from nimble_async.nimble.models.contact_changes import FieldContent, entry
from nimble_async.nimble.models.contacts import Privacy
from nimble_async.nimble.models.fields import Address, Employment
from nimble_async.nimble.models.limits import comma_joined
from nimble_async.nimble.models.typed import TypedField

__all__ = ["ContactDraft"]

V = TypeVar("V")
_MOST_TAGS = 5
_SINGLE = frozenset(
    {
        "annual revenue", "birthday", "company name", "domain", "first name", "hubspot", "last name",
        "middle name",
    }
)  # fmt: skip
"""Fields that hold one value."""
_BIRTHDAY = re.compile(r"(0[1-9]|1[0-2])/(0[1-9]|[12]\d|3[01])(/\d{4})?", re.ASCII)
_DOMAIN = re.compile(r"[^\s/.:@]+(\.[^\s/.:@]+){1,2}")
_COMMA = re.compile(r"(?<!\\),")


class ContactDraft(Struct, frozen=True, kw_only=True):
    """A person or company to create. What is `UNSET` is not sent.

    `person` and `company` write one with natural names; `field` adds to it:
    `ContactDraft.person(first_name="Ada", email="ada@example.com").field("lead status", "1")`.

    Raises:
        DraftRefused: The vendor would refuse it: no kind or name, more than 5 tags, a privacy that
            names someone twice, a domain or birthday of another form.
    """

    fields: dict[str, list[dict[str, Any]]]
    """The values of each field, as they are sent: `value` and `modifier`."""
    record_type: Literal["person", "company"] | UnsetType = UNSET
    type: Literal["person", "company"] | UnsetType = UNSET
    """The older name of `record_type`; one of them is needed."""
    owner_id: str | UnsetType | None = UNSET
    """Who it belongs to; None: to nobody, `UNSET`: to whom the account says."""
    privacy: Privacy | UnsetType = UNSET
    tags: str | UnsetType = UNSET
    """Joined with commas; a comma inside a tag stands behind a backslash. `tagged` writes it."""
    avatar_url: str | UnsetType = UNSET
    file_ids: tuple[str, ...] | UnsetType = UNSET
    """Files that are uploaded already."""

    def __post_init__(self) -> None:
        """Refuse what the vendor would refuse."""
        self._check_kind()
        if self.tags is not UNSET and len(_COMMA.split(self.tags)) > _MOST_TAGS:
            raise DraftRefused(f"At most {_MOST_TAGS} tags are allowed at creation.")
        if self.privacy is not UNSET:
            _check_privacy(self.privacy)
        for value in self._texts("birthday"):
            if not _BIRTHDAY.fullmatch(value):
                raise DraftRefused(f"A birthday is MM/DD/YYYY or MM/DD, not {value!r}.")
        for value in self._texts("domain"):
            if not _DOMAIN.fullmatch(value):
                raise DraftRefused(f"A domain is a bare host name of two or three levels, not {value!r}.")

    def _check_kind(self) -> None:
        kinds = {kind for kind in (self.record_type, self.type) if kind is not UNSET}
        if len(kinds) != 1:
            raise DraftRefused("A contact is one of 'person' and 'company': give record_type.")
        if kinds == {"person"}:
            if not self._texts("first name") and not self._texts("last name"):
                raise DraftRefused("A person needs a first or a last name.")
            if "domain" in self.fields:
                raise DraftRefused("Only companies have a domain.")
        elif not self._texts("company name"):
            raise DraftRefused("A company needs a company name.")

    def _texts(self, name: str) -> list[str]:
        return [
            value for one in self.fields.get(name, []) if isinstance(value := one.get("value"), str) and value
        ]

    @classmethod
    def person(
        cls,
        *,
        first_name: str | None = None,
        last_name: str | None = None,
        middle_name: str | None = None,
        company: str | None = None,
        title: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        address: Address | None = None,
        url: str | None = None,
        description: str | None = None,
        birthday: date | str | None = None,
        tags: Iterable[str] = (),
        owner_id: str | UnsetType | None = UNSET,
        privacy: Privacy | UnsetType = UNSET,
        avatar_url: str | UnsetType = UNSET,
        file_ids: Iterable[str] = (),
    ) -> ContactDraft:
        """Describe a person.

        Args:
            first_name: One of first and last name is needed.
            last_name: One of first and last name is needed.
            middle_name: Between them.
            company: The present employer's name.
            title: What the person is there.
            email: At work; `field("email", ..., modifier="personal")` adds others.
            phone: At work.
            address: At work.
            url: At work.
            description: Any text.
            birthday: A day, or `MM/DD` without a year.
            tags: At most 5.
            owner_id: As in the draft.
            privacy: As in the draft.
            avatar_url: As in the draft.
            file_ids: As in the draft.

        Raises:
            DraftRefused: The vendor would refuse it.
        """
        job = Employment(company_name=company or "", title=title or "", is_present=True)
        contents: dict[str, FieldContent | None] = {
            "first name": first_name,
            "middle name": middle_name,
            "last name": last_name,
            "contact employment": job if company or title else None,
            "email": email,
            "phone": phone,
            "address": address,
            "URL": url,
            "description": description,
            "birthday": birthday,
        }
        rest = {"owner_id": owner_id, "privacy": privacy, "avatar_url": avatar_url}
        return _draft("person", contents, tags=tags, file_ids=file_ids, rest=rest)

    @classmethod
    def company(
        cls,
        name: str,
        *,
        domain: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        address: Address | None = None,
        url: str | None = None,
        description: str | None = None,
        tags: Iterable[str] = (),
        owner_id: str | UnsetType | None = UNSET,
        privacy: Privacy | UnsetType = UNSET,
        avatar_url: str | UnsetType = UNSET,
        file_ids: Iterable[str] = (),
    ) -> ContactDraft:
        """Describe a company.

        Args:
            name: Its name.
            domain: A bare host name of two or three levels, unique in the account.
            email: At work, as the other arguments of that kind.
            phone: At work.
            address: At work.
            url: At work.
            description: Any text.
            tags: At most 5.
            owner_id: As in the draft.
            privacy: As in the draft.
            avatar_url: As in the draft.
            file_ids: As in the draft.

        Raises:
            DraftRefused: The vendor would refuse it.
        """
        contents: dict[str, FieldContent | None] = {
            "company name": name,
            "domain": domain,
            "email": email,
            "phone": phone,
            "address": address,
            "URL": url,
            "description": description,
        }
        rest = {"owner_id": owner_id, "privacy": privacy, "avatar_url": avatar_url}
        return _draft("company", contents, tags=tags, file_ids=file_ids, rest=rest)

    @overload
    def field(self, name: TypedField[V], value: V, modifier: str | None = ...) -> ContactDraft: ...
    @overload
    def field(self, name: str, value: FieldContent, modifier: str | None = ...) -> ContactDraft: ...
    def field(self, name: TypedField[Any] | str, value: Any, modifier: str | None = None) -> ContactDraft:
        """Return the draft with one more value of a field; a field of one value has this one then.

        Without a modifier it is `work` for `email`, `phone`, `address` and `URL`, `other` for
        `description`, and none for other fields.

        Raises:
            DraftRefused: The name or the value is empty, or the vendor would refuse it.
        """
        called, sent = entry(name, value, modifier)
        before = [] if called in _SINGLE else self.fields.get(called, [])
        return msgspec.structs.replace(self, fields={**self.fields, called: [*before, sent]})

    def tagged(self, *tags: str) -> ContactDraft:
        """Return the draft with these tags in place of its own.

        Raises:
            DraftRefused: More than 5, or an empty one, or one that cannot be told from its commas.
        """
        return msgspec.structs.replace(self, tags=_joined(tags))


def _draft(
    kind: Literal["person", "company"],
    contents: dict[str, FieldContent | None],
    *,
    tags: Iterable[str],
    file_ids: Iterable[str],
    rest: dict[str, Any],
) -> ContactDraft:
    """Make a draft of what a person or a company is described by."""
    return ContactDraft(
        fields=_fields(contents),
        record_type=kind,
        tags=_joined(tags),
        file_ids=tuple(file_ids) or UNSET,
        **rest,
    )


def _fields(contents: dict[str, FieldContent | None]) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [entry(name, value)[1]] for name, value in contents.items() if value is not None and value != ""
    }


def _joined(tags: Iterable[str]) -> str | UnsetType:
    return comma_joined("tag", tags) or UNSET


def _check_privacy(privacy: Privacy) -> None:
    """Refuse an id that may edit and is named as a reader too."""
    for kind in ("user_ids", "group_ids"):
        editors, readers = ((who or {}).get(kind, ()) for who in (privacy.edit, privacy.read))
        both = set(editors) & set(readers)
        if both:
            raise DraftRefused(f"Who may edit may read: {sorted(both)} must not stand in both.")
