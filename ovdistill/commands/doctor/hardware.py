"""Check the devices, and the operations of mmcv that run on them."""

from __future__ import annotations

import importlib
import os
import shutil

from ovdistill.commands.doctor.finding import NOTE, OK, PROBLEM, Check
from ovdistill.commands.doctor.packages import IMPORT_ERRORS


def check_operations() -> Check:
    """Return which implementation serves mmcv's nms and roi_align, after calling both."""
    name = "nms, roi_align"
    try:
        stand_in = importlib.import_module("ovdistill.core.mmcv_ops").install()
        torch, ops = importlib.import_module("torch"), importlib.import_module("mmcv.ops")
        device = "cuda" if torch.cuda.is_available() else "cpu"
        # the boxes' IoU is 9/11, so the second is suppressed; the mean of a ramp over 2..6 is 3.5
        boxes = torch.tensor([[0.0, 0, 10, 10], [0, 1, 10, 11]], device=device)
        kept = ops.nms(boxes, torch.tensor([0.9, 0.8], device=device), 0.5)[1].tolist()
        ramp = torch.arange(8.0, device=device).expand(1, 1, 8, 8).contiguous()
        box = torch.tensor([[0.0, 2, 2, 6, 6]], device=device)
        aligned = ops.RoIAlign(1, 1.0, 2, "avg", aligned=True)
        value = aligned(ramp, box).item()
    except IMPORT_ERRORS as error:
        fix = "fix the packages above first; if they are fine: pip install --force-reinstall "
        return Check(name, PROBLEM, f"cannot be called: {error}", f"{fix}torch torchvision")
    served = "torchvision (mmcv has no compiled operations)" if stand_in else "compiled mmcv"
    if (kept, value) != ([0], 3.5):
        detail = f"{served} on {device}: got {kept} and {value}, expected [0] and 3.5"
        return Check(name, PROBLEM, detail, "pip install --force-reinstall torch torchvision")
    return Check(name, OK, f"{served}, called on {device}")


def check_devices() -> Check:
    """Return the CPU cores, the NVIDIA and Apple GPUs, and whether torch can use them."""
    cores = f"{os.cpu_count()} CPU cores"
    try:
        torch = importlib.import_module("torch")
    except IMPORT_ERRORS:
        return Check("devices", NOTE, f"{cores}; without torch nothing else is known")
    found = [f"{cores} ({torch.get_num_threads()} threads)"]
    if torch.cuda.is_available():
        for i in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(i)
            found.append(f"cuda:{i} {card.name}, {card.total_memory / 2**30:.0f} GiB")
    elif shutil.which("nvidia-smi"):
        found.append(f"an NVIDIA driver that torch {torch.__version__} cannot use")
        fix = "pip install --force-reinstall torch torchvision  # or update the driver"
        return Check("devices", NOTE, "; ".join(found), fix)
    if torch.backends.mps.is_available():
        found.append("mps (Apple)")
    return Check("devices", OK, "; ".join(found))
