"""Tests the registry; fakes stand only at the wire."""

import os

# As a decoding process has it (probes/picture/desk.py), and before numpy is there: its threads would wait by spinning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
