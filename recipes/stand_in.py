"""Stand-ins for what the paper's trainings need and nobody can ship, so that their commands can be tried.

python3 recipes/stand_in.py clips mug|mhad|natops DIRECTORY     a few drawn people, under the names of the data set
python3 recipes/stand_in.py vgg|i3d FILE.safetensors            a narrow network of random weights

Needs nothing but Python itself.
"""

import argparse
import itertools
import json
import math
import random
import shutil
import struct
import zlib
from pathlib import Path

FRAMES = (12, 14)
"""Frames of a clip: most have more than the shortest, so that frames are picked. I3D needs nine."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    clips = kinds.add_parser("clips")
    clips.add_argument("layout", choices=LAYOUTS)
    clips.add_argument("out", type=Path)
    for network in NETWORKS:
        kinds.add_parser(network).add_argument("out", type=Path)
    args = parser.parse_args()

    if args.kind == "clips":
        # Whole or not at all: an interrupted one is no data set.
        partial = args.out.with_name(args.out.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        for index, (folder, name, size, person, action) in enumerate(LAYOUTS[args.layout]()):
            draw_clip(partial / folder, name, size, person, action, frames=FRAMES[0] + index % 3)
        partial.rename(args.out)
    else:
        write_safetensors(args.out, NETWORKS[args.kind]())


def mug():
    """Two people to train on and two who are tested; of 002 the first session counts."""
    for person, folder in enumerate(["008", "017", "001", "002/session0", "002/session1"]):
        for action, label in enumerate(["anger", "happiness", "surprise"]):
            yield f"{folder}/{label}/take000", "img_{:04}.png", (224, 224), person, action


def mhad():
    """Pictures as large as the published videos, of which the middle is used."""
    for person, action in itertools.product([1, 2, 4, 6], [1, 2, 22]):
        clip = f"a{action}_s{person}_t1"
        yield clip, clip + "_{:03}.png", (640, 480), person, action


def natops():
    """The same; subject 1 is in neither split."""
    for person, action in itertools.product([1, 3, 4, 2, 5], [1, 13, 14]):
        yield f"g{action:02}s{person:02}p01", "{:04}.png", (320, 240), person, action


LAYOUTS = {"mug": mug, "mhad": mhad, "natops": natops}


def draw_clip(folder, name, size, person, action, frames):
    """Someone who raises an arm and comes back, each action at another height and in another direction."""
    folder.mkdir(parents=True)
    width, height = size
    shade = random.Random(person)
    wall, clothes, skin = ([shade.randrange(low, low + 80) for _ in range(3)] for low in (150, 20, 120))
    for frame in range(frames):
        raised = math.sin(math.pi * frame / (frames - 1))
        side = 1 if action % 2 else -1
        picture = [bytearray(bytes(wall) * width) for _ in range(height)]
        fill(picture, clothes, (0.38, 0.45, 0.62, 1.0))
        fill(picture, skin, (0.43, 0.2, 0.57, 0.42))
        reach, level = 0.5 + side * (0.14 + 0.14 * raised), 0.8 - raised * (0.2 + 0.1 * (action % 4))
        fill(picture, skin, (reach - 0.05, level - 0.06, reach + 0.05, level + 0.06))
        (folder / name.format(frame)).write_bytes(png(picture, width, height))


def fill(picture, colour, box):
    """Fills a box, given in shares of the picture: left, top, right, bottom."""
    height, width = len(picture), len(picture[0]) // 3
    left, right = round(box[0] * width), round(box[2] * width)
    for row in picture[round(box[1] * height) : round(box[3] * height)]:
        row[3 * left : 3 * right] = bytes(colour) * (right - left)


def png(picture, width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row for row in picture)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def vgg():
    """The convolutions of torchvision's VGG19 up to relu5_1."""
    inputs = 3
    for place in [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28]:
        yield f"features.{place}.weight", [4, inputs, 3, 3]
        yield f"features.{place}.bias", [4]
        inputs = 4


def i3d():
    """I3D under the keys of its usual PyTorch conversion."""

    def unit(key, inputs, outputs, kernel):
        yield f"{key}.conv3d.weight", [outputs, inputs, kernel, kernel, kernel]
        for leaf in ["weight", "bias", "running_mean", "running_var"]:
            yield f"{key}.bn.{leaf}", [outputs]

    inputs = 3
    for key, kernel in [("Conv3d_1a_7x7", 7), ("Conv3d_2b_1x1", 1), ("Conv3d_2c_3x3", 3)]:
        yield from unit(key, inputs, 4, kernel)
        inputs = 4
    for key in ["3b", "3c", "4b", "4c", "4d", "4e", "4f", "5b", "5c"]:
        for branch, kernel in [("b0", 1), ("b1a", 1), ("b1b", 3), ("b2a", 1), ("b2b", 3), ("b3b", 1)]:
            yield from unit(f"Mixed_{key}.{branch}", 2 if branch in ("b1b", "b2b") else inputs, 2, kernel)
        inputs = 8
    yield "logits.conv3d.weight", [6, inputs, 1, 1, 1]
    yield "logits.conv3d.bias", [6]


NETWORKS = {"vgg": vgg, "i3d": i3d}


def write_safetensors(path, shapes):
    draw = random.Random(0)
    header, data = {}, bytearray()
    for name, shape in shapes:
        count, inputs = math.prod(shape), math.prod(shape[1:])
        if len(shape) > 1:
            # What goes through many of these neither grows nor fades.
            values = [math.sqrt(6 / inputs) * draw.uniform(-1, 1) for _ in range(count)]
        else:
            values = [1.0 if name.endswith(("bn.weight", "running_var")) else 0.0] * count
        start = len(data)
        data += struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


if __name__ == "__main__":
    main()
