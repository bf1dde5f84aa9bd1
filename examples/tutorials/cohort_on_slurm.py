"""
A cohort on Slurm
=================

Thousands of recordings, explained by many processes into one store, that can be stopped at any time. What
is shown first was run here, in one process. **What is for Slurm was not run here**: there is no cluster
where this site is built.
"""

# %%
# Recordings and a model
# ----------------------
# Three short nights, as files, and a model that workers can import.

# sphinx_gallery_thumbnail_path = "images/people.png"
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

import freqig

folder = Path(tempfile.mkdtemp())
(folder / "nights").mkdir()
for subject in ("01", "02", "03"):
    noise = np.random.default_rng(int(subject)).normal(size=(2, 3000))
    np.save(folder / f"nights/sub-{subject}_task-sleep.npy", noise.astype("float32"))
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2000, 3)).eval()

# %%
# A run
# -----
# One recording is one piece of work. Any executor of `concurrent.futures` does it; ``workers=8`` makes
# eight processes.


def run():
    """The same call, whoever calls it, and however often."""
    return freqig.cohort.run(
        sorted(folder.glob("nights/*.npy")),
        model,
        folder / "cohort.zarr",
        ThreadPoolExecutor(1),
        fs=100,
        window=10,
        target=0,
    )


report = run()
print("done:", report.done)

# %%
# Stopped, and taken up again
# ---------------------------
# The same call goes on where the last one ended. Here all is done, and so nothing is left to do.

report = run()
print("done:", report.done, "already there:", report.skipped)

# %%
# What came out
# -------------
# A lazy tree with a node per recording, and means over people in memory that does not grow with them. Of
# three people there is a mean, and no interval: that takes six.

tree = freqig.open_cohort(folder / "cohort.zarr")
print(tree["sub-02_task-sleep"].rfft.sizes)
means = freqig.cohort.means(folder / "cohort.zarr")
print("no interval:", means.reason.item())

# %%
# On Slurm
# --------
# **Not run here**; shards themselves are tested. A job array, each job with a share of the recordings, and
# the store on a file system that all of them see:
#
# .. code-block:: bash
#
#    #!/bin/bash
#    #SBATCH --array=1-64
#    #SBATCH --cpus-per-task=1
#    #SBATCH --mem=4G
#    #SBATCH --time=08:00:00
#    freqig cohort model.onnx nights/*.edf --window 30 --unit uV --out derivatives/freqig \
#        --shard $SLURM_ARRAY_TASK_ID/64
#
# A job that is stopped by its time limit is submitted again as it is; the last one that ends writes the
# index of the store.
#
# Or with workers that come and go, by `dask-jobqueue <https://jobqueue.dask.org>`__, which is installed by
# itself:
#
# .. code-block:: python
#
#    from dask_jobqueue import SLURMCluster
#    from distributed import Client
#
#    cluster = SLURMCluster(cores=1, processes=1, memory="4 GB", walltime="08:00:00")
#    cluster.adapt(maximum=64)
#    with Client(cluster) as client:
#        freqig.cohort.run(paths, "model.onnx", "cohort.zarr", client.get_executor(), window=30)
#
# :doc:`/cohorts` says what a run survives, and what is in the folder.
