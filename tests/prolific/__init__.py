"""A stand-in for Prolific, for tests: its API, its app as a participant sees it, its payments and its faults.

    with StandIn(test_data) as prolific:
        account = Prolific().connect(Prolific().where(prolific.environ), prolific.environ)

It checks requests and answers against Prolific's own API description, which is data outside the project, and adds
what that does not say. `python -m tests.prolific --data FILE` runs it as a process of its own.
"""

from tests.prolific.standin import Control, NotLetInError, StandIn

__all__ = ["Control", "NotLetInError", "StandIn"]
