"""Packaging of ovdistill: `pip install -e .`. Nothing is compiled."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "ovdistill" / "__init__.py").read_text())[1]
README = HERE / "README.md"

TEST = [
    "pytest>=8",
    "pytest-xdist",
    # The LVIS authors' evaluation, the reference of tests/evaluation. It needs the removed
    # np.float, which the tests supply, so the package itself evaluates with hotcoco.
    "lvis==0.5.3",
]

setup(
    name="ovdistill",
    version=VERSION,
    description="Open-vocabulary detectors and instance segmenters distilled from a frozen CLIP",
    long_description=README.read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
    packages=find_packages(include=["ovdistill", "ovdistill.*"]),
    package_data={
        "ovdistill.shapes": ["weights/**/*", "samples/**/*"],
        "ovdistill.vocabulary": ["lvis_v1_frequency.txt"],
    },
    python_requires=">=3.10",
    install_requires=[
        "torch>=2.4",
        "torchvision",
        # The maintained distributions of mmengine, mmcv and mmdet: upstream's do not install
        # beside a current torch. They bring OpenCV, matplotlib and scipy.
        "onedl-mmengine>=0.10.12",
        "onedl-mmcv>=2.3.6",
        "onedl-mmdetection>=3.5",
        "open_clip_torch>=3",
        "huggingface_hub",
        "hotcoco>=1.3",
        "ijson>=3.2",  # reads annotation files of a gigabyte a record at a time
        "numpy",
        "pillow",
        "pycocotools",
        "rich",
        "safetensors",
        "tensorboard",
        "tqdm",
    ],
    extras_require={
        "test": TEST,
        # One minor version: another one formats differently.
        "dev": [*TEST, "ruff==0.17.*", "pre-commit"],
    },
    entry_points={"console_scripts": ["ovdistill = ovdistill.cli:main"]},
)
