"""Data sets of pictures blurred by PSFs of any shape, loaded by name, and the methods that restore them.

======================  =============================================================================================
``pan/im03_ker07``      text of the set of Pan et al. (CVPR 2014), blurred in its 8-bit values, in grey
``noise01/...``         the same with 1 % Gaussian noise; ``noise03/``, 3 %; ``jpeg75/``, as JPEG of quality 75
``levin/im01_ker02``    real camera shakes, of Levin et al. (CVPR 2009)
``large/57/3``          page 3, drawn and blurred here by a path of 57 pixels, with 0.5 % noise
``cost/0944``           a page of that width, a path of 31 pixels; ``cost/0944/61``, of 61
``real/hanzi.jpg``      photographs in colour, without ground truth
======================  =============================================================================================
"""

import functools
import io
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import deconv
from benchmarks.studies import contact_sheet, study
from deconv._core import files
from deconv.blind.natural import restore
from deconv.compare.protocol import Context, Item

DATA = study.ROOT.parent / "shared" / "data"
SCENES = (1, 2, 3, 4, 5, 6, 9, 10)
LARGE = (41, 49, 57, 65, 75)
PAGES = 4
NOISES = ("noise01", "noise03", "jpeg75")
COSTS = ("0450", "0450/61", "0944", "2360")
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_STEPS = 255


@dataclass(frozen=True)
class Print:
    """Text in a picture: its box, as left, top, right, bottom, and its characters."""

    box: tuple[int, ...]
    truth: str
    invert: bool = False


@dataclass(frozen=True)
class Case:
    """A blurred picture and its ground truth, None where unknown; scores exclude `border` pixels on all sides."""

    name: str
    image: np.ndarray
    sharp: np.ndarray | None = None
    psf: np.ndarray | None = None
    border: int = 15
    text: Print | None = None


@dataclass(frozen=True)
class CaseItem(Item):
    """A case in the form that the runner takes."""

    case: Case | None = None


def sixteen() -> list[str]:
    """Names of the sixteen pictures of the text set in the tables: each scene with two kernels."""
    return [f"im{i:02}_ker{(i + d) % 8 + 1:02}" for i in SCENES for d in (-1, 3)]


def names(part: str, folder: Path = DATA, every: bool = False) -> list[str]:
    """Names of the pictures of a part, optionally all 64 of the text set instead of 16; empty without the data."""
    drawn_here = {"large": [f"{size}/{i}" for size in LARGE for i in range(PAGES)], "cost": COSTS}
    if part in drawn_here:
        return [f"{part}/{name}" for name in drawn_here[part]]
    at = folder / {"levin": "levin2009", "real": "real_text"}.get(part, "pan_text")
    if not at.is_dir():
        return []
    if part == "levin":
        return [f"levin/im{i:02}_ker{k:02}" for i in (1, 2) for k in range(1, 9)]
    if part == "real":
        return [f"real/{path.name}" for path in sorted(at.iterdir()) if path.suffix in (".png", ".jpg")]
    if part == "noise":
        return [f"{kind}/{name}" for kind in NOISES for name in sixteen()]
    scenes = [f"im{i:02}_ker{k:02}" for i in SCENES for k in range(1, 9)] if every else sixteen()
    return [f"pan/{name}" for name in scenes]


def load(name: str, folder: Path = DATA) -> Case:
    """The picture of that name; `folder` holds the sets of other authors."""
    part, _, rest = name.partition("/")
    if part == "real":
        return Case(name, np.asarray(files.read(folder / "real_text" / rest).pixels, np.float32))
    if part == "large":
        size, page = map(int, rest.split("/"))
        return drawn(name, (480, 720), size, seed=100 * size + page, noise=0.005)
    if part == "cost":
        width, size = map(int, (*rest.split("/"), "31")[:2])
        return drawn(name, (round(width * 1460 / 2360), width), size, seed=width, noise=0.005)
    match = re.fullmatch(r"im(\d\d)_ker(\d\d)", rest)
    if match is None or part not in ("pan", "levin", *NOISES):
        raise ValueError(f"no picture is called {name}")
    scene, kernel = map(int, match.groups())
    if part == "levin":
        return _levin(name, folder / "levin2009", rest, kernel)
    case = _pan(name, folder / "pan_text", rest, scene, kernel)
    if part == "pan":
        return case
    return replace(
        case, image=_jpeg(case.image) if part == "jpeg75" else _noisy(case.image, int(part[-2:]) / 100, rest)
    )


def _pan(name: str, folder: Path, stem: str, scene: int, kernel: int) -> Case:
    def grey(path: str) -> np.ndarray:
        return files.read(folder / path).pixels.astype(np.float32) @ _GREY

    psf = deconv.psf.normalise(files.read(folder / f"kernels/ker{kernel:02}_truth.png").pixels)
    boxes, text = json.loads((folder / "transcripts/boxes.json").read_text()), None
    if place := boxes.get(f"im{scene:02}"):
        truth = (folder / f"transcripts/im{scene:02}.txt").read_text(encoding="utf-8")
        text = Print(tuple(place["box"]), truth, place["invert"])
    return Case(name, grey(f"blurred/{stem}_blur.png"), grey(f"sharp/im{scene:02}.png"), psf, text=text)


def _levin(name: str, folder: Path, stem: str, kernel: int) -> Case:
    image, sharp = (
        np.asarray(files.read(folder / f"{stem}_{kind}.png").pixels, np.float32) for kind in ("blur", "sharp")
    )
    with np.load(folder / "kernels_float64.npz") as kernels:
        # The set stores them rotated by half a turn relative to the kernel of the convolution.
        psf = kernels[f"ker{kernel:02}"][::-1, ::-1].astype(np.float32)
    return Case(name, image, sharp, deconv.psf.normalise(psf))


def _noisy(image: np.ndarray, sigma: float, stem: str) -> np.ndarray:
    seed = int("".join(re.findall(r"\d+", stem)))
    return _rounded(deconv.degrade.add_noise(image, sigma, rng=seed))


def _jpeg(image: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(np.uint8(np.rint(_STEPS * image))).save(file, "JPEG", quality=75)
    return np.asarray(Image.open(file), np.float32) / _STEPS


def _rounded(image: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(_STEPS * np.clip(image, 0, 1)) / _STEPS, np.float32)


def drawn(name: str, shape: tuple[int, int], size: int, *, seed: int, noise: float) -> Case:
    """A page of random words blurred by a random path of `size` pixels.

    Of four pages two have a margin and two are cut on all sides; the last is bright on dark.
    """
    rng, reach = np.random.default_rng(seed), size // 2
    outer = tuple(n + 2 * reach for n in shape)
    letters, font = int(rng.integers(22, 40)), ("verdana", "times")[seed % 2]
    runs_off = seed % 4 in (1, 2)
    lines = _words(
        rng,
        round(outer[0] / letters * (1 if runs_off else 0.5)),
        round(outer[1] / letters * (2.4 if runs_off else 1.2)),
    )
    page = deconv.degrade.text_picture(lines, font=font, size=letters, shape=None if runs_off else outer)
    page = page[tuple(slice((n - m) // 2, (n - m) // 2 + m) for n, m in zip(page.shape, outer, strict=True))]
    ink, paper = rng.uniform(0.02, 0.2), rng.uniform(0.75, 0.98)
    page = ink + (paper - ink) * (1 - page if seed % 4 == 3 else page)
    psf = deconv.psf.random_motion(size, rng=seed).astype(np.float32)
    inner = tuple(slice(reach, reach + n) for n in shape)
    image = deconv.degrade.add_noise(deconv.degrade.blur(page, psf)[inner], noise, rng=seed)
    return Case(name, _rounded(image), page[inner], psf, border=38 if size > 31 else 15)


def _words(rng: np.random.Generator, count: int, length: int) -> list[str]:
    """Lines of random letters, one in six a blank."""
    letters = list(deconv.degrade.hdc.ALPHABET)
    lines = rng.choice(letters, (count, length))
    return ["".join(line) for line in np.where(rng.random(lines.shape) < 1 / 6, " ", lines)]


@dataclass(frozen=True)
class Part:
    """Data set of the pictures whose names begin with `name` and a slash; scored before rounding."""

    name: str
    stems: tuple[str, ...]
    folder: Path = DATA
    border: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The names after that prefix."""
        return self.stems

    def load(self, name: str) -> CaseItem:
        """One picture."""
        case = load(f"{self.name}/{name}", self.folder)
        return CaseItem(name, case.image, case.sharp, psf=case.psf, case=case)

    def fingerprint(self) -> str:
        """A hash of the study's code and of the pictures of other authors."""
        own = [str(Path(__file__)), str(Path(contact_sheet.__file__))]
        folders = [self.folder / name for name in ("levin2009", "pan_text", "real_text")]
        files = [path for folder in folders for path in sorted(folder.rglob("*.*"))]
        return study.fingerprint(*own, also=[(path.name, path.stat().st_size) for path in files])

    def measure(self, item: CaseItem, image: np.ndarray, psf: np.ndarray | None, path: Path) -> dict[str, Any]:
        """PSNR, SSIM, PSF similarity and characters read; reduced copies of results with a PSF are saved."""
        case, scores = item.case, {}
        assert case is not None
        if case.sharp is not None:
            psnr = deconv.metrics.psnr(image, case.sharp, border=case.border)
            ssim = deconv.metrics.ssim(image, case.sharp, border=case.border)
            scores = {"psnr": round(psnr, 3), "ssim": round(ssim, 4)}
        details: dict[str, Any] = {"code": study.code()}
        if psf is not None:
            contact_sheet.keep(path, case.image, image, psf)
        if psf is not None and case.psf is not None:
            details["similarity"] = round(deconv.psf.similarity(psf, case.psf), 4)
        if (characters := read(case, image)) is not None:
            details["read"] = round(characters, 4)
        return scores | {"details": details}


def parts(pictures: Iterable[str], folder: Path = DATA) -> list[Part]:
    """One data set for each prefix of the names; they run in parallel."""
    stems: dict[str, list[str]] = {}
    for picture in pictures:
        name, _, stem = picture.rpartition("/")
        stems.setdefault(name, []).append(stem)
    return [Part(name, tuple(own), folder) for name, own in stems.items()]


def true_psf(image: np.ndarray, context: Context, prior: str) -> tuple[np.ndarray, None, dict[str, Any]]:
    """The final restoration with PSF and prior given."""
    _compile()
    start = time.process_time()
    [restored], _ = restore([image], context.psf, prior=prior, report=lambda _: None)
    return restored, None, {"cpu": round(time.process_time() - start, 3)}


def blind(
    image: np.ndarray, context: Context, size_given: bool = False, **options: Any
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """`deconv.blind.deblur` with those options, and on request with the size of the PSF's file."""
    if size_given and context.psf is not None:
        options = options | {"psf_size": max(context.psf.shape)}
    _compile()
    start = time.process_time()
    marks = [start]
    spent: dict[str, float] = {}

    def callback(_: float, stage: str) -> None:
        marks.append(time.process_time())
        # The time since the last report belongs to the stage that reports now.
        spent[stage] = spent.get(stage, 0.0) + marks[-1] - marks[-2]

    channel_axis = 2 if image.ndim == 3 else None
    result = deconv.blind.deblur(image, channel_axis=channel_axis, callback=callback, **options)
    seconds = time.process_time() - start
    estimate = {"family": result.family, "prior": result.prior, "size": max(result.psf.shape), "noise": result.noise}
    estimate |= {name: float(value) for name, value in result.parameters.items()}
    details = {
        "cpu": round(seconds, 3),
        "stages": {stage: round(value, 3) for stage, value in spent.items()},
        "estimate": {name: round(v, 4) if isinstance(v, float) else v for name, v in estimate.items()},
    }
    return result.image, result.psf, details


@functools.cache
def _compile() -> None:
    """Compile the kernels once in a process, so that no picture's time includes it."""
    small = deconv.degrade.blur(deconv.degrade.text_picture("warm", shape=(64, 128)), deconv.psf.disk(3))
    deconv.blind.deblur(small, psf="free", gamma=1)


def read(case: Case, image: np.ndarray) -> float | None:
    """Fraction of the characters that tesseract reads, by the set's protocol; None if the text is unknown.

    The box is enlarged three times by cubic interpolation and read as one block; blanks are collapsed, case counts.
    """
    if case.text is None:
        return None
    import pytesseract

    left, top, right, bottom = case.text.box
    page = np.clip(image, 0, 1)[top:bottom, left:right]
    page = Image.fromarray(np.uint8(np.rint(_STEPS * (1 - page if case.text.invert else page))))
    page = page.resize((3 * page.width, 3 * page.height), Image.Resampling.BICUBIC)
    text = pytesseract.image_to_string(page, config="--oem 1 --psm 6", lang="eng")
    return float(deconv.ocr.character_accuracy(text.replace("\f", ""), case.text.truth))
