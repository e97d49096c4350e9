"""Files that appear whole or not at all: a full disk or a killed process leaves what was there before."""

import os
import uuid
from contextlib import suppress
from pathlib import Path

from .recording import FileError


def write_bytes(path, data):
    """Writes `data` beside `path`, then puts it in its place. Raises FileError and leaves no half file."""
    path = Path(path)
    spare = path.with_name(f".{path.name}.{uuid.uuid4().hex}")  # with the rights of any new file of the user's
    try:
        with open(spare, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(spare, path)
    except OSError as error:
        with suppress(OSError):
            spare.unlink(missing_ok=True)
        raise FileError(
            f"{path} can't be written ({error.strerror}). Free some space or choose another folder; "
            "nothing was changed."
        ) from error


def write_text(path, text):
    """`write_bytes` for text (UTF-8)."""
    write_bytes(path, text.encode())
