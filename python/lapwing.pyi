"""Design-space sweeps over LLM accelerators: axes over machines, models, formats and workloads in; rows with latencies,
energies, traffic and resources out. Every point is simulated to the cycle.

The same core as the command `lapwing sweep`: the same files, the same rows, the same bytes.
"""

import os
from collections.abc import Sequence
from typing import Literal, TypedDict, Union, final, type_check_only

__all__ = ["InputError", "Range", "Sweep", "__version__", "merge", "read"]

__version__: str
"""The version in rows: the command's of the same sources."""

_Value = Union[int, float, str, bool, list["_Value"]]
"""A value of an axis."""

class InputError(ValueError):
    """A sweep, its values or a folder of results are not what they must be: what, where, what was expected, what to do."""

@final
class Range:
    """Values between two bounds, both included, without steps."""

    @property
    def low(self) -> float:
        """Least value."""

    @property
    def high(self) -> float:
        """Greatest value."""

    @property
    def log(self) -> bool:
        """Whether equal ratios are equally likely, and not equal differences."""

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers."""

@type_check_only
class Point(TypedDict):
    """What one point comes to."""

    axes: dict[str, _Value]
    """Its values."""
    results: dict[str, float] | None
    """Latencies, energies and so on, by the names of `lapwing sweep --keys`; none where `failure` says why."""
    excluded: str | None
    """The constraint that it does not hold."""
    failure: str | None
    """Why there is no such machine, or why it cannot run the model."""
    config: str
    """A hash of everything that the results depend on."""
    seed: int
    """Seed of the sweep."""
    version: str
    """Version of Lapwing."""

@type_check_only
class Row(Point):
    """A point among the others of its sweep."""

    point: int
    """Its number."""
    front: bool
    """Whether no other point is better in all objectives."""

@type_check_only
class Summary(TypedDict):
    """What a finished sweep was."""

    version: str
    """Version of Lapwing."""
    seed: int
    """Seed of samples and searches."""
    inputs: str
    """A hash of the machines, models, formats and masks that the sweep file names, in hexadecimal."""
    sweep: str
    """The sweep file's text."""
    of_points: int
    """Points of the whole sweep."""
    first_point: int
    """The first of those here."""
    points: int
    """Points here: a part of a sweep has fewer than the whole."""
    done: int
    """Of these, simulated and within all constraints."""
    excluded: int
    """Outside of a constraint."""
    failed: int
    """Without results."""
    front: int
    """On the front."""
    minimised: list[str]
    """What is less on better points."""
    maximised: list[str]
    """What is more on better points."""
    axes: list[str]
    """Names of the axes."""
    glossary: dict[str, tuple[str, str]]
    """Unit and meaning of each result."""

@final
class Sweep:
    """A sweep: which points there are, and what each of them comes to.

    `source` is a sweep file's path, or its text: a string with a line break is a text, since no sweep fits on a line.
    What is wrong with the file is an `InputError` with a line for each fault.
    """

    def __new__(cls, source: str | os.PathLike[str]) -> Sweep: ...
    @property
    def axes(self) -> dict[str, list[_Value] | Range]:
        """The axes by name, in the order of the file: a list of values, or a `Range`."""

    @property
    def objectives(self) -> dict[str, Literal["minimise", "maximise"]]:
        """What is better, by the names of results: `"minimise"` or `"maximise"`."""

    @property
    def points(self) -> int:
        """How many points there are; of a search, how many it looks at."""

    def point(self, values: dict[str, _Value]) -> Point:
        """One point as a function: the row of these values, one for each axis. Any value of an axis' field may be asked
        for, not only those of the file. A machine that there is not or that cannot run the model is a row with its
        `failure`; values that are missing or for no axis are an `InputError`. Equal values give equal rows. Threads may
        call it at once."""

    def run(
        self, folder: str | os.PathLike[str], threads: int = 0, shard: tuple[int, int] = (1, 1)
    ) -> Summary:
        """Runs the sweep, or part K of N by `shard=(K, N)`, into a folder, and returns the summary. What the folder holds
        already is not run again: after an interrupt the same call goes on from there and ends with the same bytes.
        `threads` is how many of the host's are used, 0 for all; no result depends on it."""

def merge(parts: Sequence[str | os.PathLike[str]], folder: str | os.PathLike[str]) -> Summary:
    """Puts parts of a sweep, each run with `shard`, together in `folder`, and returns the summary: byte for byte what one
    run would have written. The order of the parts does not matter."""

def read(folder: str | os.PathLike[str]) -> list[Row]:
    """The rows of a finished sweep in a folder, in the order of its points. A damaged row is an error."""
