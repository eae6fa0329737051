"""The version, the name of the distribution, and how to install it: each in this one place.

`setup.py` runs this file by itself, so it imports nothing.
"""

__version__ = "0.1.0"

DISTRIBUTION = "keras-kconvert"  # the project `kconvert` on PyPI is another one


def install(extra: str = "", python: str = "") -> str:
    """The advice how to install kconvert, with the dependencies of `extra`, for the interpreter `python`.

    The distribution is not on PyPI yet, so it is installed from the repository.

    >>> install("theano")
    "pip install '.[theano]' in a clone of the kconvert repository"
    >>> install(python="python3.10")
    'python3.10 -m pip install . in a clone of the kconvert repository'
    """
    pip = f"{python} -m pip" if python else "pip"
    what = f"'.[{extra}]'" if extra else "."
    return f"{pip} install {what} in a clone of the kconvert repository"
