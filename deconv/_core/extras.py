"""Packages that an extra of deconv brings, and one sentence for who lacks them."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["extra"]


@contextmanager
def extra(name: str, purpose: str) -> Iterator[None]:
    """Import optional packages inside: whichever is missing, the error names the extra that brings it.

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
        # The package itself may be there, and a module of ours or of its own be wrong: that is no missing extra.
        if error.name is None or "." in error.name or error.name == "deconv":
            raise
        message = f'{purpose} needs {error.name}, which is not installed: pip install "deconv[{name}]"'
        raise ModuleNotFoundError(message, name=error.name) from None
