"""The version, the name of the distribution, where its sources are, and how to install it.

`setup.py` runs this file by itself, so it imports nothing.
"""

__version__ = "0.2.0"

DISTRIBUTION = "keras-kconvert"  # the project `kconvert` on PyPI is another one

REPOSITORY = "https://github.com/OWNER/kconvert"  # OWNER: nobody publishes it yet


def install(extra: str = "", python: str = "") -> str:
    """How to install kconvert, as a command for error messages.

    extra: the extra whose dependencies are needed.
    python: the interpreter to install it for.

    The distribution is not on PyPI yet, so it is installed from the repository.

    >>> install("theano")
    "pip install '.[theano]' in a clone of the kconvert repository"
    >>> install(python="python3.10")
    'python3.10 -m pip install . in a clone of the kconvert repository'
    """
    pip = f"{python} -m pip" if python else "pip"
    what = f"'.[{extra}]'" if extra else "."
    return f"{pip} install {what} in a clone of the kconvert repository"
