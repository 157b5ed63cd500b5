"""Published figures of other methods in the Helsinki Deblur Challenge 2021, for comparison in the tables.

Every entry of the challenge knew the step. The organisers passed a step with a mean of 70 over its test pictures.
"""

# Team: its method, the last step passed, and its mean at steps 4, 6 and 8. From table 1 of N. Nyrhilä's article on his
# own entry; the test set has 20 pictures a font and step, with digits in them.
TEAMS = {
    "15_A TU Berlin": ("U-Net, learned forward model", 19, 94.5, 94.0, 93.1),
    "12_B NUS": ("CNN", 18, 94.8, 92.6, 92.6),
    "01 Leiden": ("MS-D CNN", 14, 94.9, 91.8, 91.7),
    "11_C Bremen": ("StepNet", 10, 92.2, 87.8, 81.3),
    "06 HHU": ("estimated PSF, CNN", 10, 96.4, 94.3, 85.9),
    "13 UFABC": ("deep image prior, autoencoder", 7, 91.5, 71.1, 67.1),
    "Nyrhilä (unofficial)": ("small CNN", 7, 94.5, 81.1, 60.8),
    "16_B DTU": ("disc, total variation", 6, 90.2, 76.5, 68.4),
    "04 UNIMORE": ("smoothed total variation", 5, 82.5, 68.0, 62.9),
    "09_B UNICAMP": ("RED fixed point", 2, 16.2, 6.3, 2.3),
}
TEAM_STEPS = (4, 6, 8)
# Entries without training.
CLASSICAL = ("16_B DTU", "04 UNIMORE", "09_B UNICAMP")
CITED = (
    "Teams: N. Nyrhilä's table 1 (test pictures of the challenge, digits too). HHU: README of "
    "hhu-machine-learning/hdc2021-psfnn, Verdana / Times, training pictures. Leiden: README of dmpelt's entry, all "
    "provided pictures, those it was trained on among them. All of them knew the step; deconv does not."
)

# Step by step, from their READMEs.
HHU = {4: "97.2 / 96.5", 6: "96.7 / 94.6", 8: "92.2 / 87.7", 9: "83.6 / 70.5", 10: "77.7 / 72.7"}
LEIDEN = {
    **dict.fromkeys(range(4, 10), "95.7 to 96.3"),
    10: "94.8", 11: "95.7", 12: "94.8", 13: "95.2", 14: "95.0",
    15: "92.2", 16: "92.2", 17: "87.7", 18: "82.7", 19: "77.3",
}  # fmt: skip

# Radius of the blur in pixels of the full frame, the least and the most of: fits of blurred frames to sharp ones (18
# and 19 to 10 px only), the HHU team's PSFs from shots of a point, and from step 16 on the radii UNICAMP restored with.
RADII = {
    3: (18.6, 19.0), 4: (24.6, 27.0), 5: (34.2, 35.9), 6: (42.6, 43.6), 7: (50.9, 51.3), 8: (60.9, 62.5),
    9: (68.0, 69.8), 10: (75.5, 77.0), 11: (82.8, 83.0), 12: (89.7, 90.0), 13: (95.8, 96.0), 14: (101.3, 103.0),
    15: (116.9, 117.2), 16: (136.0, 140.0), 17: (158.0, 160.0), 18: (180.0, 200.0), 19: (200.0, 220.0),
}  # fmt: skip


def off_range(radius: float, step: int) -> float:
    """Distance of a radius from the published range, signed, as a fraction of the nearer bound; 0 inside."""
    low, high = RADII[step]
    return radius / low - 1 if radius < low else max(radius / high - 1, 0.0)
