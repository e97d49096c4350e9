"""What crosses between Blender's scene and the core: the only package that knows both bpy and plain data."""
