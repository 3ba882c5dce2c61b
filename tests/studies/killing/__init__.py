"""Paying people while the process that pays is killed: at every step, on every platform, with every fault."""
