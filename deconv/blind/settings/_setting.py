"""One number of a settings class: its default, unit, meaning and origin."""

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

__all__ = ["JUDGEMENT", "Origin", "origins", "setting"]

# Source of a number that no study has set.
JUDGEMENT = "judgement"

T = TypeVar("T")


@dataclass(frozen=True)
class Origin:
    """Where the default of a setting comes from.

    Attributes
    ----------
    about : str
        Its meaning, in one sentence.
    unit : str
        "pixels", "nats", "nats a frequency", "1" for a ratio.
    source : str
        A study (``"studies/families"``), a section of docs/tried.md (``"tried: Large PSFs"``) or ``"judgement"``.
    evidence : str
        What the study showed, in figures; empty for a judgement.
    """

    about: str
    unit: str
    source: str = JUDGEMENT
    evidence: str = ""


def setting(default: T, about: str, unit: str, source: str = JUDGEMENT, evidence: str = "") -> T:
    """A field of a frozen settings dataclass, with its origin.

    The annotated type is that of the value, as for `dataclasses.field`.
    """
    default_with_origin: T = field(default=default, metadata={"origin": Origin(about, unit, source, evidence)})
    return default_with_origin


def origins(settings: Any, prefix: str = "") -> dict[str, Origin]:
    """Origin of every number of a settings object or class, by dotted name.

    Parameters
    ----------
    settings : dataclass or its class
        A stage's settings, or all of them.
    prefix : str
        Put before each name.

    Returns
    -------
    dict of str to Origin

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from deconv.blind.settings import origins
    >>> origins(object())
    Traceback (most recent call last):
    TypeError: settings must be a settings dataclass, got object
    """
    if not is_dataclass(settings):
        raise TypeError(f"settings must be a settings dataclass, got {type(settings).__name__}")
    listed: dict[str, Origin] = {}
    for each in fields(settings):
        name = f"{prefix}{each.name}"
        if "origin" in each.metadata:
            listed[name] = each.metadata["origin"]
        else:
            # A stage within a stage: its class makes the default.
            inner = each.default_factory if callable(each.default_factory) else type(each.default)
            listed |= origins(inner, f"{name}.")
    return listed
