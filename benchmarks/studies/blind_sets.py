"""Pictures that a free PSF has blurred, each by its name, and what they are restored by.

======================  =============================================================================================
``pan/im03_ker07``      text of the set of Pan et al. (CVPR 2014), its 8-bit values blurred as they are, in grey
``noise01/...``         the same with 1 % Gaussian noise; ``noise03/``, 3 %; ``jpeg75/``, as JPEG of quality 75
``levin/im01_ker02``    real camera shakes, of Levin et al. (CVPR 2009)
``large/57/3``          page 3, drawn and blurred here by a path of 57 pixels, with 0.5 % noise
``cost/0944``           a page of that width, a path of 31 pixels; ``cost/0944/61``, of 61
``real/hanzi.jpg``      photographs in colour, nothing known of them
======================  =============================================================================================
"""

import io
import json
import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

import deconv
from deconv._core import files
from deconv.blind.natural import restore

DATA = Path(__file__).parents[3] / "shared" / "data"
SCENES = (1, 2, 3, 4, 5, 6, 9, 10)
LARGE = (41, 49, 57, 65, 75)
PAGES = 4
NOISES = ("noise01", "noise03", "jpeg75")
COSTS = ("0450", "0450/61", "0944", "2360")
_GREY = np.float32([0.299, 0.587, 0.114])
_STEPS = 255


@dataclass(frozen=True)
class Print:
    """Text in a picture: where it stands, as left, top, right, bottom, and how it reads."""

    box: tuple
    truth: str
    invert: bool = False


@dataclass(frozen=True)
class Case:
    """A blurred picture and what is known of it: None what is not. `border` is what no score looks at."""

    name: str
    image: np.ndarray
    sharp: np.ndarray | None = None
    psf: np.ndarray | None = None
    gamma: float | None = 1.0
    border: int = 15
    text: Print | None = None

    @property
    def prior(self):
        """What the scene is."""
        return "natural" if self.name.startswith("levin/") else "text"

    @property
    def channel_axis(self):
        """Axis of the colours."""
        return 2 if self.image.ndim == 3 else None


@dataclass(frozen=True)
class Attempt:
    """What a method made of a picture, the CPU seconds it took, by stage too, and what it told."""

    image: np.ndarray
    psf: np.ndarray | None = None
    seconds: float = 0.0
    stages: dict = field(default_factory=dict)
    told: dict = field(default_factory=dict)


def sixteen():
    """Names of the sixteen pictures that the text set is reported on: each scene with two kernels."""
    return [f"im{i:02}_ker{(i + d) % 8 + 1:02}" for i in SCENES for d in (-1, 3)]


def names(part, folder=DATA, every=False):
    """Names of the pictures of a part; all 64 of the text set, not 16, on request. None where there are no data."""
    made = {"large": [f"{size}/{i}" for size in LARGE for i in range(PAGES)], "cost": COSTS}
    if part in made:
        return [f"{part}/{name}" for name in made[part]]
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


def load(name, folder=DATA):
    """The picture of that name; `folder` has those of others."""
    part, _, rest = name.partition("/")
    if part == "real":
        return Case(name, np.float32(files.read(folder / "real_text" / rest).pixels), gamma=None)
    if part == "large":
        size, page = map(int, rest.split("/"))
        return drawn(name, (480, 720), size, seed=100 * size + page, noise=0.005)
    if part == "cost":
        width, size = map(int, (*rest.split("/"), 31)[:2])
        return drawn(name, (round(width * 1460 / 2360), width), size, seed=width, noise=0.005)
    found = re.fullmatch(r"im(\d\d)_ker(\d\d)", rest)
    if found is None or part not in ("pan", "levin", *NOISES):
        raise ValueError(f"no picture is called {name}")
    scene, kernel = map(int, found.groups())
    if part == "levin":
        return _levin(name, folder / "levin2009", rest, kernel)
    case = _pan(name, folder / "pan_text", rest, scene, kernel)
    if part == "pan":
        return case
    return replace(
        case, image=_jpeg(case.image) if part == "jpeg75" else _noisy(case.image, int(part[-2:]) / 100, rest)
    )


def _pan(name, folder, stem, scene, kernel):
    def grey(path):
        return files.read(folder / path).pixels.astype(np.float32) @ _GREY

    psf = deconv.psf.normalise(files.read(folder / f"kernels/ker{kernel:02}_truth.png").pixels)
    boxes, text = json.loads((folder / "transcripts/boxes.json").read_text()), None
    if told := boxes.get(f"im{scene:02}"):
        truth = (folder / f"transcripts/im{scene:02}.txt").read_text(encoding="utf-8")
        text = Print(tuple(told["box"]), truth, told["invert"])
    return Case(name, grey(f"blurred/{stem}_blur.png"), grey(f"sharp/im{scene:02}.png"), psf, text=text)


def _levin(name, folder, stem, kernel):
    image, sharp = (np.float32(files.read(folder / f"{stem}_{kind}.png").pixels) for kind in ("blur", "sharp"))
    with np.load(folder / "kernels_float64.npz") as kernels:
        # As stored they are turned by half a turn from what convolves the sharp picture to the blurred one.
        psf = kernels[f"ker{kernel:02}"][::-1, ::-1].astype(np.float32)
    return Case(name, image, sharp, deconv.psf.normalise(psf))


def _noisy(image, sigma, stem):
    seed = int("".join(re.findall(r"\d+", stem)))
    return _rounded(deconv.degrade.add_noise(image, sigma, rng=seed))


def _jpeg(image):
    file = io.BytesIO()
    Image.fromarray(np.uint8(np.rint(_STEPS * image))).save(file, "JPEG", quality=75)
    return np.asarray(Image.open(file), np.float32) / _STEPS


def _rounded(image):
    return np.float32(np.rint(_STEPS * np.clip(image, 0, 1)) / _STEPS)


def drawn(name, shape, size, *, seed, noise):
    """A page of random words blurred by a random path of `size` pixels.

    Of four pages two have a margin and two run off on all sides; the last is bright on dark.
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


def _words(rng, count, length):
    """Lines of random letters, a blank for one in six."""
    letters = list(deconv.degrade.hdc.ALPHABET)
    drawn = rng.choice(letters, (count, length))
    return ["".join(line) for line in np.where(rng.random(drawn.shape) < 1 / 6, " ", drawn)]


def blurred(case):
    """The picture as it is."""
    return Attempt(case.image)


def sharp(case):
    """The picture without any blur; None where there is none."""
    return None if case.sharp is None else Attempt(case.sharp)


def true_psf(case):
    """The last step alone, the PSF and what the scene is told; None where the PSF is not known."""
    if case.psf is None:
        return None
    start = time.process_time()
    [image], _ = restore([case.image], case.psf, prior=case.prior, report=lambda _: None)
    return Attempt(image, case.psf, time.process_time() - start)


def blind(case, size_given=False, **options):
    """`deconv.blind.deblur` by those options; None where the size of the PSF is to be given and not known."""
    if size_given:
        if case.psf is None:
            return None
        options = options | {"psf_size": max(case.psf.shape)}
    start = time.process_time()
    marks, spent = [("", start)], {}

    def callback(_, stage):
        marks.append((stage, time.process_time()))
        # What passes before a report belongs to the stage that reports.
        spent[stage] = spent.get(stage, 0.0) + marks[-1][1] - marks[-2][1]

    result = deconv.blind.deblur(
        case.image, gamma=case.gamma, channel_axis=case.channel_axis, callback=callback, **options
    )
    told = {"family": result.family, "prior": result.prior, "size": max(result.psf.shape), "noise": result.noise}
    told |= {name: float(value) for name, value in result.parameters.items()}
    return Attempt(result.image, result.psf, time.process_time() - start, spent, told)


def read(case, image):
    """Part of the characters that tesseract reads, by the set's protocol; None where the text is not known.

    The box three times as large, in cubic interpolation, as one block; blanks are collapsed, case counts.
    """
    if case.text is None:
        return None
    left, top, right, bottom = case.text.box
    page = np.clip(image, 0, 1)[top:bottom, left:right]
    page = Image.fromarray(np.uint8(np.rint(_STEPS * (1 - page if case.text.invert else page))))
    page = page.resize((3 * page.width, 3 * page.height), Image.Resampling.BICUBIC)
    lines = deconv.ocr.tesseract.recognise(page, "--oem 1 --psm 6", "eng")
    return deconv.ocr.character_accuracy(lines, case.text.truth)
