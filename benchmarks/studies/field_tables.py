"""Outcomes of the field set, and their tables: verdicts by kind, figures over all, peers side by side."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.studies import field_others
from benchmarks.studies.study import markdown

VERDICTS = ("solved", "better", "same", "worse", "harmed_sharp", "failed")
# One PSF blurs the whole picture; of labels, signs and plates in a scene, only a part is text.
ALIKE = (
    "page_defocus_jpeg",
    "page_motion_jpeg",
    "page_shake_jpeg",
    "page_gaussian_software",
    "receipt_defocus",
    "upscaled_soft_page",
    "light_on_dark_screen",
    "natural_defocus_jpeg",
    "natural_motion_jpeg",
    "natural_shake_jpeg",
)
# What may be told of each true family. A short motion with a wide cross-section has the shape of either.
RIGHT: dict[str, tuple[str, ...]] = {
    "none": ("none",),
    "disk": ("disk",),
    "polygon": ("disk",),
    "gaussian": ("gaussian",),
    "motion": ("motion",),
    "gaussian+motion": ("free", "motion"),
    "shake": ("free", "motion"),
}
# The parameter that is the size of the set's PSF.
SIZE = {"disk": "radius", "polygon": "radius", "gaussian": "sigma", "motion": "length"}
TOLERANCE = 0.1
PROMISED = 0.9


@dataclass(frozen=True)
class Outcome:
    """What became of one picture: what is true, what was told, and scores by method.

    A score is the fraction of characters read or, without text, the PSNR in dB.
    """

    kind: str
    severity: int
    seed: int
    family: str
    size: float | None
    text: bool
    verdict: str
    scores: Mapping[str, float] = field(default_factory=dict)
    ssim: Mapping[str, float] = field(default_factory=dict)
    told: str = "failed"
    parameters: Mapping[str, float] = field(default_factory=dict)
    uncertainty: float | None = None
    readability: float | None = None
    unchanged: bool = False
    cpu: float | None = None
    memory: float | None = None
    sentence: str = ""

    @property
    def family_right(self) -> bool | None:
        """Whether the family told is that of the blur; None if the blur has no single one, or nothing was told."""
        return self.told in RIGHT[self.family] if self.family in RIGHT and self.told != "failed" else None

    @property
    def size_error(self) -> float | None:
        """Relative error of the size told; None where the family is wrong or has no size."""
        name = SIZE.get(self.family, "")
        if not self.family_right or self.size is None or name not in self.parameters:
            return None
        return self.parameters[name] / self.size - 1


Figure = Callable[[Sequence[Outcome]], str]
AFTER = "after"
_TEXT = (field_others.BEFORE, AFTER, field_others.TRUE_PSF, field_others.SHARP)
_NATURAL = _TEXT[:3]
_WITH_TEXT = {"with": True, "without": False}


def mean(values: Iterable[float | None], form: str = ".2f", scale: float = 1.0) -> str:
    """The mean of those that there are, or "-"."""
    there = [value for value in values if value is not None]
    return format(scale * float(np.mean(there)), form) if there else "-"


def share(part: Sequence[object]) -> str:
    """How many of a sequence are true."""
    right = sum(bool(one) for one in part)
    return f"{right} of {len(part)} ({100 * right / len(part):.0f} %)" if part else "-"


def _means(outcomes: Sequence[Outcome], methods: Sequence[str], form: str) -> str:
    values = [mean((one.scores.get(method) for one in outcomes), form) for method in methods]
    return ", ".join(values) if outcomes else "-"


def by_kind(outcomes: Sequence[Outcome]) -> str:
    """A line for each kind: counts of verdicts, means of the scores, cost, and what was told."""
    lines = []
    for kind in dict.fromkeys(one.kind for one in outcomes):
        part = [one for one in outcomes if one.kind == kind]
        ssim = ", ".join(mean((one.ssim.get(method) for one in part), ".3f") for method in _NATURAL)
        lines.append(
            (
                kind,
                len(part),
                *(sum(one.verdict == verdict for one in part) for verdict in VERDICTS),
                _means([one for one in part if one.text], _TEXT, ".2f"),
                _means([one for one in part if not one.text], _NATURAL, ".1f"),
                "-" if any(one.text for one in part) else ssim,
                mean((one.cpu for one in part), ".1f"),
                mean((one.memory for one in part), ".0f"),
                "; ".join(map(_told, part)),
            )
        )
    scores = ("read before, after, true PSF, sharp", "PSNR before, after, true PSF", "SSIM")
    names = ("kind", "n", *VERDICTS, *scores, "CPU s", "MB", "true: told")
    return markdown(names, lines, ("kind", names[-1]))


def _told(one: Outcome) -> str:
    size = "" if one.size is None else f" {one.size:g}"
    value = one.parameters.get(SIZE.get(one.family, ""), next(iter(one.parameters.values()), None))
    return f"{one.family}{size}: {one.told}{'' if value is None else f' {value:.1f}'}"


def losses(outcomes: Iterable[Outcome]) -> str:
    """A line for each picture that came out worse, was harmed or failed: the scores, and what was said."""
    lines = []
    for one in outcomes:
        if one.verdict in ("worse", "harmed_sharp", "failed"):
            scores = (mean([one.scores.get(method)], ".2f") for method in (field_others.BEFORE, AFTER))
            lines.append((f"{one.kind} {one.severity} {one.seed}", one.verdict, *scores, one.sentence or "-"))
    return markdown(("picture", "verdict", "before", "after", "said"), lines, ("picture", "verdict", "said"))


def peers(outcomes: Sequence[Outcome]) -> str:
    """A line for each kind, and two over all: the mean score of each method where there is a true PSF."""
    methods = (field_others.BEFORE, AFTER, field_others.TRUE_PSF, *field_others.PEERS)
    known = [one for one in outcomes if field_others.TRUE_PSF in one.scores]
    parts = {kind: [one for one in known if one.kind == kind] for kind in dict.fromkeys(one.kind for one in known)}
    parts |= {f"all {name} text": [one for one in known if one.text is text] for name, text in _WITH_TEXT.items()}
    lines = []
    for name, part in parts.items():
        if part:
            form = ".2f" if part[0].text else ".1f"
            lines.append((name, len(part), *(mean((one.scores.get(m) for one in part), form) for m in methods)))
    names = ("kind", "n", "before", "deconv, blind", "true PSF", *field_others.PEERS)
    return markdown(names, lines, ("kind",))


def figures(variants: Mapping[str, Sequence[Outcome]]) -> str:
    """The figures over all pictures, a column for each variant of the method."""
    lines = [(name, *(figure(outcomes) for outcomes in variants.values())) for name, figure in FIGURES.items()]
    return markdown(("figure", *variants), lines, ("figure", *variants))


def alike(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Those blurred alike all over."""
    return [one for one in outcomes if one.kind in ALIKE]


def _sharp(outcomes: Iterable[Outcome]) -> list[Outcome]:
    return [one for one in outcomes if one.family == "none"]


def _read_at(severity: int) -> Figure:
    """Means of what is read at a severity, where all of the means have a value."""

    def figure(outcomes: Sequence[Outcome]) -> str:
        part = [one for one in alike(outcomes) if one.text and one.severity == severity]
        full = [one for one in part if all(method in one.scores for method in _TEXT)]
        return f"{_means(full, _TEXT, '.3f').replace(', ', ' -> ')} (n = {len(full)})"

    return figure


def _read_soft(outcomes: Sequence[Outcome]) -> str:
    part = [one for one in alike(outcomes) if one.text and field_others.TRUE_PSF not in one.scores]
    methods = (field_others.BEFORE, AFTER, field_others.SHARP)
    return f"{_means(part, methods, '.3f').replace(', ', ' -> ')} (n = {len(part)})"


def _gains(outcomes: Sequence[Outcome], method: str) -> list[float]:
    both = [one.scores for one in alike(outcomes) if not one.text and {field_others.BEFORE, method} <= set(one.scores)]
    return [scores[method] - scores[field_others.BEFORE] for scores in both]


def _natural_gain(outcomes: Sequence[Outcome]) -> str:
    after, known = (mean(_gains(outcomes, method), "+.2f") for method in (AFTER, field_others.TRUE_PSF))
    return f"{after} dB (true PSF: {known})"


def _families(outcomes: Iterable[Outcome]) -> str:
    return share([one.family_right for one in outcomes if one.family_right is not None])


def _sizes(outcomes: Iterable[Outcome]) -> str:
    errors = [one.size_error for one in outcomes]
    return share([abs(error) <= TOLERANCE for error in errors if error is not None])


def _surely(factor: float) -> Figure:
    """How many of the sizes told with an uncertainty are within so many times that; a wrong family is not."""

    def figure(outcomes: Sequence[Outcome]) -> str:
        within = []
        for one in outcomes:
            error = one.size_error
            if one.uncertainty is None or one.family_right is None:
                continue
            if not one.family_right:
                within.append(False)
            elif error is not None:
                within.append(abs(error) <= factor * one.uncertainty)
        return share(within)

    return figure


def _promised(outcomes: Sequence[Outcome]) -> str:
    read = [
        one.scores[AFTER]
        for one in outcomes
        if one.text and one.readability is not None and one.readability >= PROMISED
    ]
    return f"{np.mean(read):.3f} in the mean, {min(read):.2f} at least (n = {len(read)})" if read else "-"


def _most(values: Iterable[float | None], form: str) -> str:
    there = [value for value in values if value is not None]
    return f"{np.median(there):{form}}, {max(there):{form}}" if there else "-"


def _verdict(verdict: str) -> Figure:
    """How many have this verdict."""
    return lambda outcomes: share([one.verdict == verdict for one in outcomes])


FIGURES: dict[str, Figure] = {
    "all: pictures": lambda o: str(len(o)),
    **{f"all: {verdict.replace('_', ' ')}": _verdict(verdict) for verdict in VERDICTS},
    "sharp: harmed": lambda o: share([x.verdict == "harmed_sharp" for x in _sharp(o)]),
    "sharp: returned unchanged": lambda o: share([x.unchanged for x in _sharp(o)]),
    "blurred alike: worse": lambda o: share([x.verdict == "worse" for x in alike(o)]),
    "blurred alike: solved or better": lambda o: share([x.verdict in ("solved", "better") for x in alike(o)]),
    **{
        f"blurred alike, read at severity {severity}: before -> after -> true PSF -> sharp": _read_at(severity)
        for severity in range(3)
    },
    "enlarged pages, read: before -> after -> sharp": _read_soft,
    "natural: PSNR more than 0.5 dB better": lambda o: share([gain > 0.5 for gain in _gains(o, AFTER)]),
    "natural: mean gain": _natural_gain,
    "blurred alike: family right": lambda o: _families(alike(o)),
    "blurred alike: size within 10 %, of the right families": lambda o: _sizes(alike(o)),
    "all: family right": _families,
    "all: size within 10 %, of the right families": _sizes,
    "sizes told to +- x %: within x %": _surely(1),
    "sizes told to +- x %: within 2 x %": _surely(2),
    "pages promised 90 % readable: read": _promised,
    "CPU s: median, most": lambda o: _most((x.cpu for x in o), ".1f"),
    "MB: median, most": lambda o: _most((x.memory for x in o), ".0f"),
}
