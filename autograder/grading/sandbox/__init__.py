"""Locking up the process that runs a learner's code, by the kernel's own means."""
