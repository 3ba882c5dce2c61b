"""What one participant is asked about one item: one module per task, one line each in `TASKS`.

A task knows no database, no web framework and no torch. Its page is
`templates/tasks/<module name>.html`.
"""

from crowdloom.tasks.protocol import Task
from crowdloom.tasks.soft_label import SoftLabel

TASKS: dict[str, Task] = {
    "soft-label": SoftLabel(),
}
