"""What Alembic runs; `crowdloom.studies.upgrading` starts it and hands over the connection."""

from __future__ import annotations

from alembic import context


def run() -> None:
    """Run the migrations in the connection's own transaction, which `upgrading` began and commits."""
    context.configure(connection=context.config.attributes["connection"])
    with context.begin_transaction():
        context.run_migrations()


if hasattr(context, "config"):  # Alembic runs this file; whoever only imports it wants nothing done
    run()
