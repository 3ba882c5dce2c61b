"""A self-hosted marketplace that speaks MTurk's protocol: a requester API, a worker site, and faults on purpose.

    market = open_market("market.db")
    worker, invitation = market.add_worker(country="US", approved=3000, percent=99)
    app = create_app(market)

Importing it loads Flask and SQLAlchemy; the command line does so when it serves.
"""

from crowdloom.studies.marketplace.market import Market, Paid, open_market
from crowdloom.studies.marketplace.web import create_app

__all__ = ["Market", "Paid", "create_app", "open_market"]
