"""This file measures profiles of a picture over its height: hum, and bands that a reference has not."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from probes.picture.measuring.sheet import Plane

_PERIODS = 5
"""Periods over the height from which on a wave is a ripple."""
_FAINT = 0.12
"""Amplitude of a sine in the logarithm of light, below which it may be anything's."""
_SWING, _ONE_SINE = 0.06, 0.5
"""Swing of bands from which on it is asked whether they are even; share of it that lies in one sine, where they are."""


def changes(ours: Plane, theirs: Plane) -> dict[str, float]:
    """Bands across the picture that the reference has not: their least swing in the three thirds of the width; 0 where
    they are no sine, as fog and snow come in bands too, but not in even ones. And finer ones (``_ripple``).
    Of logarithms of ``Sheet.profiles``."""
    apart = ours - theirs
    swing = _swing(apart)
    ripple, even = _ripple(apart, theirs)
    found = {"bands": 0.0, "ripple": ripple, "ripple_even": even}
    if swing <= _SWING or _sine(apart) >= _ONE_SINE:
        off = apart - apart.mean(axis=0)
        both = off.T @ off
        alike = min(float(both[0, n]) / (math.sqrt(both[0, 0] * both[n, n]) + 1e-9) for n in (1, 2))
        found["bands"] = swing * max(0.0, alike)
    return found


def _swing(profiles: Plane) -> float:
    """How strongly profiles over the picture's height (one a column) swing at least twice: the root of the mean square
    after the slow part (a cubic) is taken out, in their own unit, of the one that does so least."""
    fast = _faster(len(profiles)) @ profiles
    return float(np.sqrt((fast * fast).sum(axis=0).min() / len(profiles)))


def _ripple(profiles: Plane, own: Plane) -> tuple[float, float]:
    """The strongest even wave of 5 or more periods that profiles (one a column) have in common, after the slow part and
    what is in proportion to the scene's ``own`` (which another contrast makes stronger or weaker): the root of its mean
    square, in their own unit, and its share of all that varies in them as fast, times how evenly they have it."""
    window = _bell(len(profiles))
    fast, scene = (window * (_faster(len(profiles)) @ one) for one in (profiles, own))
    fast -= scene * ((fast * scene).sum(axis=0) / np.maximum((scene * scene).sum(axis=0), 1e-6))
    spectrum = _fourier(len(fast)) @ fast
    squares = spectrum.real**2 + spectrum.imag**2
    common = np.abs(spectrum.sum(axis=1) / spectrum.shape[1]) ** 2
    place = int(np.argmax(common[_PERIODS:-1])) + _PERIODS
    wave = float(common[place - 1 : place + 2].sum())
    rest = float(squares[_PERIODS - 1 :].sum()) / spectrum.shape[1]
    strengths = np.sqrt(squares[place]).tolist()
    everywhere = min(strengths) / max(sum(strengths) / len(strengths), 1e-9)
    swing = math.sqrt(2 * wave / (len(profiles) * float(np.vdot(window, window))))
    return swing, everywhere * wave / max(rest, 1e-9)


@cache
def _fourier(length: int) -> NDArray[np.complex64]:
    """The matrix of numpy's ``rfft``, which takes longer for a few profiles."""
    return np.fft.rfft(np.eye(length), axis=0).astype(np.complex64)


@cache
def _bell(length: int) -> Plane:
    return np.hanning(length).astype(np.float32)[:, None]


@cache
def _faster(length: int) -> Plane:
    """The matrix that takes from a profile what the cubics tell of it."""
    base, _ = np.linalg.qr(np.vander(np.linspace(-1, 1, length), 4))
    return np.asarray(np.eye(length) - base @ base.T, dtype=np.float32)


def hum(profiles: Plane) -> float:
    """Hum of the mains on a line, or a lamp's flicker under a rolling shutter: ``_sine`` of the logarithm of the levels
    over the height of each third of the width (``Sheet.profiles``). Scenes lie in rows too, but hardly in even ones,
    from border to border."""
    return _sine(np.log(profiles + 8))


def _sine(profiles: Plane) -> float:
    """How much of what varies along profiles (one a column, logarithms of light) is one sine of 2 to 8 periods, the
    same in all of them.

    After the straight line in each, the sine's share of the variance (least of the columns), times how well they agree
    on its phase and strength: 0 to 1; 0 where it is weaker than an eighth.
    """
    straight, sines = _sines(len(profiles))
    left = profiles - straight @ (straight.T @ profiles)
    found = (sines @ left).reshape(-1, 2, left.shape[1])
    common = np.hypot(*found.mean(axis=2).T)
    strong = common * np.sqrt(2 / len(left)) >= _FAINT
    if not strong.any():
        return 0.0
    strengths = (found * found).sum(axis=1)
    shares = strengths / (1e-4 + (left * left).sum(axis=0))
    agreed = common / np.maximum(np.sqrt(strengths).mean(axis=1), 1e-6)
    return float((shares.min(axis=1) * agreed * strong).max())


@cache
def _sines(length: int) -> tuple[Plane, Plane]:
    """Orthonormal bases: of the straight lines over a profile; of the sines of each frequency, without those lines, two
    rows each."""
    at = (np.arange(length) + 0.5) / length
    straight, _ = np.linalg.qr(np.stack((np.ones(length), at), axis=1))
    bases = []
    for periods in np.arange(2, 8.1, 0.25):
        pair = np.stack((np.sin(2 * np.pi * periods * at), np.cos(2 * np.pi * periods * at)), axis=1)
        bases.append(np.linalg.qr(pair - straight @ (straight.T @ pair))[0])
    return straight.astype(np.float32), np.ascontiguousarray(np.concatenate(bases, axis=1).T, np.float32)
