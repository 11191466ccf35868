"""Clips, each a directory of frames, side by side in one looping WebP.

python3 recipes/grid.py --out OUT.webp --columns N DIRECTORY…
"""

import argparse
from pathlib import Path

from PIL import Image

GAP = 4
"""Pixels between clips."""
PAPER = (255, 255, 255)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--columns", required=True, type=int)
    parser.add_argument("--fps", type=float, default=8)
    parser.add_argument("--quality", type=int, default=80)
    args = parser.parse_args()

    clips = [frames(clip) for clip in args.clips]
    sheets = [grid([clip[index] for clip in clips], args.columns) for index in range(len(clips[0]))]
    duration = round(1000 / args.fps)
    # The face rests for a moment before it begins again.
    durations = [4 * duration, *[duration] * (len(sheets) - 1)]
    sheets[0].save(
        args.out, save_all=True, append_images=sheets[1:], duration=durations, loop=0, quality=args.quality, method=6
    )


def frames(clip):
    return [Image.open(path).convert("RGB") for path in sorted(clip.glob("*.png"))]


def grid(tiles, columns):
    side = tiles[0].width + GAP
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * side - GAP, rows * side - GAP), PAPER)
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % columns * side, index // columns * side))
    return sheet


if __name__ == "__main__":
    main()
