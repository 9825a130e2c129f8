"""Folders for each class, and labels by number, by name and by file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boardless_sim.camera.source import Frames, open_frames
from boardless_sim.errors import FrameError, LabelError
from boardless_sim.files import natural_order


def picture(path: Path, level: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((28, 28), level, np.uint8)).save(path)


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    for number in (10, 1, 2):
        picture(tmp_path / "flat" / f"frame{number}.png", number)
    return tmp_path / "flat"


def labelled(frames: Frames) -> list[tuple[str, int | None]]:
    return [(frame.name, frame.label) for frame in frames]


def with_labels(folder: Path, text: str, classes: tuple[str, ...] = ()) -> Frames:
    path = folder.parent / "labels"
    path.write_text(text, encoding="utf-8")
    return open_frames(folder, path, classes=classes)


def test_numbers_in_names_count_as_numbers(flat: Path) -> None:
    assert labelled(with_labels(flat, "1\n2\n10\n")) == [
        ("frame1.png", 1),
        ("frame2.png", 2),
        ("frame10.png", 10),
    ]


def test_natural_order() -> None:
    names = ["a10", "a2", "a02", "A1", "b", "a", "10", "9", "a1b2", "a1b10", "9" * 5000]
    expected = ["9", "10", "9" * 5000, "a", "A1", "a1b2", "a1b10", "a02", "a2", "a10", "b"]
    assert sorted(names, key=natural_order) == expected


def test_what_is_no_picture_is_counted(flat: Path) -> None:
    for name in (".DS_Store", "Thumbs.db", "notes.txt"):
        (flat / name).touch()
    picture(flat / "hidden.png")
    (flat / "hidden.png").rename(flat / "._frame1.png")
    (flat / "more").mkdir()
    frames = open_frames(flat)
    assert frames.skipped == (".DS_Store", "._frame1.png", "Thumbs.db", "more", "notes.txt")
    assert len(list(frames)) == 3


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    for name in ("10_boot/1.png", "10_boot/0.png", "2_pullover/deep/0.png", "9_bag/0.jpg"):
        picture(tmp_path / "set" / name)
    (tmp_path / "set" / "9_bag" / "Thumbs.db").touch()
    picture(tmp_path / "set" / "__MACOSX" / "x.png")
    frames = open_frames(tmp_path / "set")
    assert frames.classes == ("2_pullover", "9_bag", "10_boot")
    assert frames.skipped == ("9_bag/Thumbs.db", "__MACOSX")
    assert labelled(frames) == [
        ("2_pullover/deep/0.png", 0),
        ("9_bag/0.jpg", 1),
        ("10_boot/0.png", 2),
        ("10_boot/1.png", 2),
    ]


def test_folders_with_numbers_for_names_are_the_classes(tmp_path: Path) -> None:
    picture(tmp_path / "set" / "7" / "a.png")
    picture(tmp_path / "set" / "3" / "b.png")
    assert labelled(open_frames(tmp_path / "set")) == [("3/b.png", 3), ("7/a.png", 7)]


def test_the_firmwares_names_say_the_numbers(tmp_path: Path) -> None:
    picture(tmp_path / "set" / "dog" / "a.png")
    assert labelled(open_frames(tmp_path / "set", classes=("cat", "dog"))) == [("dog/a.png", 1)]
    with pytest.raises(LabelError, match="found class 'dog', expected one of: cat, cow"):
        open_frames(tmp_path / "set", classes=("cat", "cow"))


def test_no_link_leads_out_of_a_class(tmp_path: Path) -> None:
    picture(tmp_path / "set" / "a" / "0.png")
    (tmp_path / "set" / "a" / "loop").symlink_to(tmp_path / "set", target_is_directory=True)
    assert len(list(open_frames(tmp_path / "set"))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "file,label\nframe1.png,7\nframe2.png,2\nframe10.png,9\n",
        "frame10.png,9\r\nframe1.png, 7\r\n./frame2.png,2\r\n\r\n",
    ],
)
def test_a_csv_names_files(flat: Path, text: str) -> None:
    assert [label for _, label in labelled(with_labels(flat, text))] == [7, 2, 9]


def test_a_csv_of_names(flat: Path) -> None:
    frames = with_labels(flat, "frame1.png,shoe\nframe2.png,bag\nframe10.png,shoe\n")
    assert frames.classes == ("bag", "shoe")
    assert [label for _, label in labelled(frames)] == [1, 0, 1]


def test_a_csv_is_a_source_of_its_own(flat: Path) -> None:
    (flat / "set.csv").write_text("image,class\nframe10.png,4\nframe2.png,5\n")
    assert labelled(open_frames(flat / "set.csv")) == [("frame10.png", 4), ("frame2.png", 5)]


def test_names_one_a_line(flat: Path) -> None:
    frames = with_labels(flat, "\ufeffbag\nboot\nbag\n", classes=("boot", "bag"))
    assert [label for _, label in labelled(frames)] == [1, 0, 1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-1\n2\n9\n", "labels:1: found '-1', expected one integer a line"),
        ("bag\n2\nbag\n", "labels:2: found '2', expected one name a line"),
        ("1\n\n2\n", "labels:2: found '', expected one integer a line"),
        ("frame1.png,1\nframe2.png,2\n", "found no label of 'frame10.png', expected one"),
        ("frame1.png,1\nframe1.png,2\n", "labels:2: found 'frame1.png' again"),
        ("frame1.png,1\nghost.png,2\n", "found a label of 'ghost.png', expected one of the"),
        ("frame1.png,1,2\n", "labels:1: found 'frame1.png,1,2', expected a file and its label"),
        ('"frame1.png,1\n', "expected a readable file of labels"),
        ("1\n2\n", "found 2 labels, expected 3, one for each frame"),
    ],
)
def test_labels_that_do_not_match(flat: Path, text: str, found: str) -> None:
    with pytest.raises(LabelError) as caught:
        with_labels(flat, text)
    assert found in str(caught.value)


def test_files_have_no_place_in_an_array(flat: Path) -> None:
    np.save(flat / "a.npy", np.zeros((28, 28), np.uint8))
    with pytest.raises(LabelError, match="found names of files, expected one label for each frame"):
        with_labels(flat / "a.npy", "a,1\n")


def test_a_csv_of_files_that_are_not_there(flat: Path) -> None:
    (flat / "set.csv").write_text("ghost.png,1\n")
    with pytest.raises(LabelError, match="found 'ghost.png', expected a file beside it"):
        open_frames(flat / "set.csv")
    (flat / "one.csv").write_text("1\n2\n")
    with pytest.raises(FrameError, match="found one column, expected files and their classes"):
        open_frames(flat / "one.csv")
