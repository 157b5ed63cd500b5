"""Every threshold and weight of blind deconvolution: one frozen dataclass a stage, passed down and never patched.

>>> from deconv.blind import Settings
>>> from deconv.blind.settings import origins
>>> settings = Settings().replace({"text.strokes.max_pixels": 0})
>>> settings.text.strokes.max_pixels
0
>>> origins(settings)["text.verdict.readability.blur"].source
'studies/calibrate_readability'

Each field has a unit and an origin: a study of `benchmarks/studies`, a section of ``docs/tried.md``, or judgement.
`origins` lists them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from numbers import Integral, Real
from typing import Any

from deconv.blind.settings._setting import Origin, origins
from deconv.blind.settings.freeform import FreeForm
from deconv.blind.settings.general import General
from deconv.blind.settings.jpeg import Jpeg
from deconv.blind.settings.known import KnownPsf
from deconv.blind.settings.natural import Natural
from deconv.blind.settings.parametric import Parametric
from deconv.blind.settings.review import LastLook
from deconv.blind.settings.select import Selection
from deconv.blind.settings.text import Text

__all__ = ["Origin", "Settings", "origins"]


@dataclass(frozen=True)
class Settings:
    """Thresholds and weights of every stage of blind deconvolution, for studies.

    Attributes
    ----------
    general : General
        Input, refinement of a parametric PSF, deconvolution with it.
    parametric : Parametric
        Spectrum, search and motion search of a parametric PSF.
    selection : Selection
        Choice among the kinds of blur.
    freeform : FreeForm
        Estimate of a free-form PSF.
    natural : Natural
        Final restoration of natural images and with a free-form PSF.
    known : KnownPsf
        Restoration with a known PSF.
    review : LastLook
        The last look at a restoration.
    jpeg : Jpeg
        Errors of JPEG compression.
    text : Text
        Ink, tone curve, restoration and text verdict.

    Examples
    --------
    >>> import deconv
    >>> settings = deconv.blind.Settings().replace({"general.deconvolution.num_iter": 50})
    >>> settings.general.deconvolution.num_iter
    50
    """

    general: General = field(default_factory=General)
    parametric: Parametric = field(default_factory=Parametric)
    selection: Selection = field(default_factory=Selection)
    freeform: FreeForm = field(default_factory=FreeForm)
    natural: Natural = field(default_factory=Natural)
    known: KnownPsf = field(default_factory=KnownPsf)
    review: LastLook = field(default_factory=LastLook)
    jpeg: Jpeg = field(default_factory=Jpeg)
    text: Text = field(default_factory=Text)

    def __post_init__(self) -> None:
        _check(self, "settings")

    def replace(self, values: Mapping[str, Any]) -> "Settings":
        """A copy with other values.

        Parameters
        ----------
        values : dict of str to object
            New values by dotted name, as `deconv.blind.settings.origins` lists them.

        Returns
        -------
        Settings
            The copy.

        Raises
        ------
        TypeError, ValueError
            If there is no such setting, or its value is of another type.

        Examples
        --------
        >>> import deconv
        >>> deconv.blind.Settings().replace({"text.strokes.max_pixels": 0}).text.strokes.max_pixels
        0
        """
        changed = self
        for name, value in values.items():
            changed = _replaced(changed, name.split("."), value, name)
        return changed


def _replaced(stage: Any, path: list[str], value: Any, name: str) -> Any:
    """The stage with the value at the end of a path of names."""
    first, *rest = path
    if not is_dataclass(stage) or first not in {each.name for each in fields(stage)}:
        raise ValueError(f"there is no setting {name!r}")
    if rest:
        value = _replaced(getattr(stage, first), rest, value, name)
    return replace(stage, **{first: value})  # type: ignore[type-var]


def _check(stage: Any, path: str) -> None:
    """One sentence about the first value that is not of its default's type."""
    for each in fields(stage):
        value, name = getattr(stage, each.name), f"{path}.{each.name}"
        if isinstance(each.default_factory, type):
            if not isinstance(value, each.default_factory):
                raise TypeError(f"{name} must be a {each.default_factory.__name__}, got {type(value).__name__}")
            _check(value, name)
        elif not _alike(value, each.default):
            raise TypeError(f"{name} must be like its default, {each.default!r}, got {value!r}")


def _alike(value: Any, default: Any) -> bool:
    """Whether a value is of the kind of a default; None stands for a number that is not given."""
    if isinstance(default, bool) or isinstance(value, bool):
        return type(value) is type(default)
    if isinstance(default, Integral):
        return isinstance(value, Integral)
    if default is None:
        return value is None or isinstance(value, Real)
    if isinstance(default, Real):
        return isinstance(value, Real)
    return isinstance(value, type(default))
