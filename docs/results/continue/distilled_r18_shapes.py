"""The new images alone, with the teacher's regions of them: the recipe without old images."""

_base_ = ["../../../configs/continue_r18_shapes.py"]

train_dataloader = dict(
    sampler=dict(_delete_=True, type="InfiniteSampler", shuffle=True),
    dataset=dict(_delete_=True, **_base_.new_data),
)
