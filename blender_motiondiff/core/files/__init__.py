"""Motion files in and out: BVH, ASF/AMC and the core's own takes (npz)."""
