"""A study's life: design, batches, store, platforms, rehearsal, web pages, command line."""
