"""`ovdistill summarize`: mean and deviation of runs, by hand."""

import json

import pytest

from ovdistill.commands import main
from ovdistill.core.errors import UserError


@pytest.fixture
def runs(tmp_path):
    for number, value in enumerate((1.0, 2.0, 3.0)):
        folder = tmp_path / f"run{number}"
        folder.mkdir()
        (folder / "metrics.json").write_text(json.dumps({"AP": value, "AR": 5.0}))
    return tmp_path


def test_a_row_for_each_glob(runs, capsys):
    words = [f"all={runs}/run*", f"one=a={runs}/run1"]
    assert not main.run(["summarize", *words, "--keys", "AP", "AR"])
    assert capsys.readouterr().out.splitlines() == [
        "|  | runs | AP | AR |",
        "| --- | ---: | ---: | ---: |",
        "| all | 3 | 2.0 ± 1.0 | 5.0 ± 0.0 |",
        "| one=a | 1 | 2.0 | 5.0 |",
    ]


@pytest.mark.parametrize(
    ("row", "message"), [("a", "NAME=FOLDERS"), ("a=none*", "none"), ("a={}/run*", "bbox/AP_novel")]
)
def test_bad_rows(row, message, runs):
    with pytest.raises(UserError, match=message):
        main.run(["summarize", row.format(runs)])
