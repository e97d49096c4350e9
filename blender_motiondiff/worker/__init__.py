"""Generation in a process of its own, and Blender's side of it. No Blender anywhere in this folder."""
