"""The command line: what the extension's core can do, without Blender. It is not part of the zip."""

import os

# NumPy's products are small here: threads of a BLAS wait for each other longer than they work, above all where another
# program wants the same cores. NumPy reads this when it is imported first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
