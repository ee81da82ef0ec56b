"""Arrays cross into the core as they are, or not at all."""

import threading

import numpy as np
import pytest

from petcore import _core

from .reference import words

kernels = _core.kernels


@pytest.mark.parametrize("dtype", ["int64", "float64", "uint32", ">u8", "bool"])
def test_an_array_of_another_dtype_raises_and_names_the_remedy(dtype):
    with pytest.raises(TypeError, match=r"x has dtype .*, not uint64; call x.astype\(np.uint64\)"):
        kernels.neg(np.zeros(4, dtype))


def test_an_array_that_is_not_contiguous_raises_and_names_the_remedy():
    with pytest.raises(ValueError, match="ascontiguousarray"):
        kernels.neg(words(10)[::2])
    with pytest.raises(ValueError, match="ascontiguousarray"):
        kernels.matmul(words((3, 4)).T, words((3, 3)))


def test_a_list_is_not_an_array():
    with pytest.raises(TypeError):
        kernels.neg([1, 2, 3])


def test_a_read_only_output_raises():
    x = words(4)
    x.setflags(write=False)
    with pytest.raises(ValueError, match="read-only"):
        kernels.neg(words(4), out=x)
    assert kernels.neg(x).size == 4


def test_an_output_of_another_shape_raises():
    with pytest.raises(ValueError, match="shape"):
        kernels.neg(words(4), out=words((2, 2)))


def test_a_result_keeps_the_shape_and_outlives_its_inputs():
    x = words((3, 4, 5))
    expected = -x
    result = kernels.neg(x)
    del x
    assert result.shape == (3, 4, 5)
    assert (result == expected).all()


def test_other_threads_run_while_a_kernel_works():
    a = words((700, 700))
    done = threading.Event()
    ticks = 0
    worker = threading.Thread(target=lambda: (kernels.matmul(a, a, target="portable"), done.set()))
    worker.start()
    while not done.is_set():
        ticks += 1
    worker.join()
    assert ticks > 10
