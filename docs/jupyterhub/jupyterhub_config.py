"""/etc/jupyterhub/jupyterhub_config.py: learners' servers know no answers, instructors' do."""

INSTRUCTORS = {"instructor"}
CHECKOUT = "/srv/unrolled/.venv/bin"  # of the repository, set up by make setup
LEARNERS = "/srv/learners/bin"  # of the environment with the learner's wheel

FRAMED = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
"""Lets the formgrader, a page within a page, be shown; JupyterHub 4.1 and later forbid it."""

c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # a web server that speaks TLS stands before it
c.JupyterHub.spawner_class = "localprocess"  # a server runs as its user's account
c.Authenticator.allow_all = True  # all who have an account here; or name them in allowed_users
c.Spawner.http_timeout = 120  # seconds, for the first start after a reboot


def start_what_is_theirs(spawner):
    """Give each user's server its environment, and only instructors' a formgrader."""
    teaches = spawner.user.name in INSTRUCTORS
    programs = CHECKOUT if teaches else LEARNERS
    spawner.cmd = [f"{programs}/jupyterhub-singleuser"]
    spawner.args = [f"--ServerApp.tornado_settings={FRAMED}"] if teaches else []
    spawner.environment = {"PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin"}


c.Spawner.pre_spawn_hook = start_what_is_theirs
