"""What the scene can't give: one message that names the thing, the cause and the remedy."""


class SceneError(Exception):
    """The scene can't be used as it stands; the message is shown to the user as it is."""
