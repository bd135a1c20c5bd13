"""What goes wrong with images, said in one line."""


class ImagesError(Exception):
    """The command cannot go on; the text says why and what to do."""


class NoEngine(ImagesError):
    """There is no Docker engine that answers."""
