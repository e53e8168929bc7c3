"""`ovdistill vocab nearest`: by a name of the file, and by any text."""

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.vocabulary import Names, Vocabulary


def test_nearest(built, run):
    _, printed = run("nearest", built, "--name", "striped star")
    assert printed.splitlines()[0] == "1.000\tstriped star"
    _, by_text = run("nearest", built, "--text", "striped star", "--teacher", "ovshapes")
    assert by_text == printed  # in the file's own templates
    _, printed = run("nearest", built, "--text", "red heart", "--teacher", "ovshapes", "--limit", 1)
    assert printed.splitlines()[0].endswith("outlined heart") and printed.count("\n") == 1


@pytest.mark.parametrize("flag", ["--name", "--word"])  # the second is the first's old spelling
def test_a_synonym_is_found(flag, run, tmp_path):
    names = Names(("cup", "boat"), synonyms=(("cup", "mug"), ("boat",)))
    Vocabulary.from_array(np.eye(2, 3), names).save(tmp_path / "v")
    _, printed = run("nearest", tmp_path / "v", flag, "mug")
    assert printed.splitlines()[0] == "1.000\tcup"


BAD = {
    "name that is none": (["--name", "cup"], "none of the 4 names"),
    "neither name nor text": ([], "--text and --name"),
    "name and text": (["--name", "cup", "--text", "cup"], "--text and --name"),
    "another teacher": (
        ["--text", "cup", "--teacher", "ovshapes", "--random-weights"],
        "got teacher ovshapes-rn:random",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, built, run):
    arguments, message = BAD[name]
    with pytest.raises(UserError) as error:
        run("nearest", built, *arguments)
    assert message in str(error.value)
