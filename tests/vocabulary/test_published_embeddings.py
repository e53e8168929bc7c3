"""Published embeddings: any float type, norm and orientation becomes (W, D) of unit norm."""

import numpy as np
import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.vocabulary.published_embeddings import embeddings_from_array, read_array

NAMES = ("cup", "boat")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("turned", [False, True])
def test_any_float_norm_and_orientation(dtype, turned):
    array = np.array([[3, 4, 0], [0, 0, 2]], dtype)
    embeddings = embeddings_from_array(array.T if turned else array, NAMES)
    assert embeddings.dtype == torch.float32
    torch.testing.assert_close(embeddings, torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]))


def test_square_arrays(caplog):
    array = np.array([[1.0, 1.0], [0.0, 1.0]])
    assert embeddings_from_array(array, NAMES)[1].tolist() == [0, 1]
    assert "--transposed" in caplog.text
    caplog.clear()
    assert embeddings_from_array(array, NAMES, transposed=True)[0].tolist() == [1, 0]
    assert not caplog.records


@pytest.mark.parametrize(
    ("array", "fact"),
    [
        (np.ones((3, 3)), r"\(3, 3\)"),
        (np.ones(2), r"\(2,\)"),
        (np.ones((2, 3), int), "int64"),
        (np.array([[1.0, 0, 0], [0, 0, 0]]), "'boat'"),
        (np.array([[1.0, 0, 0], [0, np.inf, 0]]), "'boat'"),
        (np.array([[np.nan, 0, 0], [0, 1, 0]]), "'cup'"),
    ],
)
def test_bad_arrays(array, fact):
    with pytest.raises(UserError, match=f"{fact}.*expected"):
        embeddings_from_array(array, NAMES)


def test_an_array_that_is_not_transposed():
    with pytest.raises(UserError, match="--transposed"):
        embeddings_from_array(np.ones((2, 3)), NAMES, transposed=True)


def test_files(tmp_path):
    np.save(tmp_path / "good.npy", np.eye(3))
    assert np.array_equal(read_array(tmp_path / "good.npy"), np.eye(3))
    (tmp_path / "text.npy").write_bytes(b"no array")
    np.save(tmp_path / "pickle.npy", np.array([{}]), allow_pickle=True)
    np.savez(tmp_path / "archive.npz", a=np.eye(2))
    for name in ("text.npy", "pickle.npy", "archive.npz", "missing.npy"):
        with pytest.raises(UserError, match=f"{name}.*expected"):
            read_array(tmp_path / name)
