"""What an exported detector says of itself, in the metadata of its ONNX file.

An ONNX file may come from anybody, so all that it states is checked when it is read.

Shapes: W phrases, G classes, D embedding width.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.header_values import FLAG, OBJECT, SIZE, TEXT, Kind, expect, list_of, optional
from ovdistill.core.json_files import loads
from ovdistill.core.teacher_id import TeacherId
from ovdistill.inference.calibration import Calibration

KEY = "ovdistill"  # of the metadata, beside those of other programs
FORMAT = "ovdistill-onnx-1"
INPUTS = ("images", "sizes", "score_threshold")
TEXT_INPUTS = ("texts", "is_base", "classes", "wanted")
OUTPUTS = (
    *("image", "boxes", "scores", "labels", "runner_up", "runner_up_scores", "embeddings"),
    *("nearest", "nearest_scores", "masks"),
)
MOST_SIDE = 16_384  # pixels of a network input
NUMBER = Kind("a number", lambda v: type(v) in (int, float) and -1e9 <= v <= 1e9)
SHARE = Kind("a number from 0 to 1", lambda v: NUMBER.fits(v) and 0 <= v <= 1)
SIDE = Kind(f"1 to {MOST_SIDE}", lambda v: type(v) is int and 1 <= v <= MOST_SIDE)
SCALE = Kind(f"two of {SIDE.description}", lambda v: list_of(SIDE).fits(v) and len(v) == 2)
KINDS = {
    "names": list_of(TEXT),
    "wanted": SIZE,
    "phrases": list_of(TEXT),
    "embed_dim": SIZE,
    "teacher": TEXT,
    "teacher_hash": TEXT,
    "texts_as_input": FLAG,
    "scale": SCALE,
    "keep_ratio": FLAG,
    "divisor": SIDE,
    "least_score": SHARE,
    "mask_threshold": optional(SHARE),
    "calibration": optional(OBJECT),
    "vocabulary_hash": TEXT,
    "provenance": OBJECT,
}


@dataclass(frozen=True)
class OnnxHeader:
    """What is known of an exported detector.

    Attributes:
        names: of the G classes, those that are detected first; the others compete with them.
        wanted: how many classes are detected.
        phrases: the W texts that were embedded; those of a class one after another.
        embed_dim: D.
        teacher: the teacher that embedded them.
        texts_as_input: other class names can be set.
        scale: two sides that an image has to fit into; without ``keep_ratio`` its new width and
            height, pixels.
        keep_ratio: keep the ratio of the sides of images.
        divisor: images are padded until this divides their sides.
        least_score: lower scores are left out, whatever is asked for.
        mask_threshold: a pixel whose probability reaches it is of the object; None without masks.
        calibration: turns scores into probabilities, or None.
        vocabulary_hash: first 16 hex digits of the SHA-256 of phrases and embeddings.
        provenance: what the file was made from, and with.
    """

    names: tuple[str, ...]
    wanted: int
    phrases: tuple[str, ...]
    embed_dim: int
    teacher: TeacherId
    texts_as_input: bool
    scale: tuple[int, int]
    keep_ratio: bool
    divisor: int
    least_score: float
    mask_threshold: float | None
    calibration: Calibration | None
    vocabulary_hash: str
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def queries(self) -> tuple[str, ...]:
        """The names of the classes that are detected."""
        return self.names[: self.wanted]

    def to_metadata(self) -> dict[str, str]:
        """Return the entry of an ONNX file's metadata."""
        values = {name: getattr(self, name) for name in KINDS if name != "teacher_hash"}
        values |= {"format": FORMAT, **self.teacher.to_header()}
        if self.calibration is not None:
            values["calibration"] = asdict(self.calibration)
        return {KEY: json.dumps(values, allow_nan=False)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], path: str) -> OnnxHeader:
        """Read what ``to_metadata`` wrote.

        Args:
            metadata: of the file.
            path: of the file, for messages.

        Raises:
            UserError: the file was not made by `ovdistill export`, or is damaged.
        """
        if KEY not in metadata:
            raise UserError(f"{path} is no detector that `ovdistill export` wrote")
        content = loads(metadata[KEY], f"the metadata of {path}")
        try:
            return _header(content)
        except ValueError as error:
            raise UserError(f"the metadata of {path} are damaged: {error}") from None


def _header(content: Any) -> OnnxHeader:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        got = content.get("format") if isinstance(content, dict) else content
        raise ValueError(f"its format is {got!r:.60}; expected {FORMAT!r}")
    values = {name: expect(content, name, kind) for name, kind in KINDS.items()}
    names = values["names"]
    if not 0 < values["wanted"] <= len(names) or len(set(names)) < len(names):
        raise ValueError(
            f"{values['wanted']} of {len(names)} names are detected; expected different ones"
        )
    values["teacher"] = TeacherId(values["teacher"], values.pop("teacher_hash"))
    if values["calibration"] is not None:
        curve = {key: expect(values["calibration"], key, NUMBER) for key in ("slope", "intercept")}
        if curve["slope"] <= 0:
            raise ValueError(f"its calibration falls (slope {curve['slope']})")
        values["calibration"] = Calibration(**curve)
    for name in ("names", "phrases", "scale"):
        values[name] = tuple(values[name])
    return OnnxHeader(**values)
