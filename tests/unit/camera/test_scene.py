from __future__ import annotations

import numpy as np
import pytest

from boardless_sim.camera.frame import Frame
from boardless_sim.camera.scene import BORDER, compose, scale_for
from boardless_sim.errors import FrameError
from boardless_sim.faults.optics import noisy

RANDOM = np.random.default_rng(5)


def random_frame(height: int, width: int) -> Frame:
    return Frame("random", RANDOM.integers(0, 256, (height, width), dtype=np.uint8))


def test_small_frame_comes_back_by_means_of_four_by_four() -> None:
    frame = random_frame(28, 28)
    scene = compose(frame)
    crop = scene[4:116, 24:136].reshape(28, 4, 28, 4)
    assert np.array_equal(crop.mean(axis=(1, 3)), frame.luma)
    assert np.array_equal(crop.min(axis=(1, 3)), crop.max(axis=(1, 3)))


def test_border_is_mid_grey() -> None:
    scene = compose(random_frame(112, 112)).copy()
    scene[4:116, 24:136] = BORDER
    assert set(scene.ravel()) == {BORDER}


def test_middle_and_full_frames_keep_their_pixels() -> None:
    middle, full = random_frame(112, 112), random_frame(120, 160)
    assert np.array_equal(compose(middle)[4:116, 24:136], middle.luma)
    assert np.array_equal(compose(full), full.luma)


def test_a_fine_frame_is_averaged_down_to_what_the_output_shows() -> None:
    fine = random_frame(480, 640)
    assert np.array_equal(compose(fine, scale=4), fine.luma)
    for scale, factor in ((1, 4), (2, 2)):
        blocks = fine.luma.reshape(120 * scale, factor, 160 * scale, factor)
        means = np.floor(blocks.mean(axis=(1, 3)) + 0.5)
        assert np.array_equal(compose(fine, scale), means)


def test_a_fine_square_stands_in_the_middle() -> None:
    square = random_frame(448, 448)
    assert np.array_equal(compose(square, scale=4)[16:464, 96:544], square.luma)
    assert set(compose(square, scale=4)[:16].ravel()) == {BORDER}
    assert compose(square).shape == (120, 160)


def test_a_coarse_frame_has_no_finer_scene() -> None:
    assert compose(random_frame(120, 160), scale=4).shape == (120, 160)


@pytest.mark.parametrize(("width", "scale"), [(80, 1), (160, 1), (176, 2), (320, 2), (640, 4)])
def test_a_scene_has_a_column_for_each_of_the_output(width: int, scale: int) -> None:
    assert scale_for(width) == scale


@pytest.mark.parametrize("shape", [(28, 29), (160, 120), (240, 320), (28,)])
def test_other_sizes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(FrameError, match="expected uint8 28x28, 112x112, 160x120, "):
        compose(Frame("odd.png", np.zeros(shape, np.uint8)))


def test_noise_is_seeded_and_bounded() -> None:
    frame = Frame("grey", np.full((28, 28), 250, np.uint8), label=3)
    (first,) = noisy([frame], sigma=8.0, seed=1)
    (again,) = noisy([frame], sigma=8.0, seed=1)
    (other,) = noisy([frame], sigma=8.0, seed=2)
    assert np.array_equal(first.luma, again.luma)
    assert not np.array_equal(first.luma, other.luma)
    assert first.luma.max() == 255
    assert 4 < first.luma.astype(float).std() < 9
    assert (first.name, first.label) == ("grey", 3)
