"""The vendor's search, as expressions: `Q.email.is_("ada@example.com") & Q.created.last(days=7)`."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from nimble_async.errors import QueryRefused
from nimble_async.nimble.joins import Query
from nimble_async.nimble.models.typed import ChoiceField, TypedField
from nimble_async.nimble.operators import WordsOnly
from nimble_async.nimble.terms import (
    AddressTerms,
    BooleanTerms,
    ChoiceTerms,
    ContactedTerms,
    DateTerms,
    DescriptionTerms,
    EmploymentTerms,
    IdTerms,
    LabelTerms,
    NumberTerms,
    Presence,
    ProfileTerms,
    RecordTypeTerms,
    SavedSearchTerms,
    StampTerms,
    TagTerms,
    TextTerms,
    WordTerms,
)

__all__ = ["NamedTerms", "Q", "Query"]

V = TypeVar("V")


class NamedTerms(TextTerms):
    """What can be asked of a field by its name: a text, unless told that it is something else."""

    __slots__ = ()

    @property
    def text(self) -> TextTerms:
        """The field as a text."""
        return TextTerms(self._name, custom=self._custom)

    @property
    def number(self) -> NumberTerms:
        """The field as a number."""
        return NumberTerms(self._name, custom=self._custom)

    @property
    def date(self) -> DateTerms:
        """The field as a day or moment."""
        return DateTerms(self._name, custom=self._custom)

    @property
    def choice(self) -> ChoiceTerms:
        """The field as a choice: of a custom one the ids are known to the search, the labels are not."""
        return ChoiceTerms(self._name, custom=self._custom)

    @property
    def boolean(self) -> BooleanTerms:
        """The field as a yes or no."""
        return BooleanTerms(self._name, custom=self._custom)


class Q:
    """The fields that a search of contacts knows: `Q.<field>.<operator>(...)` is a `Query`."""

    any: ClassVar[WordsOnly] = WordsOnly("__any")
    """Any text of a contact; what `keyword` looks at."""
    name: ClassVar[WordTerms] = WordTerms("names")
    """First, middle and last name of a person, the name of a company."""
    first_name: ClassVar[TextTerms] = TextTerms("first name")
    last_name: ClassVar[TextTerms] = TextTerms("last name")
    company_name: ClassVar[TextTerms] = TextTerms("company name")
    """A company's own name."""
    employer: ClassVar[EmploymentTerms] = EmploymentTerms("company_name")
    """The companies a person works or worked at; the vendor calls it `company_name`, with a line below."""
    title: ClassVar[EmploymentTerms] = EmploymentTerms("title")
    """The titles of a person's employments."""
    email: ClassVar[TextTerms] = TextTerms("email")
    phone: ClassVar[TextTerms] = TextTerms("phone")
    domain: ClassVar[TextTerms] = TextTerms("domain")
    skype_id: ClassVar[TextTerms] = TextTerms("skype id")
    twitter: ClassVar[ProfileTerms] = ProfileTerms("twitter")
    linkedin: ClassVar[ProfileTerms] = ProfileTerms("linkedin")
    facebook: ClassVar[ProfileTerms] = ProfileTerms("facebook")
    description: ClassVar[DescriptionTerms] = DescriptionTerms("description")
    address: ClassVar[AddressTerms] = AddressTerms("address")
    created: ClassVar[StampTerms] = StampTerms("created")
    updated: ClassVar[StampTerms] = StampTerms("updated")
    birthday: ClassVar[DateTerms] = DateTerms("birthday")
    company_last_contacted: ClassVar[ContactedTerms] = ContactedTerms("company last contacted")
    """The last message between anybody of the account and the contact."""
    user_last_contacted: ClassVar[ContactedTerms] = ContactedTerms("user last contacted")
    """The last message between the user of the key or token and the contact."""
    rating: ClassVar[NumberTerms] = NumberTerms("rating")
    lead_status: ClassVar[ChoiceTerms] = ChoiceTerms("lead status")
    lead_source: ClassVar[ChoiceTerms] = ChoiceTerms("lead source")
    lead_type: ClassVar[ChoiceTerms] = ChoiceTerms("lead type")
    tag: ClassVar[TagTerms] = TagTerms("tag")
    record_type: ClassVar[RecordTypeTerms] = RecordTypeTerms("record type")
    id: ClassVar[IdTerms] = IdTerms("_id")
    saved_search: ClassVar[SavedSearchTerms] = SavedSearchTerms("saved_search")
    reminder: ClassVar[Presence] = Presence("reminder")

    @staticmethod
    def field(name: str) -> NamedTerms:
        """Return any field that every account has, or of deals, by the vendor's name for it.

        Raises:
            QueryRefused: The name is empty.
        """
        return NamedTerms(name)

    @staticmethod
    def custom(name: str) -> NamedTerms:
        """Return a field that was added by somebody of the account, by its name.

        It is a text unless told otherwise: `Q.custom("contract value").number.gt(1000)`.

        Raises:
            QueryRefused: The name is empty.
        """
        return NamedTerms(name, custom=True)

    @staticmethod
    def choice(field: TypedField[V]) -> LabelTerms[V]:
        """Return a choice of a typed view, to search it by its labels: `Q.choice(MyContact.segment)`.

        `nimble-async fields types` writes such a view.

        Raises:
            QueryRefused: The field is no choice, or one modifier of several, which the search does not
                tell apart.
        """
        if not isinstance(field, ChoiceField):
            raise QueryRefused(f"{field.name!r} is no choice.", hint="Use Q.custom(name).")
        if field.modifier is not None:
            raise QueryRefused(f"A search of {field.name!r} looks at every modifier, not at one.")
        return LabelTerms(field)
