"""The interpreters: how a network came to a class, as masks and maps.

Each takes a network (whose outputs are one number a class), images [N, C, H, W] as the network wants them, and
the class of each image that is to be explained: for a mistake, the one wrongly predicted.
"""

from crowdloom.models.gradients import grad_cam, smooth_grad
from crowdloom.models.packing import best_precision, fast_copy
from crowdloom.models.perturbations import Perturbed, extremal_perturbations

__all__ = ["Perturbed", "best_precision", "extremal_perturbations", "fast_copy", "grad_cam", "smooth_grad"]
