"""The motion core: plain data in, plain data out. NumPy at import; no Blender anywhere below this folder."""
