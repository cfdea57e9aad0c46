"""This file holds the service's own metrics: how punctual, busy and sound the service itself is.

Its methods are what the poller, the recorder and the self-watch call their meters. The numbers live in a registry of
their own: whoever builds the service builds one ``ServiceMetrics`` and hands it to what is to be measured. Values that
something else keeps (slots, queues) are read when Prometheus asks: ``follow``.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from camera_registry.board import Board
from camera_registry.model.observation import Observation
from camera_registry.model.probe import PROBES
from exporters.aggregates import Aggregates
from exporters.coverage import SiteCoverage

LAG_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)
COMMIT_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30)


class _Counted(Collector):
    """A counter that something else keeps."""

    def __init__(self, name: str, about: str, read: Callable[[], float]) -> None:
        self._name, self._about, self._read = name, about, read

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(self._name, self._about, value=self._read())


class _CountedBy(Collector):
    """A counter by one label that something else keeps."""

    def __init__(self, name: str, about: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        self._name, self._about, self._label, self._read = name, about, label, read

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._about, labels=(self._label,))
        for value, count in self._read().items():
            family.add_metric((value,), count)
        yield family


class _Processes(Collector):
    """What the system says of other processes of ours, by name: those that are there when it is asked."""

    def __init__(self, namespace: str, pids: Callable[[], Mapping[str, int]]) -> None:
        self._namespace, self._pids = namespace, pids

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for name, pid in self._pids().items():
            one = ProcessCollector(namespace=self._namespace, pid=partial(int, pid), registry=None)
            for family in one.collect():
                all_of_them = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    all_of_them.add_sample(sample.name, {"process": name}, sample.value)
        return families.values()


class ServiceMetrics:
    """Counters and gauges named ``camera_registry_*``, aggregates of the board and coverage of sites, as one page."""

    def __init__(self, board: Board, version: str, coverage: SiteCoverage | None = None) -> None:
        self._aggregates = Aggregates(board)
        self.coverage = coverage or SiteCoverage(board)
        self._registry = registry = CollectorRegistry()
        self._polls = Counter("camera_registry_polls", "Probe runs by result.", ("probe", "result"), registry=registry)
        self._missed = Counter(
            "camera_registry_polls_missed",
            "Probe runs skipped because the one before was still under way or no slot was free in time.",
            ("probe",),
            registry=registry,
        )
        self._results: dict[tuple[str, str], Counter] = {}
        for probe in PROBES:
            self._missed.labels(probe)  # from the first scrape on: a counter that appears at 1 has no rate
        self._poll_lag = Histogram(
            "camera_registry_poll_lag_seconds", "How late probe runs began.", buckets=LAG_BUCKETS, registry=registry
        )
        self._loop_lag = Histogram(
            "camera_registry_loop_lag_seconds",
            "How late the event loop woke a sleeper.",
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        self._commit = Histogram(
            "camera_registry_commit_seconds",
            "How long a transaction of states and flips took, waiting for the writer included.",
            buckets=COMMIT_BUCKETS,
            registry=registry,
        )
        self._commit_failures = Counter(
            "camera_registry_commit_failures", "Transactions that the database refused.", registry=registry
        )
        self._flips = Counter("camera_registry_flips", "Confirmed changes of state.", registry=registry)
        self._deliveries = Counter(
            "camera_registry_deliveries", "Messages to channels by result.", ("channel", "result"), registry=registry
        )
        self._poller_up = Gauge(
            "camera_registry_poller_up", "1: this poller measures, 0: it is blind.", ("poller",), registry=registry
        )
        self._reloaded = Gauge(
            "camera_registry_config_last_reload_successful",
            "1: the settings in force are those of the file, 0: the file has a mistake.",
            registry=registry,
        )
        self._reloaded_at = Gauge(
            "camera_registry_config_last_reload_success_timestamp_seconds",
            "When the settings were last taken over.",
            registry=registry,
        )
        build = Info("camera_registry_build", "What runs here.", registry=registry)
        build.info({"version": version, "python": platform.python_version()})
        self.follow("camera_registry_devices", "Devices on the board.", lambda: len(board))
        ProcessCollector(namespace="camera_registry", registry=registry)

    def text(self) -> bytes:
        """The page behind ``/metrics``."""
        return generate_latest(self._registry) + self._aggregates.text() + self.coverage.text()

    def follow(self, name: str, about: str, read: Callable[[], float]) -> None:
        """Export what ``read`` returns at each scrape as the gauge ``name``."""
        Gauge(name, about, registry=self._registry).set_function(read)

    def follow_count(self, name: str, about: str, read: Callable[[], float]) -> None:
        """Export what ``read`` returns at each scrape as the counter ``name``, which ends in ``_total``."""
        self._registry.register(_Counted(name, about, read))

    def follow_counts(self, name: str, about: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        """Export what ``read`` returns at each scrape as the counter ``name``, by ``label``."""
        self._registry.register(_CountedBy(name, about, label, read))

    def follow_processes(self, namespace: str, pids: Callable[[], Mapping[str, int]]) -> None:
        """Export what the system says of the processes that are there at each scrape, as the gauges and counters
        ``namespace``_process_*, by the name of each."""
        self._registry.register(_Processes(namespace, pids))

    def polled(self, seen: Observation, lag: float) -> None:
        """One probe run is over; it began ``lag`` seconds late."""
        told = seen.probe, seen.failure.kind.value if seen.failure is not None else "ok"
        polls = self._results.get(told)
        if polls is None:
            polls = self._results[told] = self._polls.labels(*told)
        polls.inc()
        self._poll_lag.observe(max(0.0, lag))

    def missed(self, probe: str, runs: int = 1) -> None:
        """Runs that were due and did not happen."""
        self._missed.labels(probe).inc(runs)

    def committed(self, flips: int, took: float) -> None:
        """One transaction is on disk."""
        self._flips.inc(flips)
        self._commit.observe(took)

    def commit_failed(self) -> None:
        """The database refused a transaction; nothing is lost, it is tried again."""
        self._commit_failures.inc()

    def delivery(self, channel: str, result: str) -> None:
        """A channel took a message, refused it, or is to be tried again."""
        self._deliveries.labels(channel, result).inc()

    def poller(self, name: str, *, up: bool) -> None:
        """Whether a poller measures."""
        self._poller_up.labels(name).set(up)

    def follow_poller(self, name: str, sees: Callable[[], bool]) -> None:
        """Ask at each scrape whether a poller measures."""
        self._poller_up.labels(name).set_function(lambda: float(sees()))

    def reloaded(self, *, done: bool) -> None:
        """The settings were read: taken over, or refused for a mistake."""
        self._reloaded.set(done)
        if done:
            self._reloaded_at.set_to_current_time()

    def loop_lagged(self, lag: float) -> None:
        """The event loop woke a sleeper ``lag`` seconds late."""
        self._loop_lag.observe(lag)
