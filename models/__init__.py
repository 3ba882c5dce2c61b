"""What machines learn from the answers: networks, training, interpreters. The only folder with PyTorch."""

import os

# Threads of PyTorch that wait for each other would spin, and take the processor from those they wait for: beside other
# work a small network then took 25 times as long. Without spinning at all they sleep through the short waits between
# two kernels: a training step in bfloat16 then took a fifth longer alone, and 2.6 times as long beside other work. So
# they spin for some microseconds (GNU's OpenMP knows the second name). It must be said before PyTorch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
