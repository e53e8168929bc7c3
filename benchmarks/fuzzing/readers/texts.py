"""Files and words that people write: class names, templates, queries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

from ovdistill.datasets.names import read_names
from ovdistill.inference.prompts import parse_prompts
from ovdistill.vocabulary import read_templates

from ..mutate_json import dump, mutate_json
from ..mutate_text import mutate_text
from ..reader import Files, Reader, change_one, text_of

YAML = (
    *("!!python/object/apply:os.system ['touch ran-code']", "names: [a, b]", "names: {0: a}"),
    *(
        "a: &a [*a]",
        "<<: *x",
        "? [",
        "- &b [*b, *b]",
        "--- ",
        "%YAML 9.9",
        "!!binary x",
        "{" * 2000,
    ),
)


class NamesReader(Reader):
    """``read_names``: class names in one of many formats."""

    name = "names"

    def seeds(self) -> Sequence[Files]:
        """Return lists of names in the formats that are told apart by their suffix."""
        categories = [{"id": i, "name": f"name {i}", "frequency": "f"} for i in range(3)]
        return [
            {"input.json": dump({"categories": categories})},
            {"input.json": dump(["cup", "red star"])},
            {"input.txt": b"cup\nred star\nhot dog\n"},
            {"input.txt": "tasse\nétoile rouge\n".encode()},
            {"input.names": b"cup\nred star\nhot dog\n"},
        ]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change JSON as such or as text, and sometimes say that the file is of another format."""
        ((name, content),) = files.items()
        if name.endswith("json") and rng.random() < 0.7:
            content = dump(mutate_json(json.loads(content), rng))
        else:
            content = mutate_text(content, rng, YAML)
        if rng.random() < 0.2:
            name = f"input.{rng.choice(('yaml', 'csv', 'tsv', 'jsonl', 'pbtxt', 'names', 'txt'))}"
        return {name: content}

    def read(self, folder: Path) -> None:
        """Read the names."""
        (path,) = folder.iterdir()
        names = read_names(path)
        assert names.names, "no names, and no error"
        assert all(isinstance(name, str) and name for name in names.names), names.names


class TemplatesReader(Reader):
    """``read_templates``: prompt templates, one a line."""

    name = "templates"

    def seeds(self) -> Sequence[Files]:
        """Return a file of two templates and a comment."""
        return [{"input.txt": b"# of the article\na photo of {article} {}.\nmany {}.\n"}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change the text."""
        extra = ("{:>99999999999}", "{0}{1}", "{.__class__}", "{!r}", "{:{}}", "{article:99999999}")
        return {"input.txt": mutate_text(files["input.txt"], rng, extra)}

    def read(self, folder: Path) -> None:
        """Read the templates."""
        assert read_templates(folder / "input.txt"), "no templates, and no error"


class QueriesReader(Reader):
    """``parse_prompts``: what ``--text`` and ``--background`` take."""

    name = "queries"

    def seeds(self) -> Sequence[Files]:
        """Return a text of three queries."""
        return [{"input.txt": b"red star, outlined heart, cup"}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change the text."""
        files, name = change_one(files, rng)
        return {name: mutate_text(files[name], rng, ("input.txt", "a.json", "x.csv", ", ,"))}

    def read(self, folder: Path) -> None:
        """Split the text."""
        assert all(parse_prompts(text_of(folder)).rows), "an empty name, and no error"
