"""A wrong call of a public function is answered with one clear sentence that names the argument."""

import re

import numpy as np
import pytest

import deconv

IMAGE = np.random.default_rng(0).random((40, 50))
PSF = np.ones((3, 3)) / 9
# A part of it, and a picture with nothing in its lower half.
PART = (slice(0, 36), slice(0, 40))
HALF = np.concatenate([IMAGE, np.full((40, 50), 0.5)])


def free(**options):
    return deconv.blind.deblur(IMAGE, psf="free", **options)


# Functions of a picture: the name of that argument, and a call with everything else right.
OF_IMAGE = {
    "wiener": ("image", lambda x: deconv.wiener(x, PSF)),
    "unsupervised_wiener": ("image", lambda x: deconv.unsupervised_wiener(x, PSF)),
    "richardson_lucy": ("image", lambda x: deconv.richardson_lucy(x, PSF, 2)),
    "variational": ("image", lambda x: deconv.variational(x, PSF, num_iter=2)),
    "blind.deblur": ("image", lambda x: deconv.blind.deblur(x)),
    "blind.deblur_pages": (r"images\[1", lambda x: deconv.blind.deblur_pages([IMAGE, x])),
    "vignette.fit": ("image", lambda x: deconv.vignette.fit(x)),
    "vignette.correct": ("image", lambda x: deconv.vignette.correct(x)),
    "noise.estimate": ("image", lambda x: deconv.noise.estimate(x)),
    "noise.gain": ("image", lambda x: deconv.noise.gain(x)),
    "tone.decode": ("image", lambda x: deconv.tone.decode(x)),
    "tone.encode": ("light", lambda x: deconv.tone.encode(x)),
    "degrade.blur": ("image", lambda x: deconv.degrade.blur(x, PSF)),
    "degrade.random_blur": ("image", lambda x: deconv.degrade.random_blur(x)),
    "degrade.add_noise": ("image", lambda x: deconv.degrade.add_noise(x, 0.1)),
    "degrade.add_vignette": ("image", lambda x: deconv.degrade.add_vignette(x)),
    "metrics.align": ("restored", lambda x: deconv.metrics.align(x, IMAGE)),
    "metrics.psnr": ("sharp", lambda x: deconv.metrics.psnr(IMAGE, x)),
    "metrics.ssim": ("restored", lambda x: deconv.metrics.ssim(x, IMAGE)),
    "metrics.error_ratio": ("reference", lambda x: deconv.metrics.error_ratio(IMAGE, x, IMAGE)),
    "ocr.read_lines": ("image", lambda x: deconv.ocr.read_lines(x)),
    "ocr.hdc_score": ("image", lambda x: deconv.ocr.hdc_score(x, ["a", "b", "c"])),
    "psf.normalise": ("psf", lambda x: deconv.psf.normalise(x)),
    "psf.centre": ("psf", lambda x: deconv.psf.centre(x)),
    "psf.separate": ("psf", lambda x: deconv.psf.separate(x)),
    "psf.similarity": ("psf_b", lambda x: deconv.psf.similarity(PSF, x)),
    "psf.to_otf": ("psf", lambda x: deconv.psf.to_otf(x, (64, 64))),
    "psf.from_otf": ("otf", lambda x: deconv.psf.from_otf(x, (40, 50))),
}
NOT_IMAGES = {
    "None": None,
    "file name": "photo.png",
    "dict": {"image": 1},
    "ragged list": [[1.0, 2.0], [3.0]],
    "empty": np.zeros((0, 5)),
    "0-d": np.float64(3.0),
    "complex": IMAGE + 1j,
    "object": IMAGE.astype(object),
    "text": np.full((40, 50), "a"),
    "dates": np.zeros((40, 50), dtype="datetime64[s]"),
    "all NaN": np.full((40, 50), np.nan),
    "infinity": np.where(IMAGE > 0.99, np.inf, IMAGE),
    "five axes": np.ones((3, 4, 5, 4, 3)),
}
# What a function takes that the rest refuse.
TAKES = {(f, "five axes") for f in ("tone.decode", "tone.encode", "psf.normalise", "psf.centre", "psf.separate")}
# Linear methods do not mind single weights below zero.
TAKES |= {(f, "negative") for f in ("wiener", "unsupervised_wiener")}

OF_PSF = {
    "wiener": lambda p: deconv.wiener(IMAGE, p),
    "unsupervised_wiener": lambda p: deconv.unsupervised_wiener(IMAGE, p),
    "richardson_lucy": lambda p: deconv.richardson_lucy(IMAGE, p, 2),
    "variational": lambda p: deconv.variational(IMAGE, p, num_iter=2),
    "degrade.blur": lambda p: deconv.degrade.blur(IMAGE, p),
}
NOT_PSFS = {
    **NOT_IMAGES,
    "larger than the image": np.ones((41, 3)),
    "one axis": np.ones(3),
    "three axes": np.ones((3, 3, 3)),
    "negative": np.array([[-1.0, 3.0]]),
    "sum zero": np.zeros((3, 3)),
}

# Everything else: the argument to be named (a pattern), and the call.
OTHER = {
    "wiener balance text": ("balance", lambda: deconv.wiener(IMAGE, PSF, "a")),
    "wiener balance zero": ("balance", lambda: deconv.wiener(IMAGE, PSF, 0.0)),
    "wiener balance NaN": ("balance", lambda: deconv.wiener(IMAGE, PSF, np.nan)),
    "wiener reg": ("reg", lambda: deconv.wiener(IMAGE, PSF, reg="tv")),
    "wiener reg number": ("reg", lambda: deconv.wiener(IMAGE, PSF, reg=3.0)),
    "wiener reg too long": ("reg", lambda: deconv.wiener(IMAGE, PSF, reg=np.ones((41, 3)))),
    "wiener reg zero": ("reg", lambda: deconv.wiener(IMAGE, PSF, reg=np.zeros((3, 3)))),
    "wiener reg gives no power": ("reg", lambda: deconv.wiener(IMAGE, PSF, reg=lambda f: -f)),
    "wiener reg gives another shape": ("reg", lambda: deconv.wiener(IMAGE, PSF, reg=lambda f: f[0])),
    "wiener one NaN": ("image", lambda: deconv.wiener(np.where(IMAGE > 0.99, np.nan, IMAGE), PSF)),
    "wiener channel_axis": ("channel_axis", lambda: deconv.wiener(IMAGE[..., None], PSF, channel_axis=3)),
    "wiener channel_axis text": ("channel_axis", lambda: deconv.wiener(IMAGE[..., None], PSF, channel_axis="last")),
    "wiener colour unnamed": ("psf", lambda: deconv.wiener(np.stack([IMAGE] * 3, -1), PSF)),
    "unsupervised num_iter": ("num_iter", lambda: deconv.unsupervised_wiener(IMAGE, PSF, num_iter=0)),
    "unsupervised burn_in": ("burn_in", lambda: deconv.unsupervised_wiener(IMAGE, PSF, num_iter=9, burn_in=9)),
    "unsupervised rng": ("rng", lambda: deconv.unsupervised_wiener(IMAGE, PSF, rng="seed")),
    "unsupervised flat": ("image", lambda: deconv.unsupervised_wiener(np.ones((9, 9)), PSF)),
    "rl num_iter zero": ("num_iter", lambda: deconv.richardson_lucy(IMAGE, PSF, 0)),
    "rl num_iter fraction": ("num_iter", lambda: deconv.richardson_lucy(IMAGE, PSF, 2.5)),
    "rl num_iter true": ("num_iter", lambda: deconv.richardson_lucy(IMAGE, PSF, True)),
    "rl background negative": ("background", lambda: deconv.richardson_lucy(IMAGE, PSF, background=-1.0)),
    "rl background text": ("background", lambda: deconv.richardson_lucy(IMAGE, PSF, background="sky")),
    "rl callback": ("callback", lambda: deconv.richardson_lucy(IMAGE, PSF, callback=3)),
    "rl accelerate": ("accelerate", lambda: deconv.richardson_lucy(IMAGE, PSF, accelerate="yes")),
    "rl mask shape": ("mask", lambda: deconv.richardson_lucy(IMAGE, PSF, mask=np.ones((3, 3)))),
    "rl mask negative": ("mask", lambda: deconv.richardson_lucy(IMAGE, PSF, mask=-np.ones((40, 50)))),
    "rl mask zero": ("mask", lambda: deconv.richardson_lucy(IMAGE, PSF, mask=np.zeros((40, 50)))),
    "rl mask NaN": ("mask", lambda: deconv.richardson_lucy(IMAGE, PSF, mask=np.full((40, 50), np.nan))),
    "rl mask text": ("mask", lambda: deconv.richardson_lucy(IMAGE, PSF, mask="none")),
    "rl integers of 64 bits": ("image", lambda: deconv.richardson_lucy(np.ones((9, 9), np.int64), PSF)),
    "variational num_iter": ("num_iter", lambda: deconv.variational(IMAGE, PSF, num_iter=0)),
    "variational weight": ("weight", lambda: deconv.variational(IMAGE, PSF, weight=-1.0)),
    "variational bounds": ("bounds", lambda: deconv.variational(IMAGE, PSF, bounds=(1.0, 0.0))),
    "variational bounds kind": ("bounds", lambda: deconv.variational(IMAGE, PSF, bounds=3)),
    "variational prior": ("prior", lambda: deconv.variational(IMAGE, PSF, prior="tv")),
    "variational likelihood": ("likelihood", lambda: deconv.variational(IMAGE, PSF, likelihood="cauchy")),
    "variational likelihood kind": ("likelihood", lambda: deconv.variational(IMAGE, PSF, likelihood=2)),
    "variational tol": ("tol", lambda: deconv.variational(IMAGE, PSF, tol=-1.0)),
    "variational mask": ("mask", lambda: deconv.variational(IMAGE, PSF, mask=np.ones((3, 3)))),
    "variational callback": ("callback", lambda: deconv.variational(IMAGE, PSF, callback=3)),
    "hyper-Laplacian power": ("power", lambda: deconv.priors.HyperLaplacian(1.0)),
    "two tones in disorder": ("tones", lambda: deconv.priors.TwoTone((1.0, 0.0))),
    "two tones kind": ("tones", lambda: deconv.priors.TwoTone(0.5)),
    "two tones pull": ("pull", lambda: deconv.priors.TwoTone(pull=0.0)),
    "deblur prior": ("prior", lambda: deconv.blind.deblur(IMAGE, prior="cartoon")),
    "deblur psf": ("psf", lambda: deconv.blind.deblur(IMAGE, psf="square")),
    "deblur radius": ("radius", lambda: deconv.blind.deblur(IMAGE, radius=0)),
    "deblur radius text": ("radius", lambda: deconv.blind.deblur(IMAGE, radius="3")),
    "deblur radius too large": ("radius", lambda: deconv.blind.deblur(IMAGE, radius=21)),
    "deblur radius of a Gaussian": ("radius", lambda: deconv.blind.deblur(IMAGE, psf="gaussian", radius=3)),
    "deblur gamma": ("gamma", lambda: deconv.blind.deblur(IMAGE, gamma=-1.0)),
    "deblur channel_axis": ("channel_axis", lambda: deconv.blind.deblur(IMAGE, channel_axis=7)),
    "deblur callback": ("callback", lambda: deconv.blind.deblur(IMAGE, callback=3)),
    "deblur one NaN": ("image", lambda: deconv.blind.deblur(np.where(IMAGE > 0.99, np.nan, IMAGE), psf="free")),
    "deblur small": ("image", lambda: deconv.blind.deblur(IMAGE[:31], psf="free")),
    "deblur flat": ("image", lambda: deconv.blind.deblur(np.ones((40, 50)), psf="free")),
    "deblur dark": ("image", lambda: deconv.blind.deblur(-IMAGE, psf="free")),
    "deblur colour unnamed": ("image", lambda: deconv.blind.deblur(np.stack([IMAGE] * 3, -1), psf="free")),
    "deblur psf list": ("psf", lambda: deconv.blind.deblur(IMAGE, psf=[[0.5, 0.5]])),
    "deblur psf none": ("psf", lambda: deconv.blind.deblur(IMAGE, psf=None)),
    "deblur psf too large": ("psf", lambda: deconv.blind.deblur(IMAGE, psf=np.ones((21, 3)))),
    "deblur psf_size text": ("psf_size", lambda: free(psf_size="large")),
    "deblur psf_size fraction": ("psf_size", lambda: free(psf_size=11.5)),
    "deblur psf_size true": ("psf_size", lambda: free(psf_size=True)),
    "deblur psf_size small": ("psf_size", lambda: free(psf_size=2)),
    "deblur psf_size large": ("psf_size", lambda: free(psf_size=21)),
    "deblur psf_size NaN": ("psf_size", lambda: free(psf_size=np.nan)),
    "deblur psf_size three": ("psf_size", lambda: free(psf_size=(3, 5, 7))),
    "deblur psf_size in disorder": ("psf_size", lambda: free(psf_size=(9, 5))),
    "deblur psf_size pair large": ("psf_size", lambda: free(psf_size=(5, 99))),
    "deblur psf_size pair kind": ("psf_size", lambda: free(psf_size=(5, "9"))),
    "deblur psf_size array": ("psf_size", lambda: free(psf_size=np.ones((2, 2)))),
    "deblur psf_size of a disk": ("psf_size", lambda: deconv.blind.deblur(IMAGE, psf="disk", psf_size=9)),
    "deblur region of a disk": ("region", lambda: deconv.blind.deblur(IMAGE, psf="disk", region=PART)),
    "deblur region kind": ("region", lambda: free(region=3)),
    "deblur region numbers": ("region", lambda: free(region=(0, 0, 32, 32))),
    "deblur region text": ("region", lambda: free(region="left")),
    "deblur region of three": ("region", lambda: free(region=(*PART, slice(None)))),
    "deblur region stepped": ("region", lambda: free(region=(slice(None, None, 2), slice(None)))),
    "deblur region small": ("region", lambda: free(region=(slice(0, 31), slice(0, 40)))),
    "deblur region empty": ("region", lambda: free(region=(slice(40, 80), slice(0, 40)))),
    "deblur region of texts": ("region", lambda: free(region=(slice("a", "b"), slice(0, 40)))),
    "deblur region of fractions": ("region", lambda: free(region=(slice(0.0, 40.0), slice(0, 40)))),
    "deblur region flat": ("region", lambda: deconv.blind.deblur(HALF, psf="free", region=(slice(40, 80), PART[1]))),
    "deblur region beside psf_size": ("psf_size", lambda: free(region=(slice(0, 32), slice(0, 40)), psf_size=20)),
    "pages none": ("images", lambda: deconv.blind.deblur_pages([])),
    "pages None": ("images", lambda: deconv.blind.deblur_pages(None)),
    "pages one array": ("images", lambda: deconv.blind.deblur_pages(IMAGE)),
    "pages file name": ("images", lambda: deconv.blind.deblur_pages("scan.pdf")),
    "pages generator": ("images", lambda: deconv.blind.deblur_pages(x for x in [IMAGE])),
    "pages dict": ("images", lambda: deconv.blind.deblur_pages({"a": IMAGE})),
    "pages set": ("images", lambda: deconv.blind.deblur_pages({1, 2})),
    "pages small": ("images", lambda: deconv.blind.deblur_pages([IMAGE, IMAGE[:9]])),
    "pages psf": ("psf", lambda: deconv.blind.deblur_pages([IMAGE], psf="disk")),
    "pages psf too large": ("psf", lambda: deconv.blind.deblur_pages([HALF, IMAGE], psf=np.ones((25, 25)))),
    "pages psf_size": ("psf_size", lambda: deconv.blind.deblur_pages([IMAGE], psf_size=2)),
    "pages prior": ("prior", lambda: deconv.blind.deblur_pages([IMAGE], prior="cartoon")),
    "pages gamma": ("gamma", lambda: deconv.blind.deblur_pages([IMAGE], gamma=0)),
    "pages callback": ("callback", lambda: deconv.blind.deblur_pages([IMAGE], callback=3)),
    "pages channel_axis": ("channel_axis", lambda: deconv.blind.deblur_pages([IMAGE], channel_axis=7)),
    "disk radius negative": ("radius", lambda: deconv.psf.disk(-1.0)),
    "disk radius text": ("radius", lambda: deconv.psf.disk("5")),
    "disk radius array": ("radius", lambda: deconv.psf.disk(np.ones(3))),
    "disk radius infinite": ("radius", lambda: deconv.psf.disk(np.inf)),
    "disk softness": ("softness", lambda: deconv.psf.disk(3.0, softness=-1.0)),
    "gaussian sigma": ("sigma", lambda: deconv.psf.gaussian(-1.0)),
    "gaussian sigma none": ("sigma", lambda: deconv.psf.gaussian(None)),
    "motion length": ("length", lambda: deconv.psf.motion(-1.0)),
    "motion angle": ("angle", lambda: deconv.psf.motion(5.0, "up")),
    "polygon radius": ("radius", lambda: deconv.psf.polygon(-1.0)),
    "polygon blades": ("blades", lambda: deconv.psf.polygon(5.0, 2)),
    "polygon blades fraction": ("blades", lambda: deconv.psf.polygon(5.0, 5.5)),
    "polygon rotation": ("rotation", lambda: deconv.psf.polygon(5.0, rotation=np.nan)),
    "random_motion size": ("size", lambda: deconv.psf.random_motion(20)),
    "random_motion size fraction": ("size", lambda: deconv.psf.random_motion(21.0)),
    "random_motion rng": ("rng", lambda: deconv.psf.random_motion(21, rng="seed")),
    "disk like": ("like", lambda: deconv.psf.disk(3.0, like="torch")),
    "to_otf shape": ("shape", lambda: deconv.psf.to_otf(PSF, (2, 2))),
    "to_otf shape axes": ("shape", lambda: deconv.psf.to_otf(PSF, 64)),
    "to_otf shape kind": ("shape", lambda: deconv.psf.to_otf(PSF, (64.0, 64.0))),
    "from_otf shape": ("otf", lambda: deconv.psf.from_otf(np.ones((8, 8)), (8, 9))),
    "gain readout": ("readout", lambda: deconv.noise.gain(IMAGE, readout=-1.0)),
    "psf negative": ("psf", lambda: deconv.psf.normalise(-PSF)),
    "decode gamma": ("gamma", lambda: deconv.tone.decode(IMAGE, 0.0)),
    "encode gamma": ("gamma", lambda: deconv.tone.encode(IMAGE, "sRGB")),
    "fit degree": ("degree", lambda: deconv.vignette.fit(IMAGE, degree=-1)),
    "fit where": ("where", lambda: deconv.vignette.fit(IMAGE, where=np.ones((3, 3), bool))),
    "fit foreground": ("foreground", lambda: deconv.vignette.fit(IMAGE, foreground="blue")),
    "correct mode": ("mode", lambda: deconv.vignette.correct(IMAGE, mode="add")),
    "estimate channel_axis": ("channel_axis", lambda: deconv.noise.estimate(IMAGE, channel_axis=5)),
    "add_noise sigma": ("sigma", lambda: deconv.degrade.add_noise(IMAGE, -0.1)),
    "add_noise rng": ("rng", lambda: deconv.degrade.add_noise(IMAGE, 0.1, rng="seed")),
    "add_vignette strength": ("strength", lambda: deconv.degrade.add_vignette(IMAGE, "much")),
    "add_vignette centre": ("centre", lambda: deconv.degrade.add_vignette(IMAGE, centre=3)),
    "text_picture lines": ("lines", lambda: deconv.degrade.text_picture(5)),
    "text_picture font": ("font", lambda: deconv.degrade.text_picture(["a"], font="no such font")),
    "hdc_photo step": ("step", lambda: deconv.degrade.hdc_photo(99)),
    "hdc_photo step text": ("step", lambda: deconv.degrade.hdc_photo("five")),
    "hdc_photo lines": ("lines", lambda: deconv.degrade.hdc_photo(3, 5)),
    "character_accuracy": ("read|truth", lambda: deconv.ocr.character_accuracy(3, "a")),
    "hdc_score truth": ("truth", lambda: deconv.ocr.hdc_score(IMAGE, 3)),
}


def assert_one_sentence(call, names):
    """`call` raises TypeError or ValueError with one line that names the argument and says something."""
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert type(caught.value) in (TypeError, ValueError), f"a subclass: {caught.value!r}"
    text = str(caught.value)
    assert "\n" not in text
    assert 15 < len(text) < 240, text
    assert re.search(rf"\b({names})\b", text), f"does not name {names}: {text}"
    # It was our own check that spoke, not what happened to stumble over the value.
    assert "/deconv/" in str(caught.traceback[-1].path).replace("\\", "/"), text


@pytest.mark.parametrize("kind", NOT_IMAGES)
@pytest.mark.parametrize("function", OF_IMAGE)
def test_not_an_image(function, kind):
    if (function, kind) in TAKES:
        pytest.skip("it takes any number of axes")
    name, call = OF_IMAGE[function]
    assert_one_sentence(lambda: call(NOT_IMAGES[kind]), name)


@pytest.mark.parametrize("kind", NOT_PSFS)
@pytest.mark.parametrize("function", OF_PSF)
def test_not_a_psf(function, kind):
    if (function, kind) in TAKES:
        pytest.skip("it takes weights of any sign")
    assert_one_sentence(lambda: OF_PSF[function](NOT_PSFS[kind]), "psf")


@pytest.mark.parametrize("wrong", OTHER)
def test_wrong_option(wrong):
    names, call = OTHER[wrong]
    assert_one_sentence(call, names)


def test_pages_of_different_libraries():
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(TypeError, match="one library, got a mix of: array_api_strict, numpy"):
        deconv.blind.deblur_pages([IMAGE, strict.asarray(IMAGE)])


@pytest.mark.parametrize("function", OF_PSF)
def test_a_mixture_of_libraries(function):
    strict = pytest.importorskip("array_api_strict")
    psf = strict.asarray(PSF)
    with pytest.raises(TypeError, match="one library, got a mix of: array_api_strict, numpy"):
        OF_PSF[function](psf)


def test_a_mask_from_another_library():
    strict = pytest.importorskip("array_api_strict")
    mask = strict.asarray(np.ones((40, 50)))
    for call in (deconv.richardson_lucy, deconv.variational):
        with pytest.raises(TypeError, match="one library"):
            call(IMAGE, PSF, mask=mask)


def test_every_public_function_is_here():
    """A new public function must be tried with wrong input too."""
    tried = {*OF_IMAGE, "psf.disk", "psf.gaussian", "psf.motion", "psf.polygon", "ocr.character_accuracy"}
    tried |= {"psf.random_motion", "degrade.text_picture", "degrade.hdc_photo"}
    public = set()
    for name in deconv.__all__:
        member = getattr(deconv, name)
        if isinstance(member, type) or name == "compare":
            continue  # what a function returns; what is asked for files, in its own tests
        if callable(member):
            public.add(name)
        else:
            public |= {
                f"{name}.{inner}"
                for inner in getattr(member, "__all__", ())
                if callable(getattr(member, inner)) and not isinstance(getattr(member, inner), type)
            }
    assert public == tried
