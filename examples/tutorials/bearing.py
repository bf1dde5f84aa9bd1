"""
A bearing
=========

A bearing knocks, and a pump beside it knocks louder. Both make the housing ring at 1,200 Hz, so a spectrum
shows 1,200 Hz and not which part is damaged. The envelope spectrum shows rates.
"""

# %%
# Recordings and a detector
# -------------------------
# `freqig.synth.bearing` simulates a shaft, a pump and a defect. The detector that `freqig.synth.oracle`
# writes down listens to the band from 800 to 1,600 Hz and to how its loudness goes up and down.

import freqig

problem = freqig.synth.bearing(n=12, seed=0)
problem = problem.isel(sample=problem.label.values == 1)  # a defect of the outer ring
model = freqig.synth.oracle(problem)

# %%
# Where defects show, from the geometry of the bearing:

rates = freqig.bearing_frequencies(
    n_balls=8, ball_diameter=15, pitch_diameter=65, shaft=25
)
print({name: f"{rate:.1f} Hz" for name, rate in rates.items()})

# %%
# The spectrum
# ------------
# It is right, and answers the wrong question: the decision rests on what rings, which is always the same.

explainer = freqig.Explainer(model, fs=problem.fs, output="margin")
result = explainer(problem.signal.values, target=1)
axes = freqig.plots.spectrum(
    result, max_frequency=2000, markers={"the housing": 1200}, signal=False
)

# %%
# The envelope spectrum
# ---------------------
# ``Envelope(800, 1600) >> RFFT()`` writes the envelope of the band as frequencies. ``flat_envelope`` is the
# baseline that has the same carrier without its ups and downs, so that these are what is explained.

band = 800, 1600
explainer = freqig.Explainer(
    model,
    fs=problem.fs,
    output="margin",
    domains=freqig.Envelope(*band) >> freqig.RFFT(),
)
result = explainer(
    problem.signal.values, target=1, baseline=freqig.baselines.flat_envelope(*band)
)
spectrum = result.envelope_rfft.sel(envelope_row="envelope")
axes = freqig.plots.spectrum(
    result.assign(rfft=spectrum.drop_vars("envelope_row")),
    markers={"BPFO": rates["BPFO"], "BPFI": rates["BPFI"], "pump": 44.6},
    max_frequency=330,
    signal=False,
    title="A defect of the outer ring",
)

# %%
# How much of it is where theory has it: at the ball pass frequency of the outer ring and its multiples.

share = abs(spectrum).where(problem.truth_envelope_rfft).sum() / abs(spectrum).sum()
pump = (
    abs(spectrum)
    .where(problem.distractor_envelope_rfft & ~problem.truth_envelope_rfft)
    .sum()
)
print(
    f"at BPFO: {float(share):.0%};",
    f"at the pump, which is louder: {float(pump / abs(spectrum).sum()):.1%}",
)

# %%
# The same as bands: `freqig.bands_around` makes them of rates, for `freqig.bands`.

around = freqig.bands_around(
    {"BPFO": rates["BPFO"], "BPFI": rates["BPFI"]}, width=4, harmonics=3
)
print(around)
