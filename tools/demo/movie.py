"""demo.mp4: the clips' pictures one after the other with their titles, through Blender's own sequencer and FFmpeg."""

import os
from pathlib import Path

import bpy

from tools.demo import stage

PAUSE = 12  # frames that a clip's last picture stays


def write(clips, path, fps):
    """`clips`: list of (title, list of picture paths). Writes an MP4."""
    scene = bpy.data.scenes.new("Film")
    scene.render.resolution_x, scene.render.resolution_y = stage.SIZE
    scene.render.resolution_percentage = 100
    scene.render.fps, scene.render.fps_base = fps, 1.0
    scene.view_settings.view_transform = "Standard"
    strips = scene.sequence_editor_create().strips
    start = 1
    for title, pictures in clips:
        start = add_clip(strips, title, pictures, start)
    scene.frame_start, scene.frame_end = 1, start - 1
    set_up_output(scene.render, path)
    bpy.ops.render.render(animation=True, scene=scene.name)
    return Path(path).stat().st_size


def add_clip(strips, title, pictures, start):
    """Puts one clip's pictures and its title on the strips; returns the frame after it."""
    clip = strips.new_image(title, str(pictures[0]), 1, start)
    for picture in [*pictures[1:], *pictures[-1:] * PAUSE]:
        clip.elements.append(os.path.basename(picture))
    end = start + len(pictures) + PAUSE
    text = strips.new_effect(f"{title} title", "TEXT", 2, start, frame_end=end)
    text.text, text.font_size = title, 18
    text.location, text.anchor_x, text.anchor_y, text.alignment_x = (0.02, 0.96), "LEFT", "TOP", "LEFT"
    text.use_box, text.box_color, text.box_margin = True, (0.0, 0.0, 0.0, 0.55), 0.012
    return end


def set_up_output(render, path):
    """H.264 in an MP4, good enough to look at feet."""
    render.use_sequencer = True
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
    render.ffmpeg.constant_rate_factor, render.ffmpeg.gopsize = "HIGH", 24
    render.filepath = str(path)
