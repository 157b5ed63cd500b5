"""Pictures that are no text, restored blind as text: what that loses, and words that nobody wrote.

::

    python -m benchmarks.studies.hallucination  # ten pictures of scikit-image, blurred as at steps 6, 10 and 14
    python -m benchmarks.studies.hallucination --steps 10 --pictures camera coins

The pictures are those in scikit-image's wheel, grey. Each is blurred in linear light by a disc as wide, as part of the
picture, as the ladder's, and cut where the blur would need what lies outside; then encoded, with noise of 0.002 (first
step) to 0.005 (last). PSNR is against the sharp picture's values. A word is three letters or digits in a row, or more,
of which tesseract is sure to 60 %: lines of the ladder have 75 to 92, what it sees in these pictures and their textures
when they are sharp or blurred has 59 at most.
"""

import argparse
import functools
import re
import sys
from unittest import mock

import numpy as np
import skimage.color
import skimage.data

import deconv
from benchmarks.studies import runs
from benchmarks.studies.ladder import markdown
from benchmarks.studies.quality import FRAME_WIDTH

PRIORS = ("natural", "text", "auto")
NATURAL = ("astronaut", "camera", "chelsea", "coffee", "rocket", "brick")
TECHNICAL = ("coins", "moon", "horse", "checkerboard")
MOST_LOST = 0.3  # dB
_NOISE = (0.002, 0.005)
_SURE = 60  # per cent
_SOFTNESS = 0.09  # of the radius, as the challenge's discs


def scene(name):
    """A sharp picture, grey, 0 to 1."""
    image = skimage.util.img_as_float32(getattr(skimage.data, name)())
    return image if image.ndim == 2 else skimage.color.rgb2gray(image[..., :3])


def blurred(sharp, step, noise):
    """The picture as it would be at a step of the ladder, and the sharp one cut alike."""
    radius = deconv.degrade.hdc.STEPS[step].radius * sharp.shape[1] / FRAME_WIDTH
    psf = deconv.psf.disk(radius, softness=_SOFTNESS * radius)
    reach = psf.shape[0] // 2
    inner = (slice(reach, -reach),) * 2
    light = deconv.degrade.blur(deconv.tone.decode(sharp), psf)[inner]
    image = deconv.degrade.add_noise(deconv.tone.encode(light), noise, rng=step)
    return np.clip(image, 0, 1).astype(np.float32), sharp[inner]


def psnr(image, truth):
    """In dB, of full scale 1."""
    return float(-10 * np.log10(np.mean((np.clip(image, 0, 1) - truth) ** 2)))


def words(image):
    """Runs of three letters or digits and more that tesseract is sure of."""
    with mock.patch.object(deconv.ocr.tesseract, "recognise", _sure):
        return set(re.findall(r"[^\W_]{3,}", " ".join(deconv.ocr.read_lines(image))))


def _sure(page, config, lang):
    import pytesseract

    found = pytesseract.image_to_data(page, config=config, lang=lang, output_type=pytesseract.Output.DICT)
    return [text for text, sure in zip(found["text"], found["conf"], strict=True) if float(sure) >= _SURE]


def row(steps, name):
    """For each step: PSNR blurred, then PSNR and new words of each prior."""
    sharp, found = scene(name), []
    known = words(sharp)
    for step, noise in zip(steps, np.linspace(*_NOISE, len(steps)), strict=True):
        image, truth = blurred(sharp, step, float(noise))
        made = {prior: deconv.blind.deblur(image, prior=prior).image for prior in PRIORS}
        told = {prior: (psnr(out, truth), words(out) - known) for prior, out in made.items()}
        found.append((name, step, psnr(image, truth), told))
    return found


def cells(name, step, before, told):
    """A line of the table."""
    natural = told["natural"][0]
    line = [name, step, f"{before:.2f}", f"{natural:.2f}"]
    line += [f"{told[prior][0] - natural:+.2f}" for prior in PRIORS[1:]]
    return line + [" ".join(sorted(told[prior][1])).replace("|", "\\|") for prior in PRIORS]


def verdict(found, prior):
    """One sentence on a prior: how many pictures lose too much, and how many have new words."""
    told = [t[prior] for *_, t in found]
    lost = [t["natural"][0] - t[prior][0] for *_, t in found]
    return (
        f'prior="{prior}": {sum(v > MOST_LOST for v in lost)} of {len(lost)} lose more than {MOST_LOST} dB (most: '
        f"{max(lost):.2f}); {sum(bool(new) for _, new in told)} have words that the sharp picture has not."
    )


def main():
    """Print the table; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, nargs="+", default=[6, 10, 14], metavar="N", help="default: 6 10 14")
    parser.add_argument("--pictures", nargs="+", default=NATURAL + TECHNICAL, metavar="NAME", help="of skimage.data")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes, of one thread each; default: all cores")
    args = parser.parse_args()
    names = ("picture", "step", "blurred, dB", "natural", *(f"{p} less natural" for p in PRIORS[1:]))
    names += tuple(f"new words, {p}" for p in PRIORS)
    print(markdown(names, [], ("picture", *names[-len(PRIORS) :])), end="")
    found = []
    with runs.processes(args.jobs) as pool:
        for lines in pool.map(functools.partial(row, args.steps), args.pictures):
            print("\n".join("| " + " | ".join(map(str, cells(*line))) + " |" for line in lines), flush=True)
            found += lines
    print()
    print("\n".join(verdict(found, prior) for prior in PRIORS[1:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
