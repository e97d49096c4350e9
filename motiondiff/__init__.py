"""The command line: what the extension's core can do, without Blender. It is not part of the zip."""
