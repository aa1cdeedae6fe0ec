"""Clusters of Ray: connect to one, find the places for workers in it, and talk to its actors."""

import logging
import math
import os
import socket
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ltx_studio.errors import ExecutionError, SetupError, StudioError
from ltx_studio.runners.local import LocalRunner
from ltx_studio.runners.ray.link import WorkerLostError
from ltx_studio.runners.ray.membership import for_workers
from ltx_studio.runners.ray.worker import MakeRunner, Post, WorkerProcess
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

SLOT = "ltx_slot"
"""Ray's resource that counts how many workers a machine has room for. A machine without it has one for each GPU."""

STORE_BYTES = 200_000_000
"""The memory for what passes between processes on one machine: events, and blocks of files."""

CALLS = 8
"""How many methods of a worker may run at once: one run, and short ones beside it."""

CONNECT_SECONDS = 10.0


def load_ray() -> Any:
    """Import Ray.

    Raises:
        SetupError: It is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_AUTH_MODE", "token")  # without it, who reaches the ports may run any code
    try:
        import ray
    except ImportError as error:
        raise SetupError(
            "Several workers need Ray, which is not installed.",
            "Install it: `pip install 'ltx-studio[cluster]'`.",
            details=str(error),
        ) from None
    return ray


class RayCluster:
    """Implements `Cluster`.

    Args:
        settings: The studio's settings.
        workers: Start a cluster on this machine, with this many workers.
        address: Connect to the cluster at this address: ``host:port``, or ``auto`` for the one on this machine.
        make_runner: Makes the runner of each worker.
        threads: How many threads of the processor each worker may use; None divides those of its machine.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        workers: int | None = None,
        address: str | None = None,
        make_runner: MakeRunner = LocalRunner,
        threads: int | None = None,
    ) -> None:
        self._settings, self._workers, self._address = settings, workers, address
        self._threads = threads
        self._make_runner = make_runner
        if address is None:  # despite its name, it makes Ray listen on loopback only, on any system
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        self._ray = load_ray()
        self._nodes: dict[str, Mapping[str, Any]] = {}
        self._here = ""

    def open(self) -> None:
        """Start the cluster or connect to it; see `Cluster.open`."""
        usual: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        try:
            if self._address is None:
                self._ray.init(
                    resources={SLOT: self._workers},
                    include_dashboard=False,
                    object_store_memory=STORE_BYTES,
                    **usual,
                )
            else:
                _knock(self._address)
                self._ray.init(address=self._address, **usual)
        except Exception as error:
            raise _unreachable(self._address, error) from None
        self._here = self._ray.get_runtime_context().get_node_id()

    def places(self) -> Mapping[str, str]:
        """Return the places for workers on the machines that are alive."""
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        hosts = Counter(node["NodeManagerHostname"] for node in nodes)
        places: dict[str, str] = {}
        for node in nodes:
            node_id, host = node["NodeID"], node["NodeManagerHostname"]
            name = host if hosts[host] == 1 else f"{host}-{node_id[:4]}"
            self._nodes[node_id] = node
            places |= {f"{node_id}:{number}": f"{name}/{number}" for number in range(1, _slots(node) + 1)}
        return places

    def hire(self, place: str, name: str, token: str) -> "RayLink":
        """Start an actor at a place."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        node_id = place.partition(":")[0]
        has = self._nodes[node_id]["Resources"]
        slots, gpus = _slots(self._nodes[node_id]), has.get("GPU", 0)
        threads = self._threads or (0 if gpus else max(1, int(has.get("CPU", 1)) // slots))
        actor = self._ray.remote(WorkerProcess).options(
            num_cpus=0,
            num_gpus=1 / math.ceil(slots / gpus) if gpus else 0,
            resources={SLOT: 1} if SLOT in has else {},
            max_concurrency=CALLS,
            max_restarts=0,  # the roster hires another one, which it compares anew
            max_task_retries=0,  # the runner tries again itself, and says so
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
        )
        settings = for_workers(self._settings) if node_id == self._here else None
        return RayLink(self._ray, actor.remote(Post(name, token, threads), self._make_runner, settings))

    def close(self) -> None:
        """Disconnect. The actors end with the connection, a cluster on this machine alone, too."""
        self._ray.shutdown()


class RayLink:
    """Implements `Link` for an actor."""

    def __init__(self, ray: Any, actor: Any) -> None:
        self._ray, self._actor = ray, actor
        self._asked: Any = None

    def look(self) -> Mapping[str, Any] | None:
        """Return a newer description if there is one; see `Link.look`."""
        if self._asked is None:
            self._asked = self._actor.describe.remote()
        ready, _ = self._ray.wait([self._asked], timeout=0)
        if not ready:
            return None
        asked, self._asked = self._asked, None
        description: Mapping[str, Any] = _got(self._ray, asked)
        return description

    def ask(self, method: str, *given: Any, timeout: float) -> Any:
        """Call a method; see `Link.ask`."""
        return _got(self._ray, getattr(self._actor, method).remote(*given), timeout)

    def tell(self, method: str, *given: Any) -> None:
        """Call a method and do not wait; see `Link.tell`."""
        getattr(self._actor, method).remote(*given)

    def stream(self, method: str, *given: Any) -> "RayStream":
        """Call a method that tells of a run; see `Link.stream`."""
        called = getattr(self._actor, method).options(num_returns="streaming")
        return RayStream(self._ray, called.remote(*given))

    def kill(self) -> None:
        """End the actor at once."""
        self._ray.kill(self._actor)


class RayStream:
    """Implements `EventStream` for an actor's generator."""

    def __init__(self, ray: Any, generator: Any) -> None:
        self._ray, self._generator = ray, generator

    def next(self, timeout: float) -> Mapping[str, Any] | None:
        """Return the next dictionary; see `EventStream.next`."""
        ready, _ = self._ray.wait([self._generator], timeout=timeout, fetch_local=False)
        if not ready:
            return None
        plain: Mapping[str, Any] = _got(self._ray, next(self._generator))
        return plain


def _got(ray: Any, reference: Any, timeout: float | None = None) -> Any:
    """Return a result of an actor.

    Raises:
        TimeoutError: It takes longer than `timeout` seconds.
        WorkerLostError: The actor is gone.
        StudioError: The actor raised it, or something unexpected.
    """
    from ray.exceptions import GetTimeoutError, RayError, RayTaskError

    try:
        return ray.get(reference, timeout=timeout)
    except GetTimeoutError:
        raise TimeoutError from None
    except RayTaskError as error:
        cause = getattr(error, "cause", None)
        raise cause if isinstance(cause, StudioError) else ExecutionError.unexpected(error) from None
    except RayError as error:
        log.warning("a worker is lost: %s", error)
        raise WorkerLostError(str(error)) from None


def _slots(node: Mapping[str, Any]) -> int:
    return int(node["Resources"].get(SLOT, node["Resources"].get("GPU", 0)))


def _knock(address: str) -> None:
    """Find out soon whether anything listens at an address, which Ray would try for minutes.

    Raises:
        OSError: Nothing does.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()


def _unreachable(address: str | None, error: Exception) -> SetupError:
    if address is None:
        return SetupError(
            f"The workers could not be started: {error}",
            "Start the studio with fewer workers, or without a cluster.",
            details=repr(error),
        )
    return SetupError(
        f"The cluster at {address} cannot be used: {error}",
        "Check that it runs (`ray status`), and that this machine has its token in ~/.ray/auth_token.",
        details=repr(error),
    )
