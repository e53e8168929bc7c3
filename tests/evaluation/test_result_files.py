"""Files of earlier results: numbers, or our error."""

import json

import pytest

from ovdistill.commands.summarize import read_runs as read_summaries
from ovdistill.core.errors import UserError
from ovdistill.evaluation.comparison import collect, read_runs
from ovdistill.evaluation.comparison_rows import ROWS
from ovdistill.evaluation.result_files import read_lines, read_metrics

BAD = [b"", b"\xff", b"[" * 100_000, b"[]", b"5", b'{"AP": "a"}', b'{"AP": null}', b'{"AP": NaN}']
BAD += [b'{"AP": true}', b'{"AP": 1e308}', b'{"AP": ' + b"9" * 4000 + b"}"]


@pytest.mark.parametrize("content", BAD, ids=range(len(BAD)))
def test_metrics_of_any_bytes(tmp_path, content):
    (tmp_path / "metrics.json").write_bytes(content)
    with pytest.raises(UserError, match=r"metrics\.json"):
        read_metrics(tmp_path / "metrics.json")
    with pytest.raises(UserError, match=r"metrics\.json"):
        read_summaries(str(tmp_path))


@pytest.mark.parametrize("content", [b"\xff", b"5", b"{", b"[" * 100_000])
def test_lines_of_any_bytes(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.json"):
        read_lines(tmp_path / "a.json")


@pytest.mark.parametrize(
    "rows", [None, 5, [5], [{"name": 5, "runs": []}], [{"name": "a", "runs": [{"seed": "x"}]}]]
)
def test_comparisons_of_other_content(tmp_path, rows):
    path = tmp_path / "comparison.json"
    path.write_text(json.dumps(dict(split="shape", subset="val", rows=rows)))
    with pytest.raises(UserError, match=r"comparison\.json"):
        read_runs(path, "shape", "val", "clip")


@pytest.mark.parametrize("origin", ["5", '{"libraries": 5, "seconds_per_image": "a"}'])
def test_provenance_of_other_content(tmp_path, origin):
    folder = tmp_path / ROWS[0].name / "seed0" / "val"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text("{}")
    (folder / "provenance.json").write_text(origin)
    with pytest.raises(UserError, match=str(folder)):
        collect(tmp_path, "val", ROWS)
