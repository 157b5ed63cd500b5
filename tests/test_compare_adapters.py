"""Each type of method but networks, by one whose answer is known."""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import deconv
from deconv._core import files
from deconv.blind.natural import restore
from deconv.compare.adapters import build
from deconv.compare.functions import _disc_radius
from deconv.compare.protocol import Context, Method, Problem
from deconv.degrade.hdc import hdc_psf

COLOUR = np.random.default_rng(0).uniform(0.1, 0.9, (40, 51, 3)).astype(np.float32)
GREY = COLOUR[..., 0]
# Neither symmetric nor square: a flip, a shift or a transposition shows.
PSF = np.random.default_rng(1).uniform(0, 1, (5, 7)).astype(np.float32)
PSF /= PSF.sum()


def adapter(kind, *, allow_shell=False, **options):
    return build(Method("m", kind, options=options), allow_shell=allow_shell)


# ---- our own


def test_own_works_on_light():
    light = deconv.tone.decode(GREY, 2.2)
    expected = deconv.tone.encode(np.clip(deconv.wiener(light, PSF, 0.1), 0, None), 2.2).clip(0, 1)
    result = adapter("deconv", function="wiener", parameters={"balance": 0.1})(GREY, Context(psf=PSF, gamma=2.2))
    np.testing.assert_allclose(result, expected, atol=1e-6)
    assert np.abs(deconv.wiener(GREY, PSF, 0.1).clip(0, 1) - expected).max() > 0.01


@pytest.mark.parametrize(
    "function", ["wiener", "unsupervised_wiener", "richardson_lucy", "variational", "deblur_known"]
)
@pytest.mark.parametrize("colour", [False, True])
def test_own_with_the_psf_are_better_than_the_blurred(function, colour):
    sharp = deconv.degrade.text_picture(["known", "psf"], size=24, shape=(72, 100)).astype(np.float32)
    disk = deconv.psf.disk(2.5)
    light = deconv.degrade.blur(deconv.tone.decode(sharp, 2.2), disk)
    blurred = deconv.degrade.add_noise(deconv.tone.encode(light, 2.2), 0.003, rng=0).astype(np.float32)
    image = np.stack([blurred] * 3, axis=-1) if colour else blurred
    result = adapter("deconv", function=function)(image, Context(psf=disk, gamma=2.2))
    assert result.shape == image.shape
    assert 0 <= result.min() <= result.max() <= 1
    grey = result.mean(axis=-1) if colour else result
    assert deconv.metrics.psnr(grey, sharp) > deconv.metrics.psnr(blurred, sharp) + 2
    with pytest.raises(Problem, match="needs the PSF, which is unknown"):
        adapter("deconv", function=function)(image, Context(gamma=2.2))


def test_own_are_told_the_seed_where_they_are_random():
    wiener = adapter("deconv", function="unsupervised_wiener", parameters={"num_iter": 60})
    one, again, other = (wiener(GREY, Context(psf=PSF, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0


def test_own_priors_by_name():
    variational = adapter("deconv", function="variational", parameters={"prior": "HyperLaplacian", "num_iter": 5})
    other = adapter("deconv", function="variational", parameters={"num_iter": 5})
    context = Context(psf=PSF)
    assert np.abs(variational(GREY, context) - other(GREY, context)).max() > 1e-3
    with pytest.raises(Problem, match=r"prior must be one of HyperLaplacian, L0Gradient, .* got 'Laplace'"):
        adapter("deconv", function="variational", parameters={"prior": "Laplace"})(GREY, context)


def photograph(psf, *, channels=None, gamma=2.2):
    """Text through a PSF, encoded, and the text."""
    sharp = deconv.degrade.text_picture(["known", "disc"], size=24, shape=(96, 130)).astype(np.float32)
    light = deconv.degrade.blur(deconv.tone.decode(0.1 + 0.8 * sharp, gamma), psf)
    image = deconv.degrade.add_noise(deconv.tone.encode(light, gamma), 0.003, rng=0).astype(np.float32).clip(0, 1)
    return (image if channels is None else np.stack([image] * channels, axis=-1)), sharp


@pytest.mark.parametrize("radius", [1.1, 1.5, 2.5, 6, 14])
@pytest.mark.parametrize("softness", [0, 0.05, 0.3])
def test_a_disc_is_known_by_its_radius(radius, softness):
    psf = deconv.psf.disk(radius, softness=softness * radius).astype(np.float32)
    assert _disc_radius(psf) == pytest.approx(radius, rel=1e-3)
    # As others pad it.
    assert _disc_radius(7 * np.pad(psf, ((3, 2), (8, 8)))) == pytest.approx(radius, rel=1e-3)


@pytest.mark.parametrize("shrink", [1, 2, 5])
@pytest.mark.parametrize("step", [0, 1, 3, 8, 14])
def test_the_psf_of_the_challenge_is_a_disc(step, shrink):
    psf, radius, _ = hdc_psf(step, shrink)
    assert _disc_radius(psf) == (pytest.approx(radius, rel=0.01) if radius >= 1 else None)


@pytest.mark.parametrize(
    "psf",
    [
        *(deconv.psf.gaussian(sigma) for sigma in (0.5, 0.7, 1, 1.5, 2, 4)),
        *(deconv.psf.motion(length, 30) for length in (1.5, 3, 7, 16)),
        *(deconv.psf.random_motion(size, rng=0) for size in (3, 7, 15, 31)),
        *(deconv.psf.polygon(10, blades) for blades in (4, 6, 8)),
        deconv.psf.disk(0.6),
        # One that moves the picture.
        np.pad(deconv.psf.disk(6), ((0, 2), (0, 0))),
        np.ones((1, 1)),
        np.ones((1, 9)),
        PSF,
    ],
)
def test_what_is_no_disc(psf):
    assert _disc_radius(psf) is None


@pytest.mark.parametrize("channels", [None, 3])
def test_text_out_of_focus_is_restored_by_the_radius(channels):
    # (An exponent that is not among those which would be estimated.)
    image, sharp = photograph(deconv.psf.disk(7), channels=channels, gamma=1.6)
    context = Context(psf=deconv.psf.disk(7).astype(np.float32), gamma=1.6)
    known, natural = (
        adapter("deconv", function="deblur_known", parameters=parameters)(image, context)
        for parameters in ({}, {"prior": "natural"})
    )
    expected = deconv.blind.deblur(image, radius=7, gamma=1.6, channel_axis=None if channels is None else -1)
    assert expected.prior == "text"
    np.testing.assert_allclose(known, expected.image, atol=0.02)
    # In which letters are two tones, as they are not by total variation.
    grey = [x if channels is None else x.mean(axis=-1) for x in (known, natural)]
    assert deconv.metrics.psnr(grey[0], sharp) > deconv.metrics.psnr(grey[1], sharp) + 3


@pytest.mark.parametrize("case", ["motion", "leaves", "too small for any blur", "too small for the disc"])
def test_all_else_is_restored_by_the_psf(case):
    radius = 18 if case == "too small for the disc" else 7
    psf = deconv.psf.motion(7, 30) if case == "motion" else deconv.psf.disk(radius)
    image, _ = photograph(psf)
    if case == "leaves":
        leaves = np.random.default_rng(0).uniform(0.1, 0.9, (6, 9)).repeat(16, axis=0).repeat(16, axis=1)
        image = deconv.degrade.blur(leaves, psf).astype(np.float32)
    elif case != "motion":
        image = image[40 : 60 if case == "too small for any blur" else 74]
    context = Context(psf=psf.astype(np.float32), gamma=2.2)
    light = deconv.tone.decode(image, 2.2)
    (expected,), _ = restore([light], context.psf, prior="text", report=lambda part: None)
    result = adapter("deconv", function="deblur_known")(image, context)
    np.testing.assert_allclose(result, deconv.tone.encode(expected.clip(0), 2.2).clip(0, 1), atol=1e-6)


def test_what_goes_wrong_inside_is_told(monkeypatch):
    def wrong(*args, **kwargs):
        raise ValueError("a fault inside")

    monkeypatch.setattr(deconv.blind, "deblur", wrong)
    with pytest.raises(ValueError, match="a fault inside"):
        adapter("deconv", function="deblur_known")(GREY, Context(psf=deconv.psf.disk(4).astype(np.float32)))


def test_own_blind_tells_the_psf():
    sharp = deconv.degrade.text_picture(["blind", "deblur"], shape=(120, 200))
    blurred = deconv.degrade.blur(sharp, deconv.psf.disk(4))
    image, psf = adapter("deconv", function="deblur", parameters={"gamma": 1.0})(blurred, Context())
    assert image.shape == blurred.shape
    np.testing.assert_allclose(psf, np.pad(deconv.psf.disk(4), (psf.shape[0] - 9) // 2), atol=0.005)
    image, psf = adapter("deconv", function="deblur", parameters={"gamma": 1.0})(sharp, Context())
    assert psf is None
    np.testing.assert_array_equal(image, sharp)


def test_references_are_the_comparisons_business():
    with pytest.raises(Problem, match="'sharp' is a reference"):
        adapter("deconv", function="sharp")


# ---- code


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A folder with a module of its own name."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    name = f"own_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(
        "import numpy as np\n"
        "def seeded(image, context, gain=1.0):\n"
        "    return gain * image + context.seed, context.psf\n"
        "seeded.parameters = 7\n"
    )
    (tmp_path / f"{name}_broken.py").write_text("import no_such_package_as_this")
    return name


def test_python(package, tmp_path):
    restore = adapter("python", function=f"{package}:seeded", folder=str(tmp_path), parameters={"gain": 0.5})
    assert restore.parameters == 7
    image, psf = restore(GREY, Context(seed=3, psf=PSF), name="page")
    np.testing.assert_allclose(image, 0.5 * GREY + 3)
    assert psf is PSF


def test_python_that_is_not_there(package, tmp_path):
    home = str(tmp_path)
    with pytest.raises(
        Problem, match="there is no package 'no_such_module' for no_such_module:f, neither installed nor"
    ):
        adapter("python", function="no_such_module:f", folder=home)
    with pytest.raises(Problem, match="names no function"):
        adapter("python", function=f"{package}:np.zeros", folder=home)
    # What another package lacks is its own to say.
    with pytest.raises(ModuleNotFoundError, match="no_such_package_as_this"):
        adapter("python", function=f"{package}_broken:f", folder=home)


# ---- programs


def shell(command, **options):
    return adapter("shell", allow_shell=True, command=command, **options)


def test_shell_is_refused_unless_it_is_allowed():
    with pytest.raises(Problem, match="runs a shell command, which needs --allow-shell"):
        adapter("shell", command="cp {in} {out}")


@pytest.mark.parametrize(("bits", "error"), [(8, 1 / 255), (16, 1 / 65535)])
@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_shell_by_files_of_so_many_bits(bits, error, image):
    result = shell("cp {in} {out}", bits=bits)(image, Context(), name="page")
    assert result.shape == image.shape
    assert error / 4 < np.abs(result - image).max() < 0.51 * error


def test_shell_is_told_and_no_shell_reads_it(tmp_path):
    """Arguments reach the program as they are, whatever a shell would make of them."""
    command = f'sh -c \'printf "%s\\n" "$@" > {tmp_path}/told; cp "$1" "$2"\' -'
    shell(f"{command} {{in}} {{out}} {{level}} s{{seed}} {{device}} '$(touch {tmp_path}/no); *'", folder=str(tmp_path))(
        GREY, Context(level=2.50, seed=3, device="cuda"), name="page"
    )
    told = (tmp_path / "told").read_text().splitlines()
    assert [Path(path).name for path in told[:2]] == ["in.png", "out.png"]
    assert told[2:] == ["2.5", "s3", "cuda", f"$(touch {tmp_path}/no); *"]
    assert not (tmp_path / "no").exists()


def test_shell_starts_in_its_folder_and_leaves_nothing(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\ncp "$1" "$(dirname "$1")/chosen.png"\n')
    program.chmod(0o755)
    result = shell("./program {in}", folder=str(tmp_path))(GREY, Context())
    np.testing.assert_allclose(result, GREY, atol=1 / 255)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("sh -c 'echo first >&2; echo the reason >&2; exit 3' {in}", "sh failed with exit status 3: the reason"),
        ("sh -c 'exit 4' {in}", "sh failed with exit status 4$"),
        ("true {in}", "ended well but wrote nothing"),
        ("sh -c 'touch ${1%in.png}a.png ${1%in.png}b.png' - {in}", r"wrote a.png, b.png but not \{out\}"),
        ("no-such-program {in}", "no-such-program cannot be run: No such file"),
        ("cp {in} {level}", "needs the level of blur, which is unknown"),
    ],
)
def test_shell_that_fails(command, message):
    with pytest.raises(Problem, match=message):
        shell(command)(GREY, Context())


def test_shell_that_writes_no_picture():
    with pytest.raises(files.FileProblem, match="not a picture"):
        shell("sh -c 'echo text > $1' - {out} {in}")(GREY, Context())
    with pytest.raises(Problem, match="cannot be parsed, No closing quotation"):
        shell("prog 'in")


# ---- files


def test_folder(tmp_path):
    restore = adapter("folder", pattern=str(tmp_path / "{stem}*.png"))
    files.write(tmp_path / "page1_ours.png", GREY)
    np.testing.assert_allclose(restore(COLOUR, Context(), name="page1"), GREY, atol=1 / 255)
    with pytest.raises(Problem, match="no file found for the picture 'page2'"):
        restore(COLOUR, Context(), name="page2")
    files.write(tmp_path / "page10.png", GREY)
    with pytest.raises(Problem, match=r"2 files, the first .*page10.png and .*page1_ours.png, found for .*'page1'"):
        restore(COLOUR, Context(), name="page1")


def test_folder_takes_a_name_for_what_it_is(tmp_path):
    files.write(tmp_path / "page1.png", GREY)
    with pytest.raises(Problem, match="no file found"):
        adapter("folder", pattern=str(tmp_path / "{stem}.png"))(GREY, Context(), name="page[0-9]")
