"""The queue in the detector: it keeps the latest regions, and is not saved."""

import torch

from ...batches import batch, build, losses_of, make_vocabulary


def test_the_queue_keeps_the_latest_regions():
    term = dict(type="RegionQueueTerm", size=6)
    model = build("vild_r18_shapes", make_vocabulary(7), distillers=[term])
    (term,) = model.roi_head.distillers
    assert not term.queue.any()
    seen = []
    for _ in range(2):
        data = batch((3, 1), (1, 1))
        loss, logged = losses_of(model, data)
        own = [sample.teacher_regions.embeddings for sample in data["data_samples"]]
        seen = [torch.cat(own), *seen]
        assert loss.isfinite() and logged["loss_region_queue"] >= 0
    expected = torch.nn.functional.normalize(torch.cat(seen)[:6], dim=1)
    assert torch.allclose(term.queue, expected, atol=1e-5)
    assert not any("queue" in key for key in model.state_dict())
    losses_of(model, batch((0, 0), (1, 1)))
    assert torch.allclose(term.queue, expected, atol=1e-5)
