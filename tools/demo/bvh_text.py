"""BVH files as text: cut to a window, and seen in a mirror, without any change to the rest of them."""

import re

MIRRORED_CHANNELS = ("Xposition", "Yrotation", "Zrotation")  # change sign in the plane x = 0


def split(text):
    """Head (up to and with the line MOTION), seconds a frame, rows of numbers as lists of strings."""
    head, motion = re.split(r"(?<=MOTION)\s*\n", text, maxsplit=1)
    lines = [line for line in motion.splitlines() if line.strip()]
    return head, float(lines[1].split(":")[1]), [line.split() for line in lines[2:]]


def join(head, frame_time, rows):
    """The text again."""
    body = "\n".join(" ".join(row) for row in rows)
    return f"{head}\nFrames: {len(rows)}\nFrame Time: {frame_time:.7f}\n{body}\n"


def cut(text, first, count, frame_time=None):
    """Frames `first` to `first + count - 1`; `frame_time` in seconds replaces the header's where that is wrong."""
    head, own, rows = split(text)
    if len(rows) < first + 2:
        raise ValueError(f"The BVH file has {len(rows)} frames; frame {first} and one after it are needed.")
    return join(head, frame_time or own, rows[first : first + count])


def columns(head):
    """Columns of the rows in order: (joint, channel)."""
    joint, out = None, []
    for line in head.splitlines():
        words = line.split()
        if words[:1] in (["ROOT"], ["JOINT"]):
            joint = words[1]
        elif words[:1] == ["CHANNELS"]:
            out += [(joint, channel) for channel in words[2:]]
    return out


def other_side(name, names):
    """The joint on the other side of the body, by the ways names mark sides; the joint itself if there is none."""
    tries = [
        name.replace("Left", "@").replace("Right", "Left").replace("@", "Right"),
        name.replace("left", "@").replace("right", "left").replace("@", "right"),
        re.sub(r"^([lr])(?=[A-Z])", lambda m: "rl"["lr".index(m[1])], name),
        re.sub(r"(?<=[._])([lrLR])$", lambda m: "rlRL"["lrLR".index(m[1])], name),
    ]
    return next((t for t in tries if t != name and t in names), name)


def mirrored(text):
    """The motion seen in a mirror in the plane x = 0: sides change places."""
    head, frame_time, rows = split(text)
    order = columns(head)
    names = {joint for joint, _ in order}
    place = {key: index for index, key in enumerate(order)}
    source = [place[other_side(joint, names), channel] for joint, channel in order]
    flip = [channel in MIRRORED_CHANNELS for _, channel in order]
    return join(head, frame_time, [[negated(row[s]) if f else row[s] for s, f in zip(source, flip, strict=True)]
                                   for row in rows])  # fmt: skip


def negated(number):
    """A number's text with the other sign."""
    return number[1:] if number.startswith("-") else f"-{number}"


def height(text):
    """How tall the figure stands at rest, in the file's unit: the extent of its joints and end sites along Y."""
    above, tops = [], [0.0]
    for line in split(text)[0].splitlines():
        words = line.split()
        if words[:1] == ["OFFSET"]:
            # The root's own offset moves the whole figure: it counts for all of it, so for nothing.
            above.append(above[-1] + float(words[2]) if above else 0.0)
            tops.append(above[-1])
        elif words[:1] == ["}"]:
            above.pop()
    return max(tops) - min(tops)
