"""Data come without a download, in three splits that share no example."""

import numpy as np
import pytest

from analysis.activation.errors import BadInput
from analysis.training import data

pytestmark = pytest.mark.extras


@pytest.fixture(scope="module", params=["mnist1d", "digits"])
def found(request, tmp_path_factory):
    pytest.importorskip({"mnist1d": "mnist1d", "digits": "sklearn"}[request.param], reason="needs the extra train")
    return data.load(request.param, tmp_path_factory.mktemp("cache"))


def test_splits_are_disjoint_and_standardised(found):
    splits = [found.x, found.x_validation, found.x_test]
    rows = [{row.tobytes() for row in split} for split in splits]
    repeated = sum(map(len, splits)) - len(rows[0] | rows[1] | rows[2])
    assert repeated == 0
    assert abs(found.x.mean()) < 1e-5
    assert abs(found.x.std() - 1) < 1e-5
    assert {len(x) == len(y) for x, y in zip(splits, (found.y, found.y_validation, found.y_test), strict=True)} == {
        True
    }
    assert len(found.x_test) == pytest.approx(0.2 * sum(map(len, splits)), abs=1)
    assert found.classes == 10
    assert (found.x.dtype, found.y.dtype) == (np.float32, np.int64)


def test_the_same_data_again(found, tmp_path):
    again = data.load(found.name, tmp_path)
    assert np.array_equal(found.x, again.x)
    assert np.array_equal(found.y_test, data.load(found.name, tmp_path).y_test)


def test_noise_is_drawn_once_and_has_its_deviation(found):
    noisy, again = found.noisy(0.5), found.noisy(0.5)
    assert np.array_equal(noisy.x_test, again.x_test)
    assert (noisy.x - found.x).std() == pytest.approx(0.5, rel=0.02)
    assert found.noisy(0) is found


def test_unknown_data_are_a_bad_input(tmp_path):
    with pytest.raises(BadInput, match="mnist1d, digits, got 'cifar'"):
        data.load("cifar", tmp_path)
