"""Every threshold and weight of blind deconvolution: one frozen dataclass a stage, passed down and never patched.

>>> from deconv.blind.settings import origins

Each field has a unit and says what set it: a study of `benchmarks/studies`, a section of ``docs/tried.md``, or
judgement. `origins` lists them.
"""

from deconv.blind.settings._setting import Origin, origins

__all__ = ["Origin", "origins"]
