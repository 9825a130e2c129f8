"""Keywords about results: of one frame, and of many."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from boardless.running.frame_stream import FrameResult
from boardless.running.latency import Latency, frame_rate, latency
from boardless.suites.keywords.area import Area, board_keyword, microseconds
from boardless.suites.keywords.arguments import Number
from boardless_sim.camera.fit import DEFAULT_FIT
from boardless_sim.camera.source import open_frames

EXACT = Number(0.0)
ONE_SECOND = timedelta(seconds=1)


class ResultKeywords(Area):
    """Check what the firmware said about frames, and how long it took."""

    @board_keyword
    def get_result_class(self) -> int:
        """The class of the last result.

        | ${class} = | Get Result Class |
        """
        found = self._last_result().class_index
        if found is None:
            raise AssertionError("the network tells no classes apart, expected one that does")
        return found

    @board_keyword
    def result_class_should_be(self, expected: int) -> None:
        """The last result's class.

        | Result Class Should Be | 7 |
        """
        result = self._last_result()
        if result.class_index != expected:
            raise AssertionError(
                f"frame {result.name}: class is {result.class_index}, "
                f"expected {expected} (score {result.score})"
            )

    @board_keyword
    def result_score_should_be_at_least(self, least: Number) -> None:
        """The last result's score.

        | Result Score Should Be At Least | 60 |
        """
        result = self._last_result()
        if result.score is None:
            raise AssertionError(f"frame {result.name}: no score, expected at least {least:g}")
        if result.score < least:
            raise AssertionError(
                f"frame {result.name}: score is {result.score}, expected at least {least:g}"
            )

    @board_keyword
    def get_result_values(self) -> list[float]:
        """What the network put out where it tells no classes apart: its values, or its one error.

        | @{values} = | Get Result Values |
        """
        return list(self._last_result().values)

    @board_keyword
    def result_value_should_be(
        self, index: int, expected: Number, tolerance: Number = EXACT
    ) -> None:
        """One of the last result's values, to within ``tolerance``.

        | Result Value Should Be | 0 | 0.998 | tolerance=0.01 |
        """
        found = self._value(index)
        if not abs(found - expected) <= tolerance:
            within = f" within {tolerance:g}" if tolerance else ""
            name = self._last_result().name
            wanted = f"{expected:g}{within}"
            raise AssertionError(f"frame {name}: value {index} is {found}, expected {wanted}")

    @board_keyword
    def result_error_should_be_at_most(self, limit: Number) -> None:
        """How far an autoencoder's output was from its input: the mean squared difference.

        | Result Error Should Be At Most | 12.5 |
        """
        found = self._value(0)
        if found > limit:
            name = self._last_result().name
            raise AssertionError(f"frame {name}: error is {found}, expected at most {limit:g}")

    @board_keyword
    def result_error_should_be_at_least(self, least: Number) -> None:
        """The same of an input that an autoencoder should not know.

        | Result Error Should Be At Least | 12.5 |
        """
        found = self._value(0)
        if found < least:
            name = self._last_result().name
            raise AssertionError(f"frame {name}: error is {found}, expected at least {least:g}")

    def _value(self, index: int) -> float:
        result = self._last_result()
        if not 0 <= index < len(result.values):
            raise AssertionError(
                f"frame {result.name}: {len(result.values)} values, expected a value {index}"
            )
        return result.values[index]

    @board_keyword
    def result_time_should_be_at_most(self, stage: str, limit: timedelta) -> None:
        """The time that the last result gives for a stage: capture, preprocess, infer or total.

        | Result Time Should Be At Most | infer | 10 ms |
        """
        result = self._last_result()
        if stage not in result.times_us:
            stages = ", ".join(result.times_us) or "none"
            raise AssertionError(f"frame {result.name}: no time of {stage}, found: {stages}")
        self.at_most(f"frame {result.name}: {stage}", result.times_us[stage], limit)

    @board_keyword
    def classify_frames(
        self,
        frames: str,
        labels: Path | None = None,
        limit: int | None = None,
        frame_limit: timedelta = ONE_SECOND,
        fit: str = DEFAULT_FIT,
    ) -> float | None:
        """Powers the board on anew, shows all ``frames`` and returns the accuracy (0 to 1).

        Fails when a frame gets no result within ``frame_limit`` of virtual time. Without labels the
        accuracy is None. ``labels`` and ``fit`` are as in `Show Frame` and `boardless run`.

        | Classify Frames | t10k-images.gz | t10k-labels.gz | limit=100 |
        | Accuracy Should Be At Least | 0.85 |
        """
        source = open_frames(frames, labels, limit, fit, self.rig.classes)
        report = self.rig.classify(source, microseconds(frame_limit))
        if not report.is_complete:
            raise AssertionError(f"stopped after {len(report.results)} frames by {report.detail}")
        return report.accuracy

    @board_keyword
    def accuracy_should_be_at_least(self, least: Number) -> None:
        """The share of right classes (0 to 1) among all results since power-on, which need labels.

        | Accuracy Should Be At Least | 0.90 |
        """
        results = self._results()
        unknown = sum(result.label is None for result in results)
        if unknown:
            raise AssertionError(f"{unknown} of {len(results)} frames have no label")
        right = sum(not result.is_wrong for result in results)
        if right / len(results) < least:
            raise AssertionError(
                f"accuracy is {right / len(results):.4f} ({right} of {len(results)} frames), "
                f"expected at least {least:g}"
            )

    @board_keyword
    def mean_time_should_be_at_most(self, stage: str, limit: timedelta) -> None:
        """The mean of a stage's time over all results since power-on.

        | Mean Time Should Be At Most | total | 45 ms |
        """
        self.at_most(f"mean of {stage}", self._latency(stage).mean_us, limit)

    @board_keyword
    def p95_time_should_be_at_most(self, stage: str, limit: timedelta) -> None:
        """The 95th percentile of a stage's time over all results since power-on.

        | P95 Time Should Be At Most | total | 50 ms |
        """
        self.at_most(f"95th percentile of {stage}", self._latency(stage).p95_us, limit)

    @board_keyword
    def frame_rate_should_be_at_least(self, least: Number) -> None:
        """Results a second of virtual time, from the first result since power-on to the last.

        | Frame Rate Should Be At Least | 29.9 |
        """
        rate = frame_rate(self.rig.results)
        if rate is None:
            raise AssertionError("fewer than two results, expected some to tell a frame rate")
        if rate < least:
            raise AssertionError(
                f"frame rate is {rate:.3f} a second, expected at least {least:g} "
                f"({self.rig.engine.timing_basis})"
            )

    def _results(self) -> list[FrameResult]:
        if not self.rig.results:
            raise AssertionError("no result yet, expected one: Run Until Result first")
        return self.rig.results

    def _last_result(self) -> FrameResult:
        return self._results()[-1]

    def _latency(self, stage: str) -> Latency:
        found = latency(self._results(), stage)
        if found is None:
            raise AssertionError(f"no result has a time of {stage}")
        return found
