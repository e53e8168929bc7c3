"""Tables of image-text pairs for the training of a teacher."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

from ovdistill.teacher_training.data.sources.pair_table import PairTable

from ..mutate_json import dump, mutate_json
from ..mutate_text import mutate_text
from ..reader import Files, Reader


class PairTableReader(Reader):
    """``PairTable``: images and texts in one of four formats."""

    name = "pairs"

    def seeds(self) -> Sequence[Files]:
        """Return a table in each format."""
        rows = [{"image": f"{i}.png", "text": f"a cup {i}"} for i in range(3)]
        return [
            {"input.json": dump([*rows, {"image": "3.png", "text": ["a cup", "a mug"]}])},
            {"input.jsonl": b"\n".join(map(dump, rows))},
            {"input.csv": b'image,text\n1.png,"a cup, red"\n2.png,a mug\n'},
            {"input.tsv": b"image\ttext\n1.png\ta cup\n2.png\ta mug\n"},
        ]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change JSON as such or as text, and sometimes say that the file is of another format."""
        ((name, content),) = files.items()
        if name == "input.json" and rng.random() < 0.7:
            content = dump(mutate_json(json.loads(content), rng))
        else:
            content = mutate_text(content, rng, ('"', "image", "\t", "[[[["))
        if rng.random() < 0.2:
            name = f"input.{rng.choice(('csv', 'tsv', 'json', 'jsonl', 'txt'))}"
        return {name: content}

    def read(self, folder: Path) -> None:
        """Read the pairs."""
        (path,) = folder.iterdir()
        table = PairTable(path)
        assert len(table) == len(table.texts) > 0, "no pairs, and no error"
