"""Methods side by side on the same images, scored alike: the classical baseline for a learned method.

>>> import deconv.compare
>>> methods = [m for m in deconv.compare.BUILTIN if m.name in ("blurred", "Wiener")]
>>> data = deconv.compare.open_dataset("synthetic:2")
>>> summaries = deconv.compare.run([data], methods, "comparison")  # doctest: +SKIP
>>> print(deconv.compare.as_text(summaries))  # doctest: +SKIP

Every method runs in its own process and is scored from the files that it wrote. A failure is a row that says why, and
counts as nothing read. A method is given the values that it declares to know and no others. `deconv compare` does the
same from a shell.
"""

from deconv.compare.api import run
from deconv.compare.datasets import load_datasets, open_dataset
from deconv.compare.methods import BUILTIN, load_methods
from deconv.compare.protocol import Context, Dataset, Item, Method, Problem, Row
from deconv.compare.report.page import write_report
from deconv.compare.runner import Settings
from deconv.compare.summary import Summary, summarise
from deconv.compare.table import as_latex, as_text, read_rows

__all__ = [
    "BUILTIN",
    "Context",
    "Dataset",
    "Item",
    "Method",
    "Problem",
    "Row",
    "Settings",
    "Summary",
    "as_latex",
    "as_text",
    "load_datasets",
    "load_methods",
    "open_dataset",
    "read_rows",
    "run",
    "summarise",
    "write_report",
]
