"""Running a learner's code where it can do no harm: the trusted side and the jail.

`tiers` finds out what this machine can do; `template` is a process in a jail that has everything
imported and is forked once for each submission; `hardening` locks such a fork up before any of
the learner's code runs.
"""
