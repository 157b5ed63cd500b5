"""What the report says of one data set."""

from dataclasses import dataclass
from pathlib import Path

from deconv.compare.protocol import Row
from deconv.compare.report.plot import Series
from deconv.compare.summary import Summary

__all__ = ["Part"]


@dataclass(frozen=True)
class Part:
    """A data set in the report.

    Attributes
    ----------
    key : str
        Begin of the names of its elements in the page.
    dataset : str
        Its name.
    rows : list of Row
        Complete, see `deconv.compare.summary.complete`.
    summaries : list of Summary
    numbers : dict of str to int or None
        Of methods, for their colours; None for references.
    truth : dict
        As in truth.json.
    folder : Path
        Where its restored pictures are.
    """

    key: str
    dataset: str
    rows: list[Row]
    summaries: list[Summary]
    numbers: dict
    truth: dict
    folder: Path

    @property
    def items(self):
        """Names of its pictures."""
        return list(dict.fromkeys(row.item for row in self.rows))

    @property
    def leading(self):
        """The score that orders methods."""
        return self.summaries[0].leading

    def series(self, summary, points, low=None, high=None):
        """A method as it looks in plots."""
        return Series(summary.method, self.numbers[summary.method], points, low, high)
