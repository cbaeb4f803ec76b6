"""Where the observer looks in on OpenTelemetry: each wrapped function does what it did, and is noted."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any
from weakref import ref

from otel_carbon.doctor.observer.notes import MAX_NAME_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from otel_carbon.doctor.observer.notes import Notes

CONFLICT = "DependencyConflictError"
"""Says that the client is missing or of another version: no failure."""
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
            "opentelemetry.instrumentation.auto_instrumentation._load": self._automatic,
            "opentelemetry.trace": self._api,
            "opentelemetry.sdk.trace": self._sdk,
            "opentelemetry.sdk.metrics.export": self._metrics,
        }

    def _entry_points(self, module: ModuleType) -> None:
        """Note entry points of OpenTelemetry that fail to load."""
        original = module.EntryPoint.load

        @wraps(original)
        def load(entry_point: Any) -> Any:  # noqa: ANN401 - another package's
            with self._noting_failure(entry_point):
                return original(entry_point)

        module.EntryPoint.load = load

    def _automatic(self, module: Any) -> None:  # noqa: ANN401 - its loader is private
        """Note instrumentations that fail while automatic instrumentation sets them up, whatever distro does it."""
        original = module._load_instrumentors

        @wraps(original)
        def load_all(distro: Any) -> Any:  # noqa: ANN401 - as above
            load_one = distro.load_instrumentor

            def load(entry_point: Any, **options: Any) -> Any:  # noqa: ANN401 - as above
                with self._noting_failure(entry_point):
                    return load_one(entry_point, **options)

            with suppress(Exception):
                distro.load_instrumentor = load
            return original(distro)

        module._load_instrumentors = load_all

    @contextmanager
    def _noting_failure(self, entry_point: Any) -> Iterator[None]:  # noqa: ANN401 - as above
        try:
            yield
        except Exception as error:
            with suppress(Exception):
                if str(entry_point.group).startswith("opentelemetry_") and type(error).__name__ != CONFLICT:
                    package = str(getattr(entry_point.dist, "name", "") or "")
                    missing = str(error.name or "")[:MAX_NAME_CHARACTERS] if isinstance(error, ImportError) else ""
                    key = (entry_point.group, entry_point.name, package, _kind_of(error), missing)
                    self._notes.count("load_failures", key)
            raise

    def _api(self, module: ModuleType) -> None:
        """Note the global provider, those refused, and spans that are started before there is one."""
        notes = self._notes

        def note_set(_: None, provider: Any) -> None:  # noqa: ANN401 - as above
            if module.get_tracer_provider() is provider:
                notes.global_provider = ref(provider)
            else:
                notes.providers_refused += 1

        def note_tracer(found: object, proxy: Any) -> None:  # noqa: ANN401 - as above
            if found is proxy._noop_tracer:
                notes.count("lost_before_provider", str(proxy._instrumenting_module_name))

        _then(module, "set_tracer_provider", note_set)
        module.ProxyTracer._tracer = property(_followed_by(module.ProxyTracer._tracer.fget, note_tracer))

    def _sdk(self, module: ModuleType) -> None:
        """Look in on every provider, its exporters, and the spans that sampling drops."""
        notes, at_span_end = self._notes, self._at_span_end

        def note_provider(_: None, provider: Any, *_args: object) -> None:  # noqa: ANN401 - as above
            from otel_carbon.doctor.observer.span_watch import SpanWatch  # which needs the SDK

            provider.add_span_processor(SpanWatch(notes, ref(provider), at_span_end))
            notes.see_provider(ref(provider))

        def note_processor(_: None, _provider: object, processor: object) -> None:
            from otel_carbon.doctor.observer.exporters import count_deliveries

            count_deliveries(processor)

        def note_span(span: Any, tracer: Any, *_args: object) -> None:  # noqa: ANN401 - as above
            if not span.is_recording():
                scope = getattr(tracer, "_instrumentation_scope", None) or tracer.instrumentation_scope
                notes.count("not_recorded", str(scope.name))

        _then(module.TracerProvider, "__init__", note_provider)
        _then(module.TracerProvider, "add_span_processor", note_processor)
        _then(module.Tracer, "start_span", note_span)

    def _metrics(self, module: ModuleType) -> None:
        """Look in on the exporters of metrics."""
        notes = self._notes

        def note_reader(_: None, reader: object, *_args: object) -> None:
            from otel_carbon.doctor.observer.exporters import count_deliveries

            count_deliveries(reader)
            notes.see_reader(ref(reader))

        _then(module.PeriodicExportingMetricReader, "__init__", note_reader)


def _then(owner: Any, name: str, note: Function) -> None:  # noqa: ANN401 - a module or a class of another package
    """Have `note` called with what the function returned and its positional arguments, each time it has returned."""
    setattr(owner, name, _followed_by(getattr(owner, name), note))


def _followed_by(original: Function, note: Function) -> Function:
    @wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the signature of what is wrapped
        outcome = original(*args, **kwargs)
        with suppress(Exception):  # the application goes on, noted or not
            note(outcome, *args)
        return outcome

    return wrapper


def _kind_of(error: Exception) -> str:
    return "ImportError" if type(error) is ModuleNotFoundError else type(error).__name__
