"""The executor that runs tasks on an existing dask cluster.

A worker of the cluster is made ready once. When it dies, dask runs its tasks elsewhere, and gives
them up when too many workers die over them. The cluster is trusted: its workers are given the
class's secret, and hold the answers.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future as Promise
from itertools import islice
from threading import Event, Thread
from typing import Any

from autograder.grading.workers import ATTEMPTS, Lost, NotReady, Opened, WorkersFailed

try:
    from distributed import Client, Future, Worker, WorkerPlugin, as_completed, get_worker
    from distributed.scheduler import KilledWorker
except ImportError as missing:
    raise WorkersFailed(
        "--dask needs the package distributed; run: pip install -e '.[cluster]'"
    ) from missing

WAIT = 60.0
"""Seconds for a scheduler and a first worker; clusters that start workers on demand take long."""

AHEAD = 64
"""Tasks that are under way: enough that a cluster sees it has work for more workers."""


class Dask:
    """An executor: the workers of a dask cluster.

    Parameters
    ----------
    opened : callable
        Makes a worker ready.
    address : str
        Of the scheduler, such as tcp://10.0.0.1:8786.
    """

    def __init__(self, opened: Opened, address: str) -> None:
        self._opened, self._address = opened, address

    def run(self, tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Every task once, as `Executor` says.

        Raises
        ------
        WorkersFailed
        """
        name = f"unrolled-{uuid.uuid4().hex}"
        with self._client() as client:
            try:
                _make_ready(client, _Ready(name, self._opened))
                yield from _run(client, name, iter(tasks))
            finally:
                with contextlib.suppress(Exception):  # the cluster may be gone
                    client.unregister_worker_plugin(name)

    @contextlib.contextmanager
    def _client(self) -> Iterator[Client]:
        try:
            client = Client(self._address, timeout=WAIT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise WorkersFailed(f"no dask scheduler answers at {self._address}: {error}") from None
        with client:
            try:
                client.wait_for_workers(1, timeout=WAIT)
            except TimeoutError:
                raise WorkersFailed(f"the cluster at {self._address} has no workers") from None
            yield client


class _Ready(WorkerPlugin):
    """Makes each worker ready when it starts, and holds it so.

    What is opened is opened in a thread of its own that lasts: the system ends a sandbox when the
    thread that started it does, and dask's own threads come and go.
    """

    def __init__(self, name: str, opened: Opened) -> None:
        self.name, self._opened = name, opened

    async def setup(self, worker: Worker) -> None:
        self._work: Promise[Callable[[Any], Any]] = Promise()
        self._end = Event()
        Thread(target=self._hold, daemon=True).start()
        await asyncio.wrap_future(self._work)

    def _hold(self) -> None:
        try:
            with self._opened() as work:
                self._work.set_result(work)
                self._end.wait()
        except Exception as error:
            if self._work.done():
                raise
            self._work.set_exception(error)

    def teardown(self, worker: Worker) -> None:
        self._end.set()

    def work(self, task: Any) -> Any:
        return self._work.result()(task)


def _work(name: str, task: Any) -> Any:
    """Do a task, on a worker of the cluster."""
    ready: Any = get_worker().plugins[name]
    return ready.work(task)


def _make_ready(client: Client, plugin: _Ready) -> None:
    try:
        client.register_plugin(plugin, plugin.name)
    except Exception as error:
        raise WorkersFailed(
            f"a worker of the cluster cannot be made ready: {type(error).__name__}: {error}"
        ) from None


def _run(client: Client, name: str, tasks: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    """The tasks and their answers; a new one is sent for each that is done."""
    under_way: dict[Future, Any] = {}

    def send(count: int) -> list[Future]:
        sent = {
            client.submit(_work, name, task, pure=False, retries=ATTEMPTS - 1): task
            for task in islice(tasks, count)
        }
        under_way.update(sent)
        return list(sent)

    ready = as_completed(send(AHEAD), loop=client.loop)
    for future in ready:
        task = under_way.pop(future)
        yield task, _answer(future)
        ready.update(send(1))


def _answer(future: Future) -> Any:
    if future.cancelled():
        raise WorkersFailed("the cluster let go of its tasks; is its scheduler still there?")
    error = future.exception()
    if isinstance(error, NotReady):
        raise WorkersFailed(str(error))
    if error is None:
        return future.result()
    if isinstance(error, KilledWorker):
        return Lost("every worker of the cluster that had it died")
    return Lost(f"{type(error).__name__}: {error} ({ATTEMPTS} attempts)")
