"""Prometheus metrics of one process, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class PrometheusMetrics:
    """Port `Metrics`. A metric is made the first time it is named; its labels are those of that call."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._timers: dict[str, Histogram] = {}
        self._gauges: dict[str, Gauge] = {}

    def count(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """See the port."""
        if name not in self._counters:
            self._counters[name] = Counter(
                f"usher_{name}", name.replace("_", " "), sorted(labels), registry=self._registry
            )
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """See the port."""
        if name not in self._timers:
            self._timers[name] = Histogram(
                f"usher_{name}",
                name.replace("_", " "),
                sorted(labels),
                buckets=_BUCKETS,
                registry=self._registry,
            )
        timer = self._timers[name]
        (timer.labels(**labels) if labels else timer).observe(seconds)

    def set(self, name: str, value: float) -> None:
        """Set a gauge."""
        if name not in self._gauges:
            self._gauges[name] = Gauge(
                f"usher_{name}", name.replace("_", " "), registry=self._registry
            )
        self._gauges[name].set(value)

    def render(self) -> bytes:
        """Return the text exposition format."""
        return generate_latest(self._registry)
