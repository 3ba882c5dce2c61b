"""The scenarios of HILL: what networks learn while people look into their latent space, by name.

Each has a module of its own here with a `SCENARIO`, which is loaded when it is first asked for. Importing this does not
load PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from types import MappingProxyType

from crowdloom.models.called import called
from crowdloom.models.errors import ModelError
from crowdloom.models.latent_scenarios.scenario import Scenario, ScenarioData, check_scenario

__all__ = ["SCENARIOS", "Scenario", "ScenarioData", "scenario"]

SCENARIOS: Mapping[str, str] = MappingProxyType(
    {
        "digits": "Handwritten digits, which come with scikit-learn.",
        "signals": "Movements of a wrist, which are generated.",
        "cifar10": "CIFAR-10: photographs of ten kinds of things.",
        "pamap2": "PAMAP2: activities, by three inertial measurement units.",
        "hapt": "HAPT: activities and postural transitions, by a smartphone.",
    }
)
"""Every scenario that comes with crowdloom, in a few words; its module is `latent_scenarios.NAME`."""


def scenario(name: str) -> Scenario:
    """The scenario of this name: one of `SCENARIOS`, or what `PACKAGE.MODULE:CALLABLE` gives.

    The callable takes no arguments. Its scenario is then called as it was named here, whatever its own name. Raises
    ModelError for a name that names none.

    >>> scenario("digits").classes[:3]
    ('0', '1', '2')
    """
    if name in SCENARIOS:
        found: Scenario = import_module(f"{__name__}.{name}").SCENARIO
        return found
    if ":" not in name:
        raise ModelError(
            f"there is no scenario {name!r}; choose from {', '.join(SCENARIOS)}, or write PACKAGE.MODULE:CALLABLE"
        )
    own = replace(_called(name), name=name)
    check_scenario(own)
    return own


def _called(name: str) -> Scenario:
    instead = (
        f"choose from {', '.join(SCENARIOS)}, or write PACKAGE.MODULE:CALLABLE of a module that can be imported here"
    )
    return called(name, Scenario, what="scenario", gives="a Scenario", instead=instead)
