"""Draw docs/architecture.png: the flow of the data, and the rooms with the direction of imports.

    python docs/make_architecture.py

The rooms are read from the import contract in pyproject.toml. A room that the contract has and this
file does not describe, or the other way round, is an error, so the drawing stays true.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
WIDTH, DPI = 10.0, 160  # inches, pixels an inch
MARGIN, GAP = 0.3, 0.27  # around the drawing, and between two boxes of a lane
BOX_HEIGHT, ROW_STEP, LANE_HEAD, LANE_FOOT = 0.82, 0.98, 0.36, 0.16
LAYER_HEIGHT, CELL_HEIGHT, LAYER_GAP = 0.34, 0.7, 0.06
INK, FAINT, PANEL = "#1f2937", "#6b7280", "#f3f4f6"


@dataclass(frozen=True)
class Room:
    """A room of the package: its colour, what it does, and the names to look for first."""

    colour: str
    text: str
    names: tuple[str, ...]


ROOMS = {
    "commands": Room("#475569", "train, test, predict, ...: the one front door", ("COMMANDS",)),
    "app": Room("#9d174d", "pages in the browser", ("Finder", "serve")),
    "inference": Room(
        "#0f766e",
        "any class names on any images, videos, indexes",
        ("Detector", "Detections", "Index"),
    ),
    "extraction": Room(
        "#b45309", "the teacher's regions and captions, into a store", ("prepare", "extract")
    ),
    "training": Room(
        "#7f1d1d",
        "runs that resume exactly and stop at NaN",
        ("run_training", "SafeCheckpointHook"),
    ),
    "segmentation": Room(
        "#0369a1",
        "label maps and masks by words: data, metrics",
        ("OpenVocabularySegmentor", "SegmentationMetric"),
    ),
    "models": Room(
        "#1d4ed8",
        "detectors and heads, as mmdet calls them",
        ("OpenVocabularyRCNN", "RegionWordHead"),
    ),
    "evaluation": Room(
        "#be185d", "AP of base and novel classes; comparison of methods", ("OVMetric", "Row")
    ),
    "ovshapes": Room(
        "#4d7c0f", "the embedded benchmark; what its small teacher learns from", ("make_ovshapes",)
    ),
    "teacher_training": Room(
        "#86198f",
        "objectives of a teacher's training; adapting a teacher",
        ("Objective", "Towers"),
    ),
    "datasets": Room(
        "#15803d",
        "COCO and LVIS files; regions move with the image",
        ("OVDataset", "PackOVInputs"),
    ),
    "vocabulary": Room(
        "#7e22ce", "class names with text embeddings; prompts; splits", ("Vocabulary",)
    ),
    "distillation": Room("#c2410c", "a folder for each method", ("DistillationTerm",)),
    "store": Room("#a16207", "format on disk", ("TeacherStore",)),
    "teacher": Room("#6d28d9", "frozen CLIP, or your own", ("Teacher",)),
    "visualization": Room("#0e7490", "boxes, masks, labels", ("draw_detections",)),
    "core": Room(
        "#334155",
        "images, masks, atomic files, checkpoints, provenance",
        ("read_image", "TeacherId", "UserError"),
    ),
}


@dataclass(frozen=True)
class Box:
    """A step of the flow.

    Attributes:
        room: where its code is.
        text: what it does, in lines.
        column, row: place in the lane; a row of 0.5 is between two rows.
        reads: file that goes into it, named by its room; "" = none.
    """

    room: str
    text: str
    column: int
    row: float = 0.0
    reads: str = ""


@dataclass(frozen=True)
class Lane:
    """A part of the flow: its boxes, and the arrows between them as pairs of positions."""

    title: str
    commands: str
    columns: int
    rows: int
    boxes: tuple[Box, ...]
    arrows: tuple[tuple[int, int], ...]


LANES = (
    Lane(
        "Before training, once",
        "ovdistill prepare, extract, vocab",
        4,
        2,
        (
            Box("datasets", "class names,\nbase and novel", 0, 0),
            Box("teacher", "frozen text tower:\nencode_text", 2, 0),
            Box("vocabulary", "vocabulary file:\ntext embeddings (W, D)", 3, 0),
            Box("datasets", "training images and\ntheir base boxes", 0, 1),
            Box("extraction", "proposals of a network\ntrained on base boxes", 1, 1),
            Box("teacher", "frozen image tower on\ncrops: encode_regions", 2, 1),
            Box("store", "store: boxes, objectness,\nregion embeddings", 3, 1),
        ),
        ((0, 1), (1, 2), (3, 4), (4, 5), (5, 6)),
    ),
    Lane(
        "Training, each step",
        "ovdistill train",
        5,
        2,
        (
            Box(
                "datasets",
                "image, boxes, masks\nof base classes and\nregions move together",
                0,
                0.5,
                "store",
            ),
            Box("models", "backbone, FPN;\nRPN, trained on\nbase boxes", 1, 0.5),
            Box(
                "models", "RoI head: embeddings\nof sampled RoIs (R, D)\nand regions (P, D)", 2, 0.5
            ),
            Box("models", "RegionWordHead:\n(R, D) x (W, D)", 3, 0, "vocabulary"),
            Box("models", "alignment, box\nand mask loss", 4, 0),
            Box("distillation", "every term reads\nDistillInputs", 3, 1),
            Box("distillation", "distillation losses,\nby name", 4, 1),
        ),
        ((0, 1), (1, 2), (2, 3), (3, 4), (2, 5), (5, 6)),
    ),
    Lane(
        "Testing and prediction",
        "ovdistill test, predict, app, index",
        5,
        2,
        (
            Box("datasets", "image", 0, 0.5),
            Box("models", "backbone, FPN,\nRPN: proposals", 1, 0.5),
            Box("models", "RoI head: region\nembeddings, boxes,\nmasks", 2, 0.5),
            Box(
                "models",
                "x text embeddings of\nany vocabulary of the\nsame teacher: scores",
                3,
                0.5,
                "vocabulary",
            ),
            Box("evaluation", "AP of base and\nnovel classes", 4, 0),
            Box("inference", "detections; JSON\nand drawn images", 4, 1),
        ),
        ((0, 1), (1, 2), (2, 3), (3, 4), (3, 5)),
    ),
)


def read_layers() -> list[list[str]]:
    """Return the rooms of each layer of the import contract, the highest layer first.

    Raises:
        SystemExit: the contract and this file do not have the same rooms, or a room lacks a name.
    """
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = content["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if one["type"] == "layers")
    layers = [[room.strip() for room in layer.split("|")] for layer in contract["layers"]]
    named = {room for layer in layers for room in layer}
    used = {box.room for lane in LANES for box in lane.boxes}
    if named != set(ROOMS) or not used <= named:
        difference = sorted(named ^ set(ROOMS) | used - named)
        raise SystemExit(f"pyproject.toml and {__file__} differ in: {', '.join(difference)}")
    for room in named:
        code = "".join(path.read_text() for path in (ROOT / "ovdistill" / room).rglob("*.py"))
        for name in ROOMS[room].names:
            if not re.search(rf"^(class |def |){name}\b", code, re.MULTILINE):
                raise SystemExit(f"{__file__} names {name}, which ovdistill/{room} does not define")
    return layers


def tint(colour: str) -> tuple[float, float, float]:
    """Mix a colour with nine times as much white."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (1 - 0.1 * (1 - channel) for channel in channels)
    return red, green, blue


class Drawing:
    """The drawing in the making: x and y in inches, from the lower left corner.

    Args:
        height: of the figure, in inches.
    """

    def __init__(self, height: float) -> None:
        self.figure = Figure(figsize=(WIDTH, height))
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, WIDTH), ylim=(0, height))
        self.axes.axis("off")

    def text(self, x: float, y: float, text: str, size: float, **style: Any) -> None:
        """Write text, dark and vertically centred unless the style says otherwise."""
        style = dict(color=INK, va="center", linespacing=1.25) | style
        self.axes.text(x, y, text, fontsize=size, **style)

    def rounded(
        self, x: float, y: float, width: float, height: float, face: Any, edge: str = "none"
    ) -> None:
        """Draw a rectangle with round corners; x and y are its lower left corner."""
        style = "round,pad=0,rounding_size=0.07"
        self.axes.add_patch(
            FancyBboxPatch((x, y), width, height, boxstyle=style, fc=face, ec=edge, lw=1.2)
        )

    def arrow(self, *points: tuple[float, float]) -> None:
        """Draw an arrow along straight lines through these points."""
        *rest, tail, tip = points
        style = dict(color=FAINT, lw=1.3)
        self.axes.plot(*zip(*rest, tail, strict=True), **style, solid_joinstyle="round")
        head = dict(arrowstyle="-|>,head_length=5,head_width=2.6", shrinkA=0, shrinkB=0)
        self.axes.add_patch(FancyArrowPatch(tail, tip, **head, **style))

    def box(self, box: Box, x: float, y: float, width: float) -> None:
        """Draw a step of the flow; x and y are its lower left corner."""
        colour = ROOMS[box.room].colour
        self.rounded(x, y, width, BOX_HEIGHT, tint(colour), colour)
        self.text(x + 0.09, y + BOX_HEIGHT - 0.115, box.room, 7.6, color=colour, weight="bold")
        self.text(x + 0.09, y + (BOX_HEIGHT - 0.17) / 2, box.text, 8.4)
        if box.reads:
            self.file(box.reads, x + width / 2, y + BOX_HEIGHT)

    def file(self, room: str, x: float, y: float) -> None:
        """Draw a file of an earlier lane, and an arrow from it down to the box at x and y."""
        width = 0.085 * len(room) + 0.2
        self.rounded(x - width / 2, y + 0.19, width, 0.22, ROOMS[room].colour)
        self.text(x, y + 0.295, room, 8, color="white", weight="bold", ha="center")
        self.arrow((x, y + 0.19), (x, y + 0.01))


def lane_head(lane: Lane) -> float:
    """Return the space above the boxes of a lane: for its title, and for a file above a box."""
    return LANE_HEAD + 0.3 * any(box.reads and box.row == 0 for box in lane.boxes)


def lane_height(lane: Lane) -> float:
    """Return the height of a lane."""
    return lane_head(lane) + (lane.rows - 1) * ROW_STEP + BOX_HEIGHT + LANE_FOOT


def draw_lane(drawing: Drawing, lane: Lane, top: float) -> None:
    """Draw a lane below this y."""
    height = lane_height(lane)
    drawing.rounded(MARGIN - 0.12, top - height, WIDTH - 2 * MARGIN + 0.24, height, PANEL)
    drawing.text(MARGIN, top - 0.18, lane.title, 10, weight="bold")
    style = dict(color=FAINT, ha="right", family="monospace")
    drawing.text(WIDTH - MARGIN, top - 0.18, lane.commands, 8.4, **style)
    width = (WIDTH - 2 * MARGIN - (lane.columns - 1) * GAP) / lane.columns
    places = []
    for box in lane.boxes:
        x = MARGIN + box.column * (width + GAP)
        y = top - lane_head(lane) - box.row * ROW_STEP - BOX_HEIGHT
        places.append((x, y))
        drawing.box(box, x, y, width)
    for first, second in lane.arrows:
        (x1, y1), (x2, y2) = (places[number] for number in (first, second))
        y1, y2, middle = y1 + BOX_HEIGHT / 2, y2 + BOX_HEIGHT / 2, x1 + width + GAP / 2
        corners = [] if y1 == y2 else [(middle, y1), (middle, y2)]
        drawing.arrow((x1 + width, y1), *corners, (x2 - 0.01, y2))


def layers_height(layers: list[list[str]]) -> float:
    """Return the height of all layers."""
    heights = [LAYER_HEIGHT if len(layer) == 1 else CELL_HEIGHT for layer in layers]
    return sum(heights) + LAYER_GAP * (len(layers) - 1)


def draw_layers(drawing: Drawing, layers: list[list[str]], top: float) -> None:
    """Draw the rooms in their layers below this y, with an arrow for the direction of imports."""
    left, right, bottom = MARGIN + 0.3, WIDTH - MARGIN, top - layers_height(layers)
    style = dict(color=FAINT, rotation=90, ha="center")
    drawing.text(MARGIN - 0.04, (top + bottom) / 2, "imports go down only", 8.6, **style)
    drawing.arrow((MARGIN + 0.15, top), (MARGIN + 0.15, bottom))
    for layer in layers:
        height = LAYER_HEIGHT if len(layer) == 1 else CELL_HEIGHT
        top -= height
        width = (right - left - 0.1 * (len(layer) - 1)) / len(layer)
        for place, room in enumerate(layer):
            x = left + place * (width + 0.1)
            drawing.rounded(x, top, width, height, tint(ROOMS[room].colour), ROOMS[room].colour)
            write = write_row if len(layer) == 1 else write_cell
            write(drawing, room, x, top, width)
        top -= LAYER_GAP


def write_row(drawing: Drawing, name: str, x: float, y: float, width: float) -> None:
    """Write what is said of a room that has a layer for itself."""
    room, middle = ROOMS[name], y + LAYER_HEIGHT / 2
    drawing.text(x + 0.1, middle, name, 9, color=room.colour, weight="bold")
    drawing.text(x + 1.45, middle, room.text, 8.6)
    style = dict(color=FAINT, ha="right", family="monospace")
    drawing.text(x + width - 0.1, middle, ", ".join(room.names), 8.2, **style)


def write_cell(drawing: Drawing, name: str, x: float, y: float, width: float) -> None:
    """Write what is said of a room that shares its layer."""
    room = ROOMS[name]
    drawing.text(x + 0.1, y + 0.555, name, 9, color=room.colour, weight="bold")
    drawing.text(x + 0.1, y + 0.345, room.text, 8.4)
    drawing.text(x + 0.1, y + 0.135, ", ".join(room.names), 8.2, color=FAINT, family="monospace")


def main() -> None:
    """Write docs/architecture.png."""
    layers = read_layers()
    lanes = sum(lane_height(lane) + 0.14 for lane in LANES)
    y = height = 0.6 + lanes + 0.7 + layers_height(layers) + 0.2
    drawing = Drawing(height)
    drawing.text(MARGIN, y - 0.3, "How the data flows", 14, weight="bold")
    y -= 0.6
    for lane in LANES:
        draw_lane(drawing, lane, y)
        y -= lane_height(lane) + 0.14
    drawing.text(MARGIN, y - 0.35, "The rooms of ovdistill/", 14, weight="bold")
    draw_layers(drawing, layers, y - 0.7)
    out = Path(__file__).with_name("architecture.png")
    drawing.figure.savefig(out, dpi=DPI, metadata={"Software": None})


if __name__ == "__main__":
    main()
