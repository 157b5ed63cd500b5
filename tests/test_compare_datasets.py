"""Opening data sets by a line or a TOML file, their names and fingerprints, and one sentence for each mistake."""

import re

import pytest
from dataset_files import archive, picture, same

from deconv.compare.datasets import load_datasets, open_dataset
from deconv.compare.datasets.base import evenly_spaced, unique_names
from deconv.compare.datasets.plates import Plates
from deconv.compare.protocol import Problem


def test_names_are_fit_for_files_and_differ():
    given = ["a", "A", "a_2", "a b", "a/b", "…", ".hidden", "ä.1-2"]
    assert unique_names(given) == ["a", "A_2", "a_2_2", "a_b", "a_b_2", "_", "hidden", "_.1-2"]


def test_a_part_is_spread_over_the_whole():
    assert evenly_spaced(list("abcdefgh"), 4) == list("aceg")
    assert evenly_spaced(list("abc"), 2) == ["a", "b"]
    assert evenly_spaced(list("abc"), 9) == evenly_spaced(list("abc"), None) == list("abc")


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
        ("plates:nowhere", "there is no folder nowhere; your own sharp pictures of plates are wanted as AB12CDE"),
        ("pictures:nowhere", "there is no folder nowhere; blurred pictures are wanted as NAME.png, with .* NAME.txt"),
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
        ("plates", "there are no pictures in .*; your own sharp pictures"),
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
        ("a = ", "data.toml is not valid TOML: "),
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
