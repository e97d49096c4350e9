"""Files that appear whole or not at all: a full disk or a killed process leaves what was there before."""

import os
import tempfile
from pathlib import Path

from .recording import FileError


def write_bytes(path, data):
    """Writes `data` beside `path`, then puts it in its place. Raises FileError and leaves no half file."""
    path, spare = Path(path), None
    try:
        handle, spare = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(spare, path)
    except OSError as error:
        if spare is not None and os.path.exists(spare):
            os.unlink(spare)
        raise FileError(
            f"{path} can't be written ({error.strerror}). Free some space or choose another folder; "
            "nothing was changed."
        ) from error


def write_text(path, text):
    """`write_bytes` for text (UTF-8)."""
    write_bytes(path, text.encode())
