"""Reports on files: a right conversion and a wrong one."""

import pytest

from kconvert import backend, verify
from tests.verification.damage import converted, damage


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """(of a right conversion, of one with a kernel that was not flipped), as on a machine without frameworks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "_installed", lambda *packages: None)
        source, target = converted("lenet_th", tmp_path_factory.mktemp("real"))
        good = verify(source, target)
        damage(target, **{"conv2d_2:kernel": lambda kernel: kernel[::-1, ::-1]})
        return good, verify(source, target)
