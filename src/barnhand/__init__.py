"""BarnHand watches horses through a stable's cameras."""

import os

# One thread a worker: a second thread of numpy's linear algebra waits for the next small product at full load, which doubles
# what an analysed picture costs. Read when numpy is first loaded, therefore here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
