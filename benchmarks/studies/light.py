"""Error and CPU time of the fit of the light over a page of text, sharp and blurred.

::

    python -m benchmarks.studies.light
"""

import time

import numpy as np

import deconv
from benchmarks.bench_vignette import SHAPE, page


def main() -> None:
    """Print one line for each blur."""
    for radius in (0.0, 5.0, 20.0):
        image, light, ink = page(radius)
        start = time.process_time()
        fitted = deconv.vignette.fit(image)
        seconds = time.process_time() - start
        error = 100 * np.sqrt(np.mean((fitted.field() / light - 1) ** 2))
        fall = 100 * (1 - light.min() / light.max())
        print(
            f"{SHAPE[1]} x {SHAPE[0]}, {100 * ink:.0f} % ink blurred by {radius:g} px, light falls by {fall:.0f} %: "
            f"rms relative error {error:.3f} %, fit {seconds:.2f} s CPU",
            flush=True,
        )


if __name__ == "__main__":
    main()
