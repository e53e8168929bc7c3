"""From a caption file to a store: texts are embedded once, each image has its own."""

import json

import torch

from ovdistill.extraction.captions import extract_captions
from ovdistill.store import CaptionStore
from ovdistill.teacher import OpenCLIPTeacher


def test_captions_and_phrases_are_the_teachers(tmp_path):
    captions = {7: ["a red star", "a solid ring and a red star"], 3: [" a red star ", ""], 5: [" "]}
    annotations = [
        dict(id=i, image_id=image, caption=text)
        for i, (image, text) in enumerate((k, v) for k, texts in captions.items() for v in texts)
    ]
    path = tmp_path / "captions.json"
    path.write_text(json.dumps(dict(annotations=annotations)))
    extract_captions(dict(teacher=dict(model="ovshapes")), path, tmp_path / "out.safetensors")

    teacher = OpenCLIPTeacher("ovshapes")
    store = CaptionStore(tmp_path / "out.safetensors")
    assert store.teacher == teacher.id and store.header["annotations"] == str(path)
    first, second = store[7]
    expected = teacher.encode_text(["a red star", "red star", "solid ring"])
    torch.testing.assert_close(first.embedding, expected[0], atol=1e-3, rtol=0)
    torch.testing.assert_close(first.phrases, expected[1:2], atol=1e-3, rtol=0)
    torch.testing.assert_close(second.phrases, expected[[2, 1]], atol=1e-3, rtol=0)
    (only,) = store[3]
    assert torch.equal(only.embedding, first.embedding)
    assert len(store) == 2  # an image with an empty caption alone has none
