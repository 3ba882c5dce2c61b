"""What one participant is asked about one item: one module per task, one line each in `TASKS`.

A task knows no database, no web framework and no torch. Its page is
`templates/tasks/<module name>.html`.
"""

from crowdloom.tasks.coach import CoachTask
from crowdloom.tasks.latent_session import LatentSession
from crowdloom.tasks.mixing_coefficient import MixingCoefficient
from crowdloom.tasks.protocol import Task
from crowdloom.tasks.soft_label import SoftLabel
from crowdloom.tasks.wrong_label import WrongLabel

TASKS: dict[str, Task] = {
    "soft-label": SoftLabel(),
    "wrong-label": WrongLabel(),
    "mixing-coefficient": MixingCoefficient(),
    "latent-session": LatentSession(),
    "coach": CoachTask(),
}
