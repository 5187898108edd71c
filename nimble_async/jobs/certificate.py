"""What an export says about itself when it ends: counts that balance, what is proven and what is not.

Rule: a certificate is made from the journal alone, so a run that only has to write it down makes
the same one. It names what cannot be observed instead of promising it.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from nimble_async._sansio.windows import Proof

__all__ = ["Certificate", "OutputFile", "Windows", "count_windows", "moment"]


class OutputFile(Struct, frozen=True, kw_only=True):
    """One file, so that it can be recognised. `bytes` is its size."""

    name: str
    bytes: int
    rows: int
    sha256: str


class Windows(Struct, frozen=True, kw_only=True):
    """How many blocks of rows were read, and how each was proven."""

    read: int = 0
    answer: int = 0
    """One answer whose rows equal its total."""
    order: int = 0
    """An ordered page, whole up to the date of its last row."""
    census: int = 0
    """Distinct ids, all alive at one instant, as many as the total of that instant."""
    snapshot: int = 0
    """One answer held everything there is."""
    seam: int = 0
    """Slices by offset, joined without a gap."""
    unproven: int = 0


class Certificate(Struct, frozen=True, kw_only=True):
    """The account of one export. Times are ISO 8601 by the server's clock, in UTC."""

    tool: str
    crm: str
    resource: str
    query: str
    """The query and the fields, as JSON."""
    account: str
    """A name for the account that is no secret."""
    completeness: str
    """`proven` or `unproven`."""
    reasons: tuple[str, ...] = ()
    """Why it is unproven."""
    started: str
    finished: str
    expected: int
    """Records the vendor counted at the start: its claim, where `gone` is None."""
    delivered: int
    gone: int | None
    """Expected and deleted before they were read; None where the vendor's counts contradict its lists."""
    appeared: int | None
    """Delivered beyond the expected: listed only after the start; None as above."""
    rejected: int
    """Rows without an id: they are in the file of rejected rows."""
    odd: int
    """Delivered rows without a readable date or number, at the end of the file."""
    duplicates: int
    """Rows seen again and dropped."""
    born_after: int | None = None
    """Records created after the start, which are not promised; None where that cannot be asked."""
    windows: Windows
    pages: int
    pages_reread: int
    requests: int
    requests_per_record: float
    resumed: int
    """How often the export was interrupted and taken up again."""
    facts: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    """What the proof rests on and cannot observe."""
    output: OutputFile
    rejected_output: OutputFile | None = None

    @property
    def proven(self) -> bool:
        """Whether every record that existed throughout is certainly in the file, once."""
        return self.completeness == "proven"

    @property
    def complete(self) -> bool:
        """Whether it is proven and no row was rejected: exit code 0, else 3."""
        return self.proven and not self.rejected

    def encode(self) -> bytes:
        """Return the certificate as indented JSON with a last line break."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    def lines(self) -> list[str]:
        """Return the lines for a person."""
        out = [
            f"{self.delivered:,} {self.resource} delivered to {self.output.name} "
            f"({self.output.bytes:,} bytes, sha256 {self.output.sha256[:16]}...)",
            f"expected {self.expected:,}, gone {_known(self.gone)}, appeared {_known(self.appeared)}, "
            f"rejected {self.rejected:,}, duplicates dropped {self.duplicates:,}",
            f"{_count(self.requests, 'request')} ({self.requests_per_record:.3f} a record), "
            f"{_count(self.pages, 'page')}, {self.pages_reread:,} read again, "
            f"resumed {_count(self.resumed, 'time')}",
        ]
        if self.born_after:
            out.append(
                f"{self.born_after:,} records were created after the start; they are not part of the promise"
            )
        if self.rejected_output is not None:
            out.append(f"rejected rows are in {self.rejected_output.name}")
        out.extend(self.facts)
        out.extend(f"not proven: {reason}" for reason in self.reasons)
        out.append(f"completeness: {self.completeness}")
        return out


def _known(number: int | None) -> str:
    return "not known" if number is None else f"{number:,}"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def moment(seconds: float) -> str:
    """Return an instant as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def count_windows(proofs: list[Proof]) -> Windows:
    """Count blocks by what proves them."""
    return Windows(
        read=len(proofs),
        answer=proofs.count(Proof.ANSWER),
        order=proofs.count(Proof.ORDER),
        census=proofs.count(Proof.CENSUS),
        snapshot=proofs.count(Proof.SNAPSHOT),
        seam=proofs.count(Proof.SEAM),
        unproven=proofs.count(Proof.NONE),
    )
