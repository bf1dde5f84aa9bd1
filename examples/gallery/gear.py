"""A gear of 80 teeth while the machine speeds up: orders of the shaft keep it on one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _shared import Energies, check, energy, found, heading, panels, run, save, start, train

import freqig

FS, N, TEETH = 2048.0, 2048, 80
TIME = np.arange(N) / FS
SPEED = 8 + 2 * TIME
ANGLE = np.cumsum(SPEED) / FS


def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """A converter that hums louder than the gear, shape (size, N), of which half have the gear as well."""
    has = rng.integers(0, 2, size)
    turn, other, loud = rng.uniform(size=(3, size, 1))
    gear = np.cos(2 * np.pi * (TEETH * ANGLE + turn))
    hum = (1.5 + loud) * np.cos(2 * np.pi * (rng.uniform(560, 880, (size, 1)) * TIME + other))
    return has[:, None] * gear + hum + 0.3 * rng.standard_normal((size, N)), has


def main(folder: Path) -> None:
    """Train, explain, find the order of the gear, draw."""
    start()
    model = Energies(1, 8, 33, 16, 2)
    check("accuracy", train(model, draw, 60), 0.95)
    x, has = draw(np.random.default_rng(3), 20)
    domains = [freqig.RFFT(), freqig.RFFT("orders", orders=SPEED)]
    result = freqig.Explainer(model, fs=FS, output="margin", domains=domains)(x[has == 1][:6], target=1)

    one = result.mean("sample", keep_attrs=True)
    # The network looks at stretches of half a turn, and so does not know orders to less than two.
    inside = abs(one.orders_frequency - TEETH) <= 2
    found(one.orders, inside, energy(x[has == 1][0], FS, domains[1]), 0.8)
    # In Hz the gear is where the hum may be: anywhere from 640 to 800.
    print(f"largest share of one frequency in Hz: {float(abs(one.rfft).max() / abs(one.rfft).sum()):.3f}")

    figure, (above, below) = panels(2, 5)
    freqig.plots.spectrum(one, signal=False, max_frequency=1000, title="In Hz", axes=above)
    in_orders = one.drop_vars(["rfft", "frequency"]).rename(orders="rfft", orders_frequency="frequency")
    freqig.plots.spectrum(
        in_orders, signal=False, max_frequency=110, markers={"80 teeth": TEETH}, title="In orders", axes=below
    )
    heading(figure, "Is there a gear? The shaft speeds up from 8 to 10 Hz, a converter hums")
    save(figure, folder, "gear")


if __name__ == "__main__":
    run(main, __doc__)
