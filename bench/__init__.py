"""The benchmarks: what a probe and a device-minute cost on this machine. Run them with `make bench`."""

import os

# As a decoding process has it (probes/picture/desk.py), and before numpy is there: its threads would wait by spinning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
