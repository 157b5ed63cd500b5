"""Import optional packages, with one clear sentence if one is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["extra"]


@contextmanager
def extra(name: str, purpose: str) -> Iterator[None]:
    """Context in which to import optional packages: if one is missing, the error names the extra that brings it.

    Parameters
    ----------
    name : str
        Extra, as `pyproject.toml` lists it.
    purpose : str
        What needs the package, as the subject of a sentence.

    Raises
    ------
    ModuleNotFoundError
        If a package is not installed.

    Examples
    --------
    >>> from deconv._core.extras import extra
    >>> with extra("ocr", "reading text"):
    ...     import no_such_reader
    Traceback (most recent call last):
    ModuleNotFoundError: reading text needs no_such_reader, which is not installed: pip install "deconv[ocr]"
    """
    try:
        yield
    except ModuleNotFoundError as error:
        # A missing submodule, or a missing module of deconv, is a bug rather than a missing extra.
        if error.name is None or "." in error.name or error.name == "deconv":
            raise
        message = f'{purpose} needs {error.name}, which is not installed: pip install "deconv[{name}]"'
        raise ModuleNotFoundError(message, name=error.name) from None
