"""Simulated data sets: the pictures are what their ground truth claims."""

import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from dataset_files import same

from deconv import degrade, ocr, tone
from deconv.compare.datasets import load_datasets, open_dataset
from deconv.compare.datasets.synthetic import Synthetic

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
