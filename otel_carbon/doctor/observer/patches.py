"""Where the observer looks in on OpenTelemetry: each wrapped function does what it did, and is noted."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any
from weakref import ref

from otel_carbon.doctor.observer.notes import MAX_NAME_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from otel_carbon.doctor.observer.notes import Notes, Tally

Function = Any
"""A function of another package, whatever its signature."""


class Patches:
    """The patches of one process.

    `at_span_end` is called after each span that was noted.
    """

    def __init__(self, notes: Notes, at_span_end: Callable[[], None]) -> None:
        self._notes = notes
        self._at_span_end = at_span_end

    def by_module(self) -> dict[str, Callable[[ModuleType], None]]:
        """Modules to what is to be done when they have been imported."""
        return {
            "importlib.metadata": self._entry_points,
            "opentelemetry.trace": self._api,
            "opentelemetry.sdk.trace": self._sdk,
        }

    def _entry_points(self, module: ModuleType) -> None:
        """Note entry points of OpenTelemetry that fail to load, other than for a client that is not installed."""
        failures = self._notes.load_failures

        def load(original: Function, entry_point: Any) -> Any:  # noqa: ANN401 - another package's
            try:
                return original(entry_point)
            except ModuleNotFoundError:
                raise
            except Exception as error:
                if str(entry_point.group).startswith("opentelemetry_"):
                    package = str(getattr(entry_point.dist, "name", "") or "")
                    failures.add((entry_point.group, entry_point.name, package, type(error).__name__))
                raise

        _wrap(module.EntryPoint, "load", load)

    def _api(self, module: ModuleType) -> None:
        """Note the global provider, those refused, and spans that are started before there is one."""
        notes = self._notes

        def set_tracer_provider(original: Function, provider: Any) -> None:  # noqa: ANN401 - as above
            original(provider)
            if module.get_tracer_provider() is provider:
                notes.global_provider = ref(provider)
            else:
                notes.providers_refused += 1

        _wrap(module, "set_tracer_provider", set_tracer_provider)
        behind = module.ProxyTracer._tracer.fget

        def tracer(proxy: Any) -> Any:  # noqa: ANN401 - as above
            found = behind(proxy)
            if found is proxy._noop_tracer:
                _count(notes.lost_before_provider, proxy._instrumenting_module_name)
            return found

        module.ProxyTracer._tracer = property(tracer)

    def _sdk(self, module: ModuleType) -> None:
        """Look in on every provider, its exporters, and the spans that sampling drops."""
        notes = self._notes

        def init(original: Function, provider: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as above
            original(provider, *args, **kwargs)
            try:
                from otel_carbon.doctor.observer.span_watch import SpanWatch  # which needs the SDK

                provider.add_span_processor(SpanWatch(notes, ref(provider), self._at_span_end))
                notes.see_provider(ref(provider))
            except Exception:  # noqa: S110 - a provider that cannot be observed works all the same
                pass

        def add_span_processor(original: Function, provider: Any, processor: Any) -> None:  # noqa: ANN401 - as above
            original(provider, processor)
            try:
                from otel_carbon.doctor.observer.exporters import count_deliveries

                count_deliveries(processor)
            except Exception:  # noqa: S110 - as above
                pass

        def start_span(original: Function, tracer: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
            span = original(tracer, *args, **kwargs)
            if not span.is_recording():
                _count(notes.not_recorded, tracer.instrumentation_scope.name)
            return span

        _wrap(module.TracerProvider, "__init__", init)
        _wrap(module.TracerProvider, "add_span_processor", add_span_processor)
        _wrap(module.Tracer, "start_span", start_span)


def _count(tally: Tally, scope: object) -> None:
    tally.add(str(scope)[:MAX_NAME_CHARACTERS])


def _wrap(owner: Any, name: str, around: Function) -> None:  # noqa: ANN401 - a module or a class of another package
    original = getattr(owner, name)

    @wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the signature of what is wrapped
        return around(original, *args, **kwargs)

    setattr(owner, name, wrapper)
