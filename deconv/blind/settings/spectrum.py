"""Settings of the likelihood of a PSF from the power of an image (`deconv.blind.spectrum`)."""

from dataclasses import dataclass

from deconv.blind.settings._setting import setting

__all__ = ["Frequencies", "FullSpectrum", "Spectrum"]


@dataclass(frozen=True)
class Frequencies:
    """Frequencies of an image that count."""

    lowest: float = setting(
        2.5,
        "Lowest frequency that counts: lower ones hold the light over the frame and the layout of the page.",
        "periods a frame",
    )
    off_axes: float = setting(
        1.5,
        "Distance from the axes of frequency from which one counts: the lines of a page are evenly spaced.",
        "periods a frame",
    )
    highest: float = setting(
        0.5, "Highest frequency that counts: beyond are the corners, which are noise.", "cycles a pixel"
    )


@dataclass(frozen=True)
class Spectrum(Frequencies):
    """The likelihood in bins of frequency and direction, scene and noise integrated out."""

    margin: float = setting(
        0.03, "Width of the taper of an image whose scene ends before its border.", "parts of the longer side"
    )
    border_variation: float = setting(
        0.4,
        "An image whose border varies by less than this has a scene that ends before it: the narrow taper suffices.",
        "standard deviations of the image",
    )
    edge_slope: float = setting(
        -3.0, "Slope of the log power of a scene over log frequency: that of edges, whatever the scene.", "1"
    )
    edge_slope_deviation: float = setting(1.0, "Standard deviation of that slope from knot to knot.", "1")
    knot_ratio: float = setting(
        1.3,
        "Ratio of frequency between neighbouring knots of the scene's spline.",
        "1",
        "tried: The radius",
        "1.3 to 1.5: up to 750 nats on 128 simulated photographs, radius worse by at most 0.03 % in the median",
    )
    bending: float = setting(
        0.4,
        "Standard deviation of the second differences of the spline's coefficients.",
        "nats",
        "tried: The radius",
        "0.2 to 0.8: up to 750 nats on 128 simulated photographs, radius worse by at most 0.03 % in the median",
    )
    direction_knots: float = setting(
        1 / 3, "Knots of the splines that multiply functions of direction, as a part of the scene's.", "1"
    )
    direction_step: float = setting(
        0.5,
        "Standard deviation of the first differences of their coefficients.",
        "nats",
        "tried: The radius",
        "0.25 to 1: up to 750 nats on 128 simulated photographs, radius worse by at most 0.03 % in the median",
    )
    direction_deviation: float = setting(
        0.5,
        "Standard deviation of their coefficients.",
        "nats",
        "tried: The radius",
        "0.25 to 1: up to 750 nats on 128 simulated photographs, radius worse by at most 0.03 % in the median",
    )
    noise_terms: int = setting(
        2,
        "Terms of the polynomial of the noise's log power beside the constant.",
        "1",
        "tried: The radius",
        "white noise only: -845 nats on 128 simulated photographs, -329 on 16 real ones; the radius hardly changes",
    )
    noise_colour: float = setting(
        1.0,
        "Standard deviation of each of these terms at the highest frequency.",
        "nats",
        "tried: The radius",
        "0.3 to 3: up to 750 nats on 128 simulated photographs, radius worse by at most 0.03 % in the median",
    )
    uncertainty_factor: float = setting(
        1.5,
        "Factor from the standard deviation that the evidence's curvature gives to the error of a radius.",
        "1",
        evidence="the ratio of the two on simulated photographs",
    )
    ring_width: float = setting(
        1 / 16, "Width of a ring of bins, as a part of the reciprocal of the largest radius in pixels.", "1"
    )
    ring_width_relative: float = setting(0.12, "Largest width of a ring, as a part of its own frequency.", "1")
    bins_per_zero: int = setting(6, "Bins along a motion from one of its zeros to the next.", "1")
    across_from: float = setting(4e-3, "Frequency across a motion up to which there is one bin.", "cycles a pixel")
    across_ratio: float = setting(1.35, "Ratio of frequency between bins across a motion.", "1")
    roughness: tuple[float, float] = setting(
        (1e-3, 1.0),
        "Least and largest roughness tried beside none: relative variance by which the power of a bin departs from a "
        "smooth function, as the lines and letters of a page make it do.",
        "1",
        "tried: The spectrum of photographs",
        "without it the finest grid overrules a right disc on 14 of 18 JPEG photographs; receipts have 0.1 to 0.3",
    )
    roughness_values: int = setting(13, "Values of the roughness tried between these.", "1")
    max_roughness_steps: int = setting(4, "Most alternations of scene and roughness.", "1")
    max_scoring_steps: int = setting(40, "Most iterations of Fisher's scoring.", "iterations")
    scoring_tolerance: float = setting(0.02, "Change of the criterion below which scoring stops.", "nats")


@dataclass(frozen=True)
class FullSpectrum(Frequencies):
    """The likelihood at every single frequency, the scene's power plugged in."""

    highest: float = setting(
        0.49, "Highest frequency that counts: beyond are the corners, which are noise.", "cycles a pixel"
    )
    fade: float = setting(
        0.15,
        "Width of the taper at each border.",
        "parts of that side",
        "tried: Large PSFs",
        "mean similarity of PSFs on eight pages 0.51; with 0.075 and 0.3 of each side 0.50 and 0.49",
    )
    noise_from: float = setting(0.45, "Frequency from which on power is mostly noise.", "cycles a pixel")
    least_noise: float = setting(
        1e-6, "Least power of the noise: synthetic images have none.", "parts of the mean power"
    )
    knot_ratio: float = setting(1.73, "Ratio of frequency between neighbouring knots of the scene's log power.", "1")
    first_knot: float = setting(1 / 150, "Frequency of the lowest knot.", "cycles a pixel")
    coherence_steps: int = setting(
        9, "Values tried of the part of the scene's power that does not follow the PSF's.", "values"
    )
