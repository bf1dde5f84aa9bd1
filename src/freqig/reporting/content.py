"""What a section of a page is made of: pieces that say what they are, and not how they look.

Texts are plain; templates escape them. A piece names its template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal
from urllib.parse import quote


@dataclass(frozen=True)
class SampleLink:
    """A word that leads to a sample in the section of one sample, in paragraphs and in cells of tables.

    Parameters
    ----------
    position : int
        Position of the sample in the result.
    text : str, optional
        What is written. Default "sample" and the position.
    """

    position: int
    text: str = ""

    def __str__(self) -> str:
        return self.text or f"sample {self.position}"

    @property
    def href(self) -> str:
        """Where it leads."""
        return f"#sample-{self.position}"


@dataclass(frozen=True)
class PageLink:
    """A word that leads to another page, by its path from this one."""

    path: str
    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def href(self) -> str:
        """Where it leads; what begins with a dot is a path, whatever stands in it."""
        return f"./{quote(self.path)}"


Words = str | tuple[str | SampleLink | PageLink, ...]
Cell = str | float | int | None | SampleLink | PageLink


@dataclass(frozen=True)
class Heading:
    """What the pieces that follow are about, within a section."""

    template: ClassVar[str] = "heading"

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Sentences.

    Parameters
    ----------
    text : str or tuple of (str or SampleLink)
        What is said.
    """

    template: ClassVar[str] = "paragraph"

    text: Words

    @property
    def parts(self) -> tuple[str | SampleLink | PageLink, ...]:
        """Texts and links, one after another."""
        return (self.text,) if isinstance(self.text, str) else self.text


@dataclass(frozen=True)
class Alert:
    """What a reader must know before trusting the page, and what to do about it.

    Parameters
    ----------
    level : {"good", "note", "warning", "serious"}
        How bad it is; written out, not only coloured.
    text : str
        What was found, with its number.
    remedy : str
        What to do.
    """

    template: ClassVar[str] = "alert"

    level: Literal["good", "note", "warning", "serious"]
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Missing:
    """What the page would show, if the result had it.

    Parameters
    ----------
    text : str
        A sentence that names what is missing.
    call : str
        The call that supplies it, as code.
    """

    template: ClassVar[str] = "missing"

    text: str
    call: str = ""


@dataclass(frozen=True)
class Listing:
    """Text to copy, such as a command or citations.

    Parameters
    ----------
    anchor, title : str
        Unique on the page, and what stands above.
    text : str
        As it is copied.
    """

    template: ClassVar[str] = "listing"

    anchor: str
    title: str
    text: str


@dataclass(frozen=True)
class Table:
    """Rows that can be sorted, and downloaded as TSV.

    Parameters
    ----------
    anchor, title : str
        Unique on the page, and what stands above.
    columns : sequence of str
        Heads, with units.
    rows : sequence of sequence
        Text, numbers, None where there is none, or links to samples. The page rounds numbers to three digits,
        the file does not.
    note : str
        What a reader of the file has to know, such as what is rounded.
    shown : int
        Up to how many rows stand on the page; the file has all.
    file_only : int
        How many of the last columns are in the file only.
    """

    template: ClassVar[str] = "table"

    anchor: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    shown: int = 200
    file_only: int = 0

    @property
    def on_page(self) -> int:
        """How many columns stand on the page."""
        return len(self.columns) - self.file_only


@dataclass(frozen=True)
class Figure:
    """A figure by plotly, of data that are known when the page is made.

    Parameters
    ----------
    anchor, title : str
        Unique on the page, and what stands above.
    alt : str
        What is to be seen, for those who do not see it.
    traces : sequence of mapping
        Traces of plotly, of lists and numbers.
    layout : mapping
        Of plotly, over that of the page.
    table : Table
        The data behind it.
    height : int
        In pixels.
    opens : sequence of (int or None)
        Samples that a click on a place of the horizontal axis opens, by the places of the first trace; none
        where clicks do nothing.
    """

    template: ClassVar[str] = "figure"

    anchor: str
    title: str
    alt: str
    traces: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    table: Table
    height: int = 320
    opens: Sequence[int | None] = ()


@dataclass(frozen=True)
class Picture:
    """A figure that was drawn when the page was made.

    Parameters
    ----------
    anchor, title, alt, table
        As of a `Figure`.
    png, svg : bytes
        The picture, twice.
    """

    template: ClassVar[str] = "picture"

    anchor: str
    title: str
    alt: str
    png: bytes
    svg: bytes
    table: Table


@dataclass(frozen=True)
class Live:
    """Figures that the script of the page draws from arrays, and what belongs to them.

    Parameters
    ----------
    kind : str
        Name of its template, and of what draws it.
    figures : sequence of (str, str, str)
        Anchors, titles and descriptions of its figures.
    about : mapping
        What its template and its script have to know, as JSON holds it.
    """

    kind: str
    figures: Sequence[tuple[str, str, str]]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def template(self) -> str:
        """Name of the template."""
        return self.kind


@dataclass(frozen=True)
class Index:
    """What there is on the page, by section.

    Parameters
    ----------
    entries : sequence of (str, sequence of (str, str, str))
        Titles of sections; anchors, titles and kinds of files of what they hold.
    """

    template: ClassVar[str] = "index"

    entries: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]


Piece = Heading | Paragraph | Alert | Missing | Listing | Table | Figure | Picture | Live | Index


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Parameters
    ----------
    anchor, title : str
        Unique on the page, and its head.
    pieces : sequence
        What it holds, in order.
    """

    anchor: str
    title: str
    pieces: Sequence[Piece]
