"""/etc/jupyter/nbgrader_config.py: what nbgrader has to know on every server of the hub."""

c = get_config()
c.CourseDirectory.course_id = "rnn"
c.Exchange.root = "/srv/exchange"
