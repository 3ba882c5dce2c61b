"""What machines learn from the answers: networks, training, interpreters. The only folder with PyTorch."""

import os

# Threads of PyTorch that wait for each other would spin, and take the processor from those they wait for: beside other
# work a small network then took 25 times as long. It must be said before PyTorch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
