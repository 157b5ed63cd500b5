"""Loss of Richardson-Lucy by stopping at the noise level, against the best iteration.

::

    python -m benchmarks.studies.stopping     # about two minutes; prints markdown
"""

import numpy as np
import scipy.signal
from skimage import data

import deconv

PHOTONS = (5, 100, 4000)


def scenes() -> dict[str, np.ndarray]:
    """Four pictures of 200 x 200 pixels, full scale 1."""
    page = np.asarray(deconv.degrade.text_picture("Some text\nto be read", size=40), dtype=float)
    whole = {
        "camera": data.camera() / 255,
        "page": page,
        "coins": data.coins() / 255,
        "moon": data.moon()[::2, ::2] / 255,
    }
    return {name: scene[:200, :200] for name, scene in whole.items()}


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """PSNR in dB for full scale 1."""
    return float(-10 * np.log10(np.mean((image - truth) ** 2)))


def losses(scene: np.ndarray, psf: np.ndarray, photons: int) -> tuple[float, int, int]:
    """The loss in dB against the best of 60 iterations, the iteration of the stop, and the best one."""
    reach = psf.shape[0] // 2
    truth = scene[reach:-reach, reach:-reach]
    image = np.random.default_rng(0).poisson(scipy.signal.fftconvolve(scene, psf, "valid").clip(0) * photons) / photons
    scores: list[float] = []
    stopped: list[int] = []
    deconv.richardson_lucy(image, psf, 60, callback=lambda i, x: scores.append(psnr(x, truth)))
    restored = deconv.richardson_lucy(image, psf, callback=lambda i, x: stopped.append(i))
    return max(scores) - psnr(restored, truth), stopped[-1], int(np.argmax(scores)) + 1


def main() -> None:
    """Print the table."""
    psfs = {"disc": deconv.psf.disk(5), "Gaussian": deconv.psf.gaussian(2.0), "motion": deconv.psf.motion(15, 30)}
    print("| picture | PSF | photons | loss, dB | stops at | best |\n|---|---|---:|---:|---:|---:|")
    all_losses: dict[int, list[float]] = {photons: [] for photons in PHOTONS}
    for name, scene in scenes().items():
        for kind, psf in psfs.items():
            for photons in PHOTONS:
                loss, stopped, best = losses(scene, psf, photons)
                all_losses[photons].append(loss)
                print(f"| {name} | {kind} | {photons} | {loss:.2f} | {stopped} | {best} |", flush=True)
    for photons, values in all_losses.items():
        print(f"{photons} photons: mean loss {np.mean(values):.2f}, worst {max(values):.2f}")


if __name__ == "__main__":
    main()
