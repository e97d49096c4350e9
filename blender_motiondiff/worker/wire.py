"""Messages between Blender and its worker: a JSON header and raw arrays, each message with its lengths in front.

No pickle: what arrives is numbers and text, whoever sent it.
"""

import json
import struct

import numpy as np

_HEAD = struct.Struct("<4sIQ")  # mark, bytes of the JSON header, bytes of all arrays
_MARK = b"MDF1"
_MOST_HEADER = 1 << 28
_MOST_ARRAYS = 1 << 32
_KINDS = "fiub"  # dtypes that may travel: floats, integers, booleans


class WireError(Exception):
    """What came through the pipe is not a message."""


def write(stream, header, arrays=()):
    """Sends one message: `header`, a dict of JSON values, and a sequence of arrays."""
    arrays = [np.asarray(a) for a in arrays]
    for a in arrays:
        if a.dtype.kind not in _KINDS:
            raise WireError(f"An array of {a.dtype} can't be sent.")
    layout = [[a.dtype.str, list(a.shape)] for a in arrays]
    text = json.dumps({**header, "arrays": layout}).encode()
    body = b"".join(a.tobytes() for a in arrays)
    stream.write(_HEAD.pack(_MARK, len(text), len(body)) + text + body)
    stream.flush()


def read(stream):
    """The next message as `(header, arrays)`, or None at the end of the stream.

    Raises WireError where the stream holds something else or ends within a message.
    """
    head = _take(stream, _HEAD.size, may_end=True)
    if head is None:
        return None
    mark, header_size, arrays_size = _HEAD.unpack(head)
    if mark != _MARK or header_size > _MOST_HEADER or arrays_size > _MOST_ARRAYS:
        raise WireError("Something other than a message came through the pipe.")
    header = json.loads(_take(stream, header_size))
    body = _take(stream, arrays_size)
    arrays, start = [], 0
    for text, shape in header.pop("arrays"):
        dtype = np.dtype(text)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if dtype.kind not in _KINDS or start + size > len(body):
            raise WireError("A message announces arrays that it does not hold.")
        arrays.append(np.frombuffer(body, dtype, offset=start, count=size // dtype.itemsize).reshape(shape).copy())
        start += size
    return header, arrays


def _take(stream, size, may_end=False):
    chunks, left = [], size
    while left:
        chunk = stream.read(min(left, 1 << 20))
        if not chunk:
            if may_end and left == size:
                return None
            raise WireError("The pipe closed within a message.")
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)
