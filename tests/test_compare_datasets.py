"""Data sets: each layout found and refused as it should be, and the pictures that are drawn what they claim to be."""

import dataclasses
import io
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from deconv import degrade, ocr, psf, tone
from deconv.compare.datasets import load_datasets, open_dataset
from deconv.compare.datasets.pictures import numbered, spread
from deconv.compare.datasets.plates import Plates
from deconv.compare.datasets.synthetic import Synthetic
from deconv.compare.protocol import Problem

DATA = Path(os.environ.get("DECONV_DATA", Path(__file__).parents[2] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the pictures of others are not here")


def picture(path, shape=(40, 60), seed=0):
    """A picture of random values in a file; what was written."""
    values = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return values / np.float32(255)


def same(item, other):
    """Whether two items are the same in all."""
    fields = dataclasses.fields(item)
    return all(np.array_equal(getattr(item, f.name), getattr(other, f.name)) for f in fields)


# What is shared.


def test_names_are_fit_for_files_and_differ():
    given = ["a", "A", "a_2", "a b", "a/b", "…", ".hidden", "ä.1-2"]
    assert numbered(given) == ["a", "A_2", "a_2_2", "a_b", "a_b_2", "_", "hidden", "_.1-2"]


def test_a_part_is_spread_over_the_whole():
    assert spread(list("abcdefgh"), 4) == list("aceg")
    assert spread(list("abc"), 2) == ["a", "b"]
    assert spread(list("abc"), 9) == spread(list("abc"), None) == list("abc")


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("photos", "'photos'; synthetic, synthetic:N, ladder, ladder:N or KIND:PATH with KIND one of hdc, pairs"),
        ("hdc", "there is no data set 'hdc'; synthetic, synthetic:N, ladder"),
        ("hdc:", "there is no data set 'hdc:'"),
        ("photos:here", "there is no data set 'photos:here'"),
        ("synthetic:few", "there is no data set 'synthetic:few'"),
        ("ladder:few", "there is no data set 'ladder:few'"),
        ("ladder:0", "ladder:0: count must lie between 1 and 100, got 0"),
        ("synthetic:0", "synthetic:0: count must lie between 1 and 10000, got 0"),
        ("hdc:nowhere", "there is no folder nowhere; .* published at https://doi.org/10.5281/zenodo.4916176, .*CAM02"),
        (
            "pan:nowhere",
            "there is no folder nowhere; .* published on the project page of Pan .*CVPR 2014, .*im01_ker01",
        ),
        ("lmdb:nowhere", "there is no folder nowhere; TextZoom is published at https://github.com/WenjiaWang0312/Text"),
        ("pairs:nowhere", "there is no folder nowhere; pairs are wanted as blurred/NAME.png and sharp/NAME.png"),
        ("plates:nowhere", "there is no folder nowhere; sharp pictures of plates, of your own, are wanted as AB12CDE"),
        ("pictures:nowhere", "there is no folder nowhere; blurred pictures are wanted as NAME.png with, .* NAME.txt"),
    ],
)
def test_what_is_not_there_is_one_sentence(spec, sentence):
    with pytest.raises(Problem, match=sentence) as caught:
        open_dataset(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("hdc", "no photographs with a step in their names lie below .*zenodo"),
        ("pan", "no pictures called imNN_kerMM lie below .*CVPR 2014"),
        ("lmdb", "there is no data.mdb in .*TextZoom"),
        ("pairs", "there is no folder .*sharp; pairs are wanted as"),
        ("plates", "there are no pictures in .*; sharp pictures"),
        ("pictures", "there are no pictures in .*; blurred pictures"),
    ],
)
def test_another_layout_is_one_sentence(kind, sentence, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(Problem, match=sentence) as caught:
        open_dataset(f"{kind}:{tmp_path}")
    assert "\n" not in str(caught.value)


def test_a_picture_that_is_not_there(tmp_path):
    picture(tmp_path / "a.png")
    data = open_dataset(f"pictures:{tmp_path}")
    with pytest.raises(Problem, match=re.escape(f"the data set {tmp_path.name} has no picture called 'b'")):
        data.load("b")
    (tmp_path / "a.png").write_bytes(b"spoilt")
    with pytest.raises(Problem, match="is not a picture of a kind that can be read"):
        data.load("a")


# The synthetic set.


def test_synthetic_is_the_default_and_known_in_all():
    data = open_dataset()
    assert data.name == "synthetic"
    assert len(data.names) == 12
    levels = []
    for name in data.names:
        item = data.load(name)
        assert item.name == name
        assert re.fullmatch(r"[\w.-]+", name)
        assert item.image.dtype == item.sharp.dtype == np.float32
        assert item.image.shape == item.sharp.shape
        assert 236 <= item.image.shape[0] <= 300
        assert 400 <= item.image.shape[1] <= 450
        assert item.image.min() >= 0
        assert item.image.max() <= 1
        np.testing.assert_allclose(item.image, np.rint(item.image * 255) / 255, atol=1e-6)
        assert item.psf.sum() == pytest.approx(1, abs=1e-5)
        assert (item.noise, item.gamma) == (0.005, 2.2)
        assert (item.text is None) == (item.image.ndim == 3)
        levels.append(item.level)
    assert levels == sorted(levels)


def test_synthetic_light_is_blurred_by_its_psf_and_the_noise_is_what_it_says():
    data = open_dataset("synthetic:24")
    for name in data.names:
        item = data.load(name)
        reach = item.psf.shape[0] // 2
        inner = tuple(slice(reach, n - reach) for n in item.image.shape[:2])
        axis = 2 if item.image.ndim == 3 else None
        light = degrade.blur(tone.decode(item.sharp, 2.2), item.psf, channel_axis=axis)
        rest = (item.image - tone.encode(light, 2.2))[inner]
        assert abs(rest.mean()) < 2e-4, name
        assert rest.std() == pytest.approx(np.hypot(0.005, 1 / (255 * 12**0.5)), rel=0.03), name
        assert abs(rest).max() < 6 * 0.005, name
        # Beyond the frame the scene goes on: the mirror does not explain a scene that reaches the edges.
        if item.text is None:
            edge = np.ones(item.image.shape, bool)
            edge[inner] = False
            assert (item.image - tone.encode(light, 2.2))[edge].std() > 0.01


def test_synthetic_is_the_same_twice_and_in_another_process():
    data = open_dataset("synthetic:3")
    for name in data.names:
        assert same(data.load(name), open_dataset("synthetic:12").load(name))
        assert same(data.load(name), pickle.loads(pickle.dumps(data)).load(name))
    code = "from deconv.compare.datasets import open_dataset; print(open_dataset('synthetic:3').fingerprint())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == [data.fingerprint()]
    assert data.fingerprint() != open_dataset("synthetic:4").fingerprint()
    assert data.fingerprint() != Synthetic(count=3, seed=1).fingerprint()
    assert not same(Synthetic(seed=1).load(data.names[0]), data.load(data.names[0]))


def test_more_synthetic_pictures_are_others():
    names = open_dataset("synthetic:14").names
    assert names[:12] == open_dataset().names
    first, second = Synthetic(count=14).load(names[0]), Synthetic(count=14).load(names[12])
    assert first.level == second.level
    assert first.text != second.text
    assert open_dataset("synthetic:2").names == open_dataset(limit=2).names == (names[0], names[6])


def test_synthetic_pages_can_be_read_before_they_are_blurred():
    try:
        ocr.read_lines(np.ones((30, 30)))
    except ocr.TesseractMissing:
        pytest.skip("no tesseract here")
    data = open_dataset()
    texts = [item for item in map(data.load, data.names) if item.text]
    sharp, blurred = (
        [ocr.character_accuracy(ocr.read_lines(getattr(item, kind)), item.text) for item in texts]
        for kind in ("sharp", "image")
    )
    assert np.mean(sharp) > 0.95
    assert np.mean(blurred) < 0.6


# Photographs of the Helsinki challenge.


def archive(root, step, font, sample, *, depth=np.uint8):
    """A pair as in the public archive; the two pictures."""
    name = f"focusStep_{step}_{font}_size_30_sample_{sample:04}"
    pair = []
    for camera in ("CAM02", "CAM01"):
        folder = root / f"step{step}" / font.capitalize() / camera
        folder.mkdir(parents=True, exist_ok=True)
        seed = 10 * step + sample + (camera == "CAM01")
        values = np.random.default_rng(seed).integers(0, np.iinfo(depth).max, (40, 60)).astype(depth)
        tifffile.imwrite(folder / f"{name}.tif", values)
        tifffile.imwrite(folder / f"focusStep_{step}_PSF.tif", values)
        tifffile.imwrite(folder / f"focusStep_{step}_LSF_X.tif", values)
        pair.append(values / np.float32(np.iinfo(depth).max))
    folder.joinpath(f"{name}.txt").write_text("AbC dE \nfGh\n iJk\n")
    return pair


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


# The ladder.


def test_ladder_is_the_challenge_simulated(tmp_path):
    assert [data.load(name).level for data in [open_dataset("ladder")] for name in data.names[::9]] == [0, 9, 18]
    (tmp_path / "data.toml").write_text(
        "[[dataset]]\nkind = 'ladder'\nsteps = [14, 6]\ncount = 4\nshrink = 5\n"
        "[[dataset]]\nkind = 'ladder'\nsteps = [14, 6]\ncount = 4\nshrink = 5\nseed = 1\nname = 'other'"
    )
    data, other = load_datasets(tmp_path / "data.toml")
    assert data.names == tuple(f"step{step:02}_{i:02}" for step in (6, 14) for i in range(4))
    item = data.load("step14_03")
    assert item.image.shape == item.sharp.shape == (292, 472)
    assert len(item.text) == 3
    assert (item.level, item.gamma) == (14, 2.2)
    np.testing.assert_array_equal(item.psf, degrade.hdc.hdc_psf(14, 5)[0])
    again = degrade.blur(item.sharp, item.psf)
    middle = np.s_[80:210, 120:350]
    assert np.corrcoef(again[middle].ravel(), item.image[middle].ravel())[0, 1] > 0.9
    # Digits in every other pair, and the same letters nowhere.
    texts = {name: "".join(data.load(name).text) for name in data.names}
    assert {name[-2:] for name, text in texts.items() if set(text) & set("0123456789")} == {"02", "03"}
    assert len(set(texts.values()) | {"".join(other.load(name).text) for name in other.names}) == 16
    assert data.fingerprint() != other.fingerprint()


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


# Fingerprints.


def laid_out(kind, root):
    """A small data set of that kind, and the files that it is made of."""
    if kind == "hdc":
        archive(root, 4, "timesR", 1)
        folder = root / "step4/Timesr"
        return [next((folder / "CAM02").glob("*_sample*.tif")), *(folder / "CAM01").glob("*_sample*")]
    files = {
        "pairs": ["blurred/a.png", "sharp/a.png", "sharp/a.txt"],
        "pan": ["im01_ker01.png", "im01.png", "ker01.png", "im01.txt"],
        "plates": ["a.png", "a.txt"],
        "pictures": ["a.png", "a.txt"],
    }[kind]
    for name in files:
        if name.endswith(".txt"):
            (root / name).write_text("one")
        else:
            picture(root / name)
    return [root / name for name in files]


@pytest.mark.parametrize("kind", ["hdc", "pairs", "pan", "plates", "pictures"])
def test_a_fingerprint_changes_with_each_file_and_not_with_where_it_lies(kind, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    laid_out(kind, here)
    before = open_dataset(f"{kind}:{here}").fingerprint()
    assert re.fullmatch(r"[0-9a-f]{16}", before)
    for file in laid_out(kind, there):
        data = open_dataset(f"{kind}:{there}")
        assert data.fingerprint() == before
        old = file.read_bytes()
        # As many bytes as before.
        file.write_bytes(old[:-1] + bytes([old[-1] ^ 1]))
        assert open_dataset(f"{kind}:{there}").fingerprint() != before, file
        file.write_bytes(old)


# TOML files.


def test_data_sets_of_a_toml_file(tmp_path):
    picture(tmp_path / "photos/in/a.png", (30, 40))
    picture(tmp_path / "photos/out/a.png", (30, 40))
    picture(tmp_path / "plates/AB1.png", (60, 200))
    (tmp_path / "data.toml").write_text(
        """
        [[dataset]]
        kind = "pairs"
        path = "photos"
        blurred = "in"
        sharp = "out"
        name = "my photos"
        border = 3
        gamma = 1.8
        [[dataset]]
        kind = "plates"
        path = "plates"
        blurs = 20
        limit = 5
        seed = 3
        border = 4
        [[dataset]]
        kind = "synthetic"
        count = 2
        """
    )
    pairs, plates, drawn = load_datasets(tmp_path / "data.toml")
    assert (pairs.name, pairs.border, pairs.load("a").gamma) == ("my photos", 3, 1.8)
    assert plates.names == ("AB1_00", "AB1_04", "AB1_08", "AB1_12", "AB1_16")
    assert same(plates.load("AB1_04"), Plates(tmp_path / "plates", seed=3, blurs=20).load("AB1_04"))
    assert drawn.names == open_dataset("synthetic:2").names


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a = ", "data.toml is no TOML: "),
        ("dataset = 3", "data.toml has no tables [[dataset]]"),
        ("", "data.toml has no tables [[dataset]]"),
        ("[[dataset]]\npath = '.'", "data set 1 of .*data.toml has the kind None; one of synthetic, ladder, hdc"),
        ("[[dataset]]\nkind = []", "data set 1 of .*data.toml has the kind []; one of"),
        ("[[dataset]]\nkind = 'hdc'", "data set 1 of .*data.toml, of the kind hdc, has no path"),
        (
            "[[dataset]]\nkind = 'synthetic'\nsize = 3",
            "has a key 'size'; of the kind synthetic there are count, ",
        ),
        ("[[dataset]]\nkind = 'synthetic'\nborder = 'x'", "data set 1 of .*: border must be an integer, got str"),
        ("[[dataset]]\nkind = 'synthetic'\ngamma = 0", "data set 1 of .*: gamma must be greater than 0, got 0"),
        ("[[dataset]]\nkind = 'synthetic'\nlimit = 0", "data set 1 of .*: limit must lie between 1 and"),
        ("[[dataset]]\nkind = 'ladder'\nsteps = 6", "steps must be a list of numbers, got 6"),
        ("[[dataset]]\nkind = 'ladder'\nsteps = [20]", "each of steps must lie between 0 and 19, got 20"),
        ("[[dataset]]\nkind = 'ladder'\nshrink = 8", "shrink must lie between 1 and 7, got 8"),
        ("[[dataset]]\nkind = 'synthetic'\nname = 3", "the name of a data set must be a text, got 3"),
        (
            "[[dataset]]\nkind = 'synthetic'\n[[dataset]]\nkind = 'hdc'\npath = 'no'",
            "there is no folder .*no; the",
        ),
    ],
)
def test_what_is_wrong_in_a_toml_file_is_one_sentence(text, sentence, tmp_path):
    (tmp_path / "data.toml").write_text(text)
    with pytest.raises(Problem, match=sentence.replace("[", r"\[")) as caught:
        load_datasets(tmp_path / "data.toml")
    assert "\n" not in str(caught.value)


def test_a_toml_file_that_is_not_there(tmp_path):
    with pytest.raises(Problem, match=r"cannot read .*data.toml: No such file"):
        load_datasets(tmp_path / "data.toml")
