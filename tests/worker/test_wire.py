"""Messages: what goes in comes out, and what is no message is refused."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blender_motiondiff.worker import wire

dtypes = st.sampled_from(["<f4", "<f8", "<i4", "|u1", "|b1", ">f8"])
arrays = dtypes.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)))
plain = st.dictionaries(st.text(max_size=5).filter(lambda k: k != "arrays"), st.integers() | st.text(max_size=9))


@given(st.lists(st.tuples(plain, st.lists(arrays, max_size=3)), max_size=3))
def test_messages_come_back_as_they_were(messages):
    stream = io.BytesIO()
    for header, body in messages:
        wire.write(stream, header, body)
    stream.seek(0)
    for header, body in messages:
        got_header, got_body = wire.read(stream)
        assert got_header == header
        assert [a.dtype for a in got_body] == [a.dtype for a in body]
        for got, sent in zip(got_body, body, strict=True):
            np.testing.assert_array_equal(got, sent)
            assert got.shape == sent.shape and got.flags.writeable
    assert wire.read(stream) is None


def message(header, body=()):
    stream = io.BytesIO()
    wire.write(stream, header, body)
    return stream.getvalue()


def test_every_cut_message_is_refused():
    whole = message({"type": "takes"}, [np.arange(3.0)])
    for length in range(1, len(whole)):
        with pytest.raises(wire.WireError):
            wire.read(io.BytesIO(whole[:length]))


def test_text_in_the_pipe_is_no_message():
    with pytest.raises(wire.WireError, match="Something other"):
        wire.read(io.BytesIO(b"Warning: a library said something into the pipe"))


def test_objects_do_not_travel():
    with pytest.raises(wire.WireError, match="can't be sent"):
        message({}, [np.array([object()])])


def test_arrays_larger_than_the_message_are_refused():
    text = b'{"arrays": [["<f8", [1000]]]}'
    with pytest.raises(wire.WireError, match="does not hold"):
        wire.read(io.BytesIO(struct.pack("<4sIQ", b"MDF1", len(text), 8) + text + bytes(8)))


def test_object_dtypes_from_outside_are_refused():
    text = b'{"arrays": [["|O8", [1]]]}'
    with pytest.raises(wire.WireError):
        wire.read(io.BytesIO(struct.pack("<4sIQ", b"MDF1", len(text), 8) + text + bytes(8)))
