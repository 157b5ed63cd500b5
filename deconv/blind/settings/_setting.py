"""A field of a settings class, with its unit, its meaning and the evidence for its default."""

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
        The meaning of the setting, in one sentence.
    unit : str
        Such as "pixels", "nats" or "nats a frequency"; "1" for a ratio.
    source : str
        A study (``"studies/families"``), a section of docs/tried.md (``"tried: Walks"``) or ``"judgement"``.
    evidence : str
        What the study showed, in figures; empty for a judgement.
    """

    about: str
    unit: str
    source: str = JUDGEMENT
    evidence: str = ""


def setting(default: T, about: str, unit: str, source: str = JUDGEMENT, evidence: str = "") -> T:
    """A field of a frozen settings dataclass, with its origin; typed as its value, like `dataclasses.field`."""
    value: T = field(default=default, metadata={"origin": Origin(about, unit, source, evidence)})
    return value


def origins(settings: Any, prefix: str = "") -> dict[str, Origin]:
    """Origin of every number of a settings object or class, by dotted name.

    Parameters
    ----------
    settings : dataclass or its class
        A stage's settings, or all of them.
    prefix : str
        Prefix of each name.

    Returns
    -------
    dict of str to Origin
        Unit, meaning and evidence by dotted name.

    Raises
    ------
    TypeError
        If `settings` is not a settings dataclass.

    Examples
    --------
    >>> from deconv.blind.settings import Settings, origins
    >>> origins(Settings())["general.photograph_gamma"].about
    'Exponent of the encoding that is assumed for photographs.'
    """
    if not is_dataclass(settings):
        raise TypeError(f"settings must be a settings dataclass, got {type(settings).__name__}")
    result: dict[str, Origin] = {}
    for each in fields(settings):
        name = f"{prefix}{each.name}"
        if "origin" in each.metadata:
            result[name] = each.metadata["origin"]
        else:
            # A nested stage, whose default factory is its class.
            inner = each.default_factory if callable(each.default_factory) else type(each.default)
            result |= origins(inner, f"{name}.")
    return result
