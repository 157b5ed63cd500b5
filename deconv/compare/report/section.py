"""The data of one section of the report: a data set with its rows and summaries."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deconv.compare.protocol import Row
from deconv.compare.report.plot import Series
from deconv.compare.summary import Summary

__all__ = ["Section"]


@dataclass(frozen=True)
class Section:
    """A data set in the report.

    Attributes
    ----------
    key : str
        Prefix of the ids of its elements in the page.
    dataset : str
        Name of the data set.
    rows : list of Row
        From `deconv.compare.summary.complete`.
    summaries : list of Summary
    numbers : dict of str to int or None
        Colour number of each method; None for references.
    truth : dict
        As in truth.json.
    folder : Path
        Folder of its restored images.
    """

    key: str
    dataset: str
    rows: list[Row]
    summaries: list[Summary]
    numbers: dict[str, int | None]
    truth: dict[str, Any]
    folder: Path

    @property
    def items(self) -> list[str]:
        """Names of its images."""
        return list(dict.fromkeys(row.item for row in self.rows))

    @property
    def leading(self) -> str:
        """The score that ranks methods."""
        return self.summaries[0].leading

    def series(
        self,
        summary: Summary,
        points: list[tuple[float, float]],
        low: float | None = None,
        high: float | None = None,
    ) -> Series:
        """The data of a method for a plot, with its colour."""
        return Series(summary.method, self.numbers[summary.method], points, low, high)
