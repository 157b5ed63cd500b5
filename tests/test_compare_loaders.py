"""Loaders of data sets on disk: each layout is read as it should be, and refused where it is another."""

import io
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from dataset_files import archive, picture, same
from PIL import Image

from deconv import degrade, psf, tone
from deconv.compare.datasets import open_dataset
from deconv.compare.datasets.plates import Plates
from deconv.compare.protocol import Problem

DATA = Path(os.environ.get("DECONV_DATA", Path(__file__).parents[2] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the pictures of others are not here")


# Photographs of the Helsinki challenge.


def test_hdc_archive(tmp_path):
    for step in (10, 4):
        for sample in (2, 1):
            archive(tmp_path, step, "timesR", sample)
    image, sharp = archive(tmp_path, 4, "verdanaRef", 7, depth=np.uint16)
    data = open_dataset(f"hdc:{tmp_path}")
    assert data.name == tmp_path.name
    assert data.names == (
        "focusStep_4_timesR_size_30_sample_0001",
        "focusStep_4_timesR_size_30_sample_0002",
        "focusStep_4_verdanaRef_size_30_sample_0007",
        "focusStep_10_timesR_size_30_sample_0001",
        "focusStep_10_timesR_size_30_sample_0002",
    )
    item = data.load(data.names[2])
    np.testing.assert_array_equal(item.image, image)
    np.testing.assert_array_equal(item.sharp, sharp)
    assert item.text == ("AbC dE", "fGh", " iJk")
    assert (item.level, item.gamma, item.noise) == (4.0, 2.2, None)
    # A part of the archive is a data set as well.
    assert open_dataset(f"hdc:{tmp_path / 'step10' / 'Timesr'}").names == data.names[3:]
    part = open_dataset(f"hdc:{tmp_path / 'step10' / 'Timesr' / 'CAM02'}")
    assert same(part.load(part.names[0]), data.load(data.names[3]))
    # A photograph without a partner.
    (tmp_path / "step4/Verdanaref/CAM01" / f"{data.names[2]}.tif").unlink()
    assert open_dataset(f"hdc:{tmp_path}").load(data.names[2]).sharp is None


def test_hdc_flat_folders(tmp_path):
    image = picture(tmp_path / "full/step14_times_blur.png")
    sharp = picture(tmp_path / "full/step14_times_sharp.png", seed=1)
    picture(tmp_path / "full/step03_blur.png")
    (tmp_path / "full/step03.txt").write_text("beside\n")
    picture(tmp_path / "small/step07.png")
    picture(tmp_path / "small/step08.png")
    picture(tmp_path / "psf/step_1_psf.png")
    picture(tmp_path / "cover.png")
    table = "step,file,line1,line2,line3\n14,full/step14_times_blur.png,a,b ,c\n8,small/step08.png,a?,b,c\n"
    (tmp_path / "truth.csv").write_text(table)
    data = open_dataset(f"hdc:{tmp_path}")
    assert data.names == ("full-step03", "small-step07", "small-step08", "full-step14_times")
    items = [data.load(name) for name in data.names]
    assert [item.level for item in items] == [3, 7, 8, 14]
    assert [item.text for item in items] == [("beside",), None, None, ("a", "b", "c")]
    assert [item.sharp is None for item in items] == [True, True, True, False]
    np.testing.assert_array_equal(items[3].image, image)
    np.testing.assert_array_equal(items[3].sharp, sharp)
    # Whichever part of a path tells the step last.
    picture(tmp_path / "step_99/step2.png")
    picture(tmp_path / "Step-11/a.png")
    more = open_dataset(f"hdc:{tmp_path}")
    assert (more.load("step_99-step2").level, more.load("Step-11-a").level) == (2, 11)
    assert open_dataset(f"hdc:{tmp_path / 'Step-11'}").load("a").level == 11
    part = open_dataset(f"hdc:{tmp_path / 'full'}")
    assert part.load("step14_times").text == ("a", "b", "c")
    (tmp_path / "truth.csv").write_text("file,text\n")
    with pytest.raises(Problem, match=r"truth.csv has no column line1"):
        open_dataset(f"hdc:{tmp_path}")


@needs_data
def test_hdc_photographs():
    data = open_dataset(f"hdc:{DATA / 'hdc2021'}")
    assert len(data.names) == 23
    blurred, small = data.load("full-step14_times_0100"), data.load("small_times_0100-step04")
    assert blurred.image.shape == blurred.sharp.shape == (1460, 2360)
    assert blurred.text == ("uJNfCCSpSc", "wGunVERtck", "peDLEpJMzc")
    assert (blurred.level, small.level) == (14, 4)
    assert small.text == ("TzFQwnQG X", "VGNshCnheK", "WNJSSpvLwq")
    assert small.sharp is None
    # Told is what was measured: a tenth of the width, a tenth of the radius, whose mean square is half its square.
    for item in (blurred, small):
        y, x = np.indices(item.psf.shape) - item.psf.shape[0] // 2
        radius = np.sqrt(2 * np.sum(item.psf * (x**2 + y**2)))
        assert radius * 2360 / item.image.shape[1] == pytest.approx({14: 102, 4: 26}[int(item.level)], rel=0.08)
    # Marked as unsure in the table.
    assert data.load("small_times_0100-step09").text is None


# Pairs and pictures.


def test_pairs(tmp_path):
    image, sharp = picture(tmp_path / "blurred/a.png"), picture(tmp_path / "sharp/a.jpg.png", seed=1)
    (tmp_path / "sharp/a.jpg.png").rename(tmp_path / "sharp/a.bmp")
    picture(tmp_path / "blurred/b c.png", (20, 30, 3))
    large = picture(tmp_path / "sharp/b c.png", (60, 90, 3), seed=2)
    picture(tmp_path / "sharp/more.png")
    (tmp_path / "sharp/b c.txt").write_text("\ufeffÄ line \n\n", encoding="utf-8")
    data = open_dataset(f"pairs:{tmp_path}")
    assert data.names == ("a", "b_c")
    first, second = map(data.load, data.names)
    np.testing.assert_array_equal(first.image, image)
    np.testing.assert_array_equal(first.sharp, sharp)
    np.testing.assert_array_equal(second.sharp, large)
    assert (first.text, second.text) == (None, ("Ä line",))
    assert (first.gamma, first.level, first.noise, first.psf) == (2.2, None, None, None)


def test_pairs_that_do_not_fit(tmp_path):
    picture(tmp_path / "blurred/a.png", (40, 60))
    with pytest.raises(Problem, match=r"there is no folder .*sharp; pairs are wanted"):
        open_dataset(f"pairs:{tmp_path}")
    picture(tmp_path / "sharp/a.png", (40, 61))
    with pytest.raises(Problem, match="picture a is 40 x 60 pixels, its sharp one 40 x 61: a whole multiple of it is"):
        open_dataset(f"pairs:{tmp_path}").load("a")
    picture(tmp_path / "sharp/a.png", (20, 30))
    with pytest.raises(Problem, match="its sharp one 20 x 30"):
        open_dataset(f"pairs:{tmp_path}").load("a")
    picture(tmp_path / "blurred/a.png", (32, 60))
    picture(tmp_path / "sharp/a.png", (32, 60))
    with pytest.raises(Problem, match="sharp picture of a is 32 x 60 pixels, of which a border of 16 leaves nothing"):
        open_dataset(f"pairs:{tmp_path}").load("a")
    picture(tmp_path / "blurred/b.png")
    with pytest.raises(Problem, match=r"b\.png has no partner in .*sharp; pairs are wanted"):
        open_dataset(f"pairs:{tmp_path}")


def test_own_pictures(tmp_path):
    image = picture(tmp_path / "plate.png", (20, 30, 3))
    picture(tmp_path / "Plate.PNG", (20, 30), seed=1)
    (tmp_path / "plate.txt").write_text("AB 12\nCD")
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "below").mkdir()
    picture(tmp_path / "below/other.png")
    data = open_dataset(f"pictures:{tmp_path}")
    assert data.names == ("Plate", "plate_2")
    first, second = map(data.load, data.names)
    np.testing.assert_array_equal(second.image, image)
    assert (second.text, first.text) == (("AB 12", "CD"), None)
    assert first.sharp is None
    (tmp_path / "plate.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(Problem, match=r"plate.txt cannot be read as a text in UTF-8"):
        data.load("plate_2")
    (tmp_path / "plate.txt").write_text("\n \n")
    assert data.load("plate_2").text is None


# The text set of Pan et al.


@pytest.mark.parametrize("flat", [False, True])
def test_pan(tmp_path, flat):
    at = (lambda folder: tmp_path) if flat else (lambda folder: tmp_path / folder)
    image, sharp = picture(at("blurred") / "im02_ker01_blur.png"), picture(at("sharp") / "im02.png", seed=1)
    picture(at("blurred") / "im02_ker03_blur.png")
    picture(at("blurred") / "im01_ker03_blur.png")
    kernel = picture(at("kernels") / "ker01_truth.png", (5, 7), seed=2)
    at("transcripts").mkdir(exist_ok=True)
    (at("transcripts") / "im01.txt").write_text("part\n")
    (at("transcripts") / "im02.txt").write_text("whole\npage\n")
    boxes = '{"im01": {"box": [0, 4, 60, 40]}, "im02": {"box": [0, 0, 60, 40]}}'
    (at("transcripts") / "boxes.json").write_text(boxes)
    data = open_dataset(f"pan:{tmp_path}")
    assert data.names == ("im01_ker03", "im02_ker01", "im02_ker03")
    item, other = data.load("im02_ker01"), data.load("im01_ker03")
    np.testing.assert_array_equal(item.image, image)
    np.testing.assert_array_equal(item.sharp, sharp)
    np.testing.assert_allclose(item.psf, kernel / kernel.sum(), rtol=1e-6)
    assert (item.text, item.gamma, item.level) == (("whole", "page"), 1.0, None)
    assert (other.text, other.psf, other.sharp) == (None, None, None)
    picture(at("kernels") / "ker01_truth.png", (5, 7, 3))
    with pytest.raises(Problem, match=r"ker01_truth.png is no PSF: a grey picture is wanted"):
        data.load("im02_ker01")


@needs_data
def test_pan_pictures_are_their_sharp_ones_blurred_by_their_psfs():
    data = open_dataset(f"pan:{DATA / 'pan_text'}")
    assert len(data.names) == 64
    for name in ("im03_ker04", "im09_ker07"):
        item = data.load(name)
        rest = (item.image - degrade.blur(item.sharp, item.psf, channel_axis=2))[30:-30, 30:-30]
        # (Where it is white or black, rounding has no part.)
        assert 0.5 * item.noise < rest.std() < 1.1 * item.noise, name
        turned = (item.image - degrade.blur(item.sharp, item.psf[::-1, ::-1], channel_axis=2))[30:-30, 30:-30]
        assert turned.std() > 10 * rest.std(), name
    assert data.load("im03_ker04").text[:2] == ("CVPR", "2014")
    assert data.load("im05_ker04").text is None


# Words in LMDB files.


def words(folder, entries):
    """An LMDB of those keys and values."""
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(folder), map_size=2**20) as env, env.begin(write=True) as transaction:
        for key, value in entries.items():
            transaction.put(key.encode(), value)
    return f"lmdb:{folder}"


def as_png(shape, seed=0):
    """Bytes of a picture of random values."""
    file = io.BytesIO()
    values = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


def test_textzoom(tmp_path):
    large, small = as_png((32, 128, 3), 1), as_png((13, 49, 3))
    entries = {"num-samples": b"2"}
    for i in (1, 2):
        entries |= {f"image_lr-{i:09}": small, f"image_hr-{i:09}": large, f"label-{i:09}": "Café!".encode()}
    data = open_dataset(words(tmp_path, entries))
    assert data.names == ("000000001", "000000002")
    item = pickle.loads(pickle.dumps(data)).load("000000002")
    assert item.image.shape == (16, 64, 3)
    np.testing.assert_array_equal(item.sharp, np.asarray(Image.open(io.BytesIO(large)), np.float32) / 255)
    assert item.text == ("Café!",)
    before = data.fingerprint()
    assert before == open_dataset(f"lmdb:{tmp_path}").fingerprint()
    words(tmp_path, {"label-000000002": b"other"})
    assert open_dataset(f"lmdb:{tmp_path}").fingerprint() != before


def test_words_of_a_recognition_set(tmp_path):
    image = as_png((20, 50, 3))
    spec = words(tmp_path, {"num-samples": b"2", "image-000000001": image, "image-000000002": b"no picture"})
    data = open_dataset(spec)
    item = data.load("000000001")
    np.testing.assert_array_equal(item.image, np.asarray(Image.open(io.BytesIO(image)), np.float32) / 255)
    assert (item.sharp, item.text) == (None, None)
    with pytest.raises(Problem, match="no picture that can be decoded by its key image-000000002"):
        data.load("000000002")


def test_lmdb_of_something_else(tmp_path):
    with pytest.raises(Problem, match="tells no number of pictures by its key num-samples; TextZoom is published"):
        open_dataset(words(tmp_path, {"a": b"b"}))
    (tmp_path / "data.mdb").write_bytes(b"spoilt" * 1000)
    with pytest.raises(Problem, match="cannot be opened as LMDB"):
        open_dataset(f"lmdb:{tmp_path}")


def test_lmdb_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lmdb", None)
    (tmp_path / "data.mdb").write_bytes(b"")
    with pytest.raises(Problem, match="data sets in LMDB files need the package lmdb: pip install lmdb"):
        open_dataset(f"lmdb:{tmp_path}")


# Licence plates.


def test_plates(tmp_path):
    sharp = picture(tmp_path / "AB12CDE.png", (60, 200, 3))
    picture(tmp_path / "second.png", (60, 200), seed=1)
    (tmp_path / "second.txt").write_text("XY 99\n")
    data = open_dataset(f"plates:{tmp_path}")
    assert len(data.names) == 200
    assert data.names[:2] == ("AB12CDE_00", "AB12CDE_01")
    item, again, other = data.load("AB12CDE_00"), data.load("AB12CDE_00"), data.load("AB12CDE_01")
    assert same(item, again)
    assert not np.array_equal(item.image, other.image)
    np.testing.assert_array_equal(item.sharp, sharp)
    assert item.text == ("AB12CDE",)
    assert data.load("second_00").text == ("XY 99",)
    # The light is blurred by the PSF, and what is left is the rounding to 8 bits.
    light = degrade.blur(tone.decode(item.sharp, 2.2), item.psf, channel_axis=2)
    rest = item.image - tone.encode(light, 2.2)
    assert abs(rest).max() <= 0.5 / 255 + 1e-5
    assert rest.std() == pytest.approx(item.noise, rel=0.1)
    # A plate is blurred the same way whatever else there is; another seed blurs otherwise.
    (tmp_path / "second.png").unlink()
    assert same(open_dataset(f"plates:{tmp_path}").load("AB12CDE_01"), other)
    assert not same(Plates(tmp_path, seed=1).load("AB12CDE_01"), other)
    assert Plates(tmp_path, blurs=3).names == ("AB12CDE_0", "AB12CDE_1", "AB12CDE_2")


def test_plates_of_a_linear_picture_are_blurred_as_they_are(tmp_path):
    picture(tmp_path / "A.png", (60, 200))
    item = Plates(tmp_path, gamma=1).load("A_00")
    np.testing.assert_allclose(item.image, degrade.blur(item.sharp, item.psf), atol=0.5 / 255 + 1e-5)
    assert psf.similarity(item.psf, Plates(tmp_path, gamma=2).load("A_00").psf) == pytest.approx(1)
