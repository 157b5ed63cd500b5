"""Large images in parts: what is covered, what a seam changes, and what is kept in memory."""

import gc
import subprocess
import sys
import weakref
from dataclasses import replace

import numpy as np
import pytest
from test_blind_natural import PSF, estimated, natural, page, photographed, psnr

from deconv.blind import natural as restoration
from deconv.blind.natural import restore
from deconv.blind.parametric.families import Disk
from deconv.blind.parametric.restore import deconvolve
from deconv.blind.parts import parts
from deconv.blind.settings.general import Deconvolution
from deconv.blind.settings.natural import Natural
from deconv.blind.settings.parts import Parts
from deconv.degrade import blur

SMALL = Parts(whole=1e4, part=4e4)


@pytest.mark.parametrize(
    ("shape", "reach", "settings"),
    [((700, 500), (15, 9), SMALL), ((300, 900), (61, 61), SMALL), ((100, 90), (9, 9), Parts(whole=1e4))],
)
def test_parts_cover_the_image_once(shape, reach, settings):
    count = np.zeros(shape, int)
    pieces = parts(shape, reach, settings)
    for piece in pieces:
        count[piece.place] += 1
        at = np.arange(np.prod(shape)).reshape(shape)
        np.testing.assert_array_equal(at[piece.window][piece.inner], at[piece.place])
        for window, place, n, m in zip(piece.window, piece.place, shape, reach, strict=True):
            # The margin, or the frame.
            assert window.start == max(0, place.start - settings.margin * m)
            assert window.stop == min(n, place.stop + settings.margin * m)
    np.testing.assert_array_equal(count, 1)
    assert (len(pieces) == 1) == (np.prod(shape) <= settings.whole)


def test_planes_count_too():
    assert len(parts((100, 90), (9, 9), Parts(whole=1e4))) == 1
    assert len(parts((100, 90), (9, 9), Parts(whole=1e4, part=1e4), planes=3)) > 1


@pytest.mark.parametrize("psf", [PSF, estimated()])
@pytest.mark.parametrize("colours", [1, 3])
def test_parts_are_restored_as_the_whole_is(colours, psf):
    scene = [natural((300, 360)), 1 - natural((300, 360)), natural((300, 360))[::-1]][:colours]
    photo = [photographed(s) for s in scene]
    settings = replace(Natural(), parts=replace(SMALL, part=4e4 * colours))
    assert len(parts((300, 360), PSF.shape, settings.parts, colours)) > 3
    whole, left = restore(photo, psf, prior="natural", report=lambda part: None)
    pieced, also_left = restore(photo, psf, prior="natural", report=lambda part: None, settings=settings)
    for a, b, s in zip(whole, pieced, scene, strict=True):
        assert psnr(b, s) > psnr(a, s) - 0.1
        # No seam: nowhere is a line as far off as an edge of the scene is high.
        assert max(np.abs(a - b).mean(axis).max() for axis in (0, 1)) < 0.02
    assert also_left == pytest.approx(left, rel=0.05)


def test_a_lamp_in_one_part_is_a_lamp():
    scene = 0.1 + 0.1 * natural((200, 400))
    scene[60:64, 80:84] = 30.0
    photo = photographed(scene)
    settings = replace(Natural(), parts=SMALL)
    whole, pieced = (
        restore([photo], PSF, prior="natural", report=lambda part: None, settings=s)[0][0]
        for s in (Natural(), settings)
    )
    plain = restore([photo], PSF, prior="natural", report=lambda part: None, settings=replace(settings, lamps=1e9))[0][
        0
    ]
    around = np.s_[40:84, 60:104]
    wrong = [np.abs(x - np.minimum(scene, 1))[around].mean() for x in (whole, pieced, plain)]
    assert wrong[1] < 1.1 * wrong[0]
    assert wrong[1] < 0.7 * wrong[2]


def test_text_in_parts():
    ink, disk = 1 - page(40, (300, 360)), Disk(4.0, softness=0.1)
    photo = blur(ink, disk.make()).astype(np.float32)
    done = []
    whole = deconvolve(photo, disk, Deconvolution(), lambda part: None)
    pieced = deconvolve(photo, disk, replace(Deconvolution(), parts=SMALL), done.append)
    assert np.abs(whole - pieced).mean() < 1e-3
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1)


def test_a_solver_goes_with_its_last_name():
    gc.disable()
    try:
        solver = restoration._SensorClipping(photographed(page()), PSF.shape, 1.0, 0.3)
        gone = weakref.ref(solver)
        del solver
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells the peak of a process")
@pytest.mark.parametrize("kind", ["natural", "text"])
def test_the_memory_of_a_large_colour_photograph(kind):
    # Bytes a pixel beside the code, its picture and the result, which take 24 in floats; it was 115 with whole copies.
    code = f"""
import deconv
from benchmarks.bench_blind import warm_up
from benchmarks.studies import blind_growth
from deconv.compare import memory
warm_up()
image = blind_growth.picture("{kind} disk", 8.0)
memory.reset()
before = memory.peak()
result = deconv.blind.deblur(image, channel_axis=-1)
print(result.family, (memory.peak() - before) * 2**20 / 8e6)
"""
    family, used = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert family == "disk"
    assert float(used) < 90
