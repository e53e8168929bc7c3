"""Files of adapters: what comes back, and what is refused."""

import json

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.tensor_files import write_tensor_file
from ovdistill.teacher import ClipAdapter, NamedAdapter, read_adapter, write_adapter
from ovdistill.teacher.adapter import ADAPTERS, TeacherAdapter, register_adapter
from ovdistill.teacher.adapter_file import FORMAT

TEACHER = TeacherId("tiny", "0123456789abcdef")
SETTINGS = dict(embed_dim=8, reduction=2, image_ratio=0.5, text_ratio=0.0)


def tensors():
    return dict(image_down=torch.ones(4, 8), image_up=torch.ones(8, 4))


def write(path, header=None, values=None):
    texts = dict(format=FORMAT, kind="clip-adapter", name="a", settings=json.dumps(SETTINGS))
    write_tensor_file(path, tensors() if values is None else values, texts | (header or {}))


def test_an_adapter_comes_back_from_its_file(tmp_path):
    made = ClipAdapter(**SETTINGS)
    made.temperature = 0.07
    write_adapter(tmp_path / "a.safetensors", NamedAdapter("a", TEACHER, made))
    found = read_adapter(tmp_path / "a.safetensors")
    assert (found.name, found.teacher) == ("a", TEACHER)
    assert isinstance(found.adapter, ClipAdapter)
    assert found.adapter.settings == SETTINGS and found.adapter.temperature == 0.07
    assert found.adapter.digest == made.digest
    embeddings = torch.nn.functional.normalize(torch.randn(5, 8), dim=1)
    torch.testing.assert_close(
        found.adapter.adapt_images(embeddings), made.adapt_images(embeddings)
    )


@pytest.mark.parametrize(
    ("header", "values", "shown"),
    [
        (dict(format="something"), None, "no adapter of a teacher"),
        (dict(kind="telepathy"), None, "'telepathy'"),
        (dict(settings="[1]"), None, "an object"),
        (dict(settings="{"), None, r"a\.safetensors is not JSON"),
        (dict(settings=json.dumps(dict(SETTINGS, colour="red"))), None, "colour"),
        (dict(settings=json.dumps(dict(SETTINGS, image_ratio=2))), None, "2.0"),
        (dict(settings=json.dumps(dict(SETTINGS, embed_dim=10**12))), None, "damaged"),
        (dict(settings=json.dumps(dict(SETTINGS, embed_dim="eight"))), None, "damaged"),
        (dict(temperature="0"), None, "temperature"),
        (dict(temperature="nan"), None, "temperature"),
        (None, {}, "image_down"),
        (None, dict(tensors(), image_up=torch.ones(8, 3)), "image_up"),
        (None, dict(tensors(), image_up=torch.full((8, 4), torch.nan)), "image_up is not finite"),
        (None, dict(tensors(), image_up=torch.ones(8, 4).half()), "float16"),
        (None, dict(tensors(), further=torch.ones(1)), "further"),
    ],
)
def test_damaged_adapters_are_refused(tmp_path, header, values, shown):
    write(tmp_path / "a.safetensors", header, values)
    with pytest.raises(UserError, match=shown):
        read_adapter(tmp_path / "a.safetensors")


def test_changed_bits_and_missing_files_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    with pytest.raises(UserError, match="no adapter"):
        read_adapter(path)
    write(path)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="checksum"):
        read_adapter(path)
    path.write_bytes(content[:100])
    with pytest.raises(UserError, match="damaged"):
        read_adapter(path)


def test_kinds_are_registered_once():
    assert ADAPTERS["clip-adapter"] is ClipAdapter
    assert register_adapter(ClipAdapter) is ClipAdapter

    class Another(TeacherAdapter):
        kind = "clip-adapter"

    class Nameless(TeacherAdapter):
        pass

    for wrong in (Another, Nameless):
        with pytest.raises(ValueError, match=wrong.__name__):
            register_adapter(wrong)
