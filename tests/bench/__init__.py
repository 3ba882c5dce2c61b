"""The benchmarks: each compares two things in one run and prints their ratio."""

import os

# As crowdloom.models does, before a benchmark imports PyTorch itself.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
