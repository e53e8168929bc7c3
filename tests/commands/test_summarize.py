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


def test_what_was_not_measured_is_a_dash(runs, capsys):
    boxes = {"bbox/AP_novel": -1.0, "bbox/AP_base": 4.0}
    (runs / "run0" / "metrics.json").write_text(json.dumps(boxes))
    more = boxes | {"bbox/AP_novel": 2.0, "segm/AP_novel": -1.0}
    (runs / "run1" / "metrics.json").write_text(json.dumps(more))
    assert not main.run(["summarize", f"a={runs}/run[01]"])
    header, _, line = capsys.readouterr().out.splitlines()
    cells = dict(zip(header.split(" | "), line.split(" | "), strict=True))
    assert (cells["bbox/AP_novel"], cells["bbox/AP_base"]) == ("2.0", "4.0 ± 0.0")
    assert cells["segm/AP_novel"] == cells["bbox/HM50"] == "-"


BAD = [
    (["a"], "NAME=FOLDERS"),
    (["a=none*"], "none"),
    (["a={}/run*"], "bbox/AP_novel; choose with --keys .*: AP, AR"),
    (["a={}/run*", "--keys", "AP", "APx"], "APx; choose with --keys .*: AP, AR"),
]


@pytest.mark.parametrize(("words", "message"), BAD)
def test_bad_rows(words, message, runs):
    with pytest.raises(UserError, match=message):
        main.run(["summarize", *(word.format(runs) for word in words)])
