"""Configs: data files, their placeholders, and the syntax of Python files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

from ovdistill.core.assets import STUDENT_CONFIG
from ovdistill.core.errors import UserError
from ovdistill.models.config import fill_placeholders, load_config

from ..mutate_json import dump, mutate_json
from ..mutate_text import mutate_text
from ..reader import Files, Reader
from .texts import YAML

CONFIG = {
    "data_root": "data",
    "split": "shape",
    "vocabulary": "{data_root}/{split}/vocabulary.safetensors",
    "model": {"type": "A", "head": {"type": "B", "sizes": [1, 2, 3], "path": "{vocabulary}"}},
    "pipeline": [{"type": "C"}, {"type": "D", "scale": [64, 64]}],
}
TEXTS = (
    *("_base_", "custom_imports", "_delete_", "filename", "env_variables", "imports", "{split}"),
    *("{data_root}{data_root}", "{{ fileDirname }}", "{{$HOME:x}}", "{{_base_.a}}", "{vocabulary}"),
    *("input.json", "vild_r18_shapes.py", "../configs/x.py", "os", "ovdistill", "type", "{{", "}}"),
    "{split}{split}" * 50,
)
AS_YAML = b"""\
data_root: data
split: shape
vocabulary: "{data_root}/{split}/vocabulary.safetensors"
model:
  type: A
  sizes: [1, 2.5, 3]
pipeline:
- {type: C}
- type: D
  flag: yes
"""


class ConfigReader(Reader):
    """``load_config`` of published configs; of .py files, which are code, the syntax."""

    name = "configs"

    def seeds(self) -> Sequence[Files]:
        """Return the shipped student's config, and a Python config."""
        python = "".join(f"{key} = {value!r}\n" for key, value in CONFIG.items())
        path = STUDENT_CONFIG
        return [{f"input{path.suffix}": path.read_bytes()}, {"input.py": python.encode()}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change values, lines or bytes."""
        ((name, content),) = files.items()
        if rng.random() < 0.03:
            name, content = rng.choice(("input.yaml", "input.yml", "input.toml", "input")), AS_YAML
        if name == "input.py":
            return {name: content[: rng.randrange(len(content))] + rng.choice((b"", b"\x00", b"("))}
        if name == "input.json" and rng.random() < 0.8:
            return {name: dump(mutate_json(json.loads(content), rng, TEXTS))}
        return {name: mutate_text(content, rng, (*YAML, *TEXTS))}

    def read(self, folder: Path) -> None:
        """Read the config."""
        (path,) = folder.iterdir()
        load_config(path).to_dict()


class PlaceholderReader(Reader):
    """``fill_placeholders``: strings of a config that name each other."""

    name = "placeholders"

    def seeds(self) -> Sequence[Files]:
        """Return a config of strings."""
        chain = {f"k{i}": f"{{k{i + 1}}}/x" for i in range(5)} | {"k5": "end"}
        return [{"input.json": dump(CONFIG)}, {"input.json": dump(chain)}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change values, or make strings that grow with each other."""
        content = json.loads(files["input.json"])
        if rng.random() < 0.3:
            times, length = rng.randint(1, 12), rng.randint(1, 60)
            content |= {f"k{i}": f"{{k{i + 1}}}" * times for i in range(length)}
            content |= {f"k{length}": rng.choice(("", "x", "{k0}", "xyz" * 100))}
        texts = (*TEXTS, *(f"{{k{i}}}" for i in range(4)), "{k1}{k1}")
        return {"input.json": dump(mutate_json(content, rng, texts))}

    def read(self, folder: Path) -> None:
        """Fill the placeholders of what the file holds, if that is an object."""
        try:
            content = json.loads((folder / "input.json").read_bytes())
        except (ValueError, RecursionError):
            return  # reading the file is what the reader of configs tries
        if isinstance(content, dict):
            try:
                fill_placeholders(content)
            except RecursionError as error:  # of values nested too deeply; load_config says so
                raise UserError("nested too deeply") from error
