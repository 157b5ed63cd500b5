"""Loss and hallucinated words of the text prior on natural pictures.

::

    python -m benchmarks.studies.hallucination  # ten pictures of scikit-image, blurred as at steps 6, 10 and 14
    python -m benchmarks.studies.hallucination --steps 10 --pictures camera coins

Each row is saved in hallucination/rows.csv, and an interrupted run resumes there. The pictures are those in
scikit-image's wheel, grey. Each is blurred in linear light by the ladder's disc, scaled to the picture, and cropped to
the part that needs no light from outside; then it is encoded, with noise of 0.002 (first step) to 0.005 (last). PSNR is
against the values of the sharp picture. A word is a run of three or more letters or digits of which tesseract is sure
to 60 %: lines of the ladder have 75 to 92; in the textures of these pictures, sharp or blurred, it is sure to 59 at
most.
"""

import argparse
import functools
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import skimage.color
import skimage.data

import deconv
from benchmarks.studies import quality, study
from benchmarks.studies.quality import FRAME_WIDTH
from benchmarks.studies.study import markdown
from deconv.compare.protocol import Context, Item, Row

OUT = study.ROOT / "hallucination"

PRIORS = ("natural", "text", "auto")
NATURAL = ("astronaut", "camera", "chelsea", "coffee", "rocket", "brick")
TECHNICAL = ("coins", "moon", "horse", "checkerboard")
MOST_LOST = 0.3  # dB
_NOISE = (0.002, 0.005)
_SURE = 60  # per cent
_SOFTNESS = 0.09  # of the radius, as the challenge's discs


def scene(name: str) -> np.ndarray:
    """A sharp picture, grey, 0 to 1."""
    image = skimage.util.img_as_float32(getattr(skimage.data, name)())
    return image if image.ndim == 2 else skimage.color.rgb2gray(image[..., :3])


def blurred(sharp: np.ndarray, step: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture as blurred at a step of the ladder, and the sharp one with the same crop."""
    _, frame_radius, _ = deconv.degrade.hdc.hdc_psf(step, 1)
    radius = frame_radius * sharp.shape[1] / FRAME_WIDTH
    psf = deconv.psf.disk(radius, softness=_SOFTNESS * radius)
    reach = psf.shape[0] // 2
    inner = (slice(reach, -reach),) * 2
    light = deconv.degrade.blur(deconv.tone.decode(sharp), psf)[inner]
    image = deconv.degrade.add_noise(deconv.tone.encode(light), noise, rng=step)
    return np.clip(image, 0, 1).astype(np.float32), sharp[inner]


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """PSNR in dB for full scale 1."""
    return float(-10 * np.log10(np.mean((np.clip(image, 0, 1) - truth) ** 2)))


def words(image: np.ndarray) -> set[str]:
    """Runs of three or more letters or digits of which tesseract is sure."""
    import pytesseract

    with mock.patch.object(pytesseract, "image_to_string", _confident):
        return set(re.findall(r"[^\W_]{3,}", " ".join(deconv.ocr.read_lines(image))))


def _confident(page: Any, config: str, lang: str) -> str:
    """The text of `pytesseract.image_to_string` without words of low confidence."""
    import pytesseract

    data = pytesseract.image_to_data(page, config=config, lang=lang, output_type=pytesseract.Output.DICT)
    return "\n".join(text for text, sure in zip(data["text"], data["conf"], strict=True) if float(sure) >= _SURE)


@functools.cache
def _words_of_scene(name: str) -> frozenset[str]:
    return frozenset(words(scene(name)))


@dataclass(frozen=True)
class NoTextItem(Item):
    """A picture in the form that the runner takes, and the sharp one with the same crop."""

    truth: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class NoText:
    """Data set of pictures without text, each at some steps; the noise grows from the first step to the last."""

    steps: tuple[int, ...]
    pictures: tuple[str, ...]
    name: str = "no text"
    border: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Picture by picture, step by step."""
        return tuple(f"{picture}-{step}" for picture in self.pictures for step in self.steps)

    def load(self, name: str) -> NoTextItem:
        """One picture."""
        picture, _, step = name.rpartition("-")
        noises = dict(zip(self.steps, np.linspace(*_NOISE, len(self.steps)), strict=True))
        image, truth = blurred(scene(picture), int(step), float(noises[int(step)]))
        return NoTextItem(name, image, details={"picture": picture, "step": int(step)}, truth=truth)

    def fingerprint(self) -> str:
        """A hash of the study's code and of the steps, on which the noise depends."""
        return study.fingerprint(__file__, quality.__file__, also=self.steps)

    def measure(self, item: NoTextItem, image: np.ndarray, psf: np.ndarray | None, path: Path) -> dict[str, Any]:
        """PSNR, and the words that are not in the sharp picture."""
        assert item.truth is not None
        new = sorted(words(image) - _words_of_scene(item.details["picture"]))
        return {"psnr": psnr(image, item.truth), "details": {"new words": new}}


def restored(image: np.ndarray, context: Context, prior: Any) -> np.ndarray:
    """`deconv.blind.deblur` with a prior."""
    return deconv.blind.deblur(image, prior=prior).image


METHODS = [study.BLURRED, *(study.method(prior, "hallucination:restored", prior=prior) for prior in PRIORS)]

# One picture at one step: name, step, PSNR when blurred, and by prior the PSNR and new words when restored.
Line = tuple[str, int, float, Mapping[str, tuple[float, set[str]]]]


def lines_of(rows: Iterable[Row]) -> list[Line]:
    """The rows grouped by picture and step, in their order."""
    groups: dict[str, dict[str, Row]] = {}
    for row in rows:
        groups.setdefault(row.item, {})[row.method] = row
    lines: list[Line] = []
    for by_method in groups.values():
        if len(by_method) == len(METHODS):
            before = by_method[study.BLURRED.name]
            after = {p: (by_method[p].psnr or 0.0, set(by_method[p].details["new words"])) for p in PRIORS}
            lines.append((before.details["picture"], before.details["step"], before.psnr or 0.0, after))
    return lines


def cells(name: str, step: int, before: float, after: Mapping[str, tuple[float, set[str]]]) -> list[object]:
    """A line of the table."""
    natural = after["natural"][0]
    line: list[object] = [name, step, f"{before:.2f}", f"{natural:.2f}"]
    line += [f"{after[prior][0] - natural:+.2f}" for prior in PRIORS[1:]]
    return line + [" ".join(sorted(after[prior][1])).replace("|", "\\|") for prior in PRIORS]


def verdict(lines: Sequence[Line], prior: str) -> str:
    """One sentence about a prior: how many pictures lose too much, and how many have new words."""
    results = [after[prior] for *_, after in lines]
    lost = [after["natural"][0] - after[prior][0] for *_, after in lines]
    return (
        f'prior="{prior}": {sum(v > MOST_LOST for v in lost)} of {len(lost)} lose more than {MOST_LOST} dB (most: '
        f"{max(lost):.2f}); {sum(bool(new) for _, new in results)} have words that the sharp picture has not."
    )


def main() -> int:
    """Print the table and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, nargs="+", default=[6, 10, 14], metavar="N", help="default: 6 10 14")
    parser.add_argument("--pictures", nargs="+", default=NATURAL + TECHNICAL, metavar="NAME", help="of skimage.data")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes, of one thread each; default: all cores")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="rows (hallucination/)")
    args = parser.parse_args()
    names = ("picture", "step", "blurred, dB", "natural", *(f"{p} less natural" for p in PRIORS[1:]))
    names += tuple(f"new words, {p}" for p in PRIORS)
    lines = lines_of(study.run([NoText(tuple(args.steps), tuple(args.pictures))], METHODS, args.out, args.jobs))
    print(markdown(names, [cells(*line) for line in lines], ("picture", *names[-len(PRIORS) :])))
    print("\n".join(verdict(lines, prior) for prior in PRIORS[1:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
