"""What exported graphs take in onnxruntime, for `cargo xtask bench`.

    python3 tools/bench/peer.py <directory of lfdm export-onnx> --runs 8 --threads 2

Prints a line for each graph: what it does and the milliseconds of each run, after a tab. Needs onnxruntime, which
brings NumPy; `--check` only says whether both are there.
"""

import argparse
import json
import time
from pathlib import Path

import numpy
import onnxruntime

GRAPHS = {"encoder": "encoding", "denoiser": "one pass", "decoder": "decoded frame"}


def read_tensors(path):
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, tensor in header.items():
        first, end = (start + offset for offset in tensor["data_offsets"])
        tensors[name] = numpy.frombuffer(content[first:end], "float32").reshape(tensor["shape"])
    return tensors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path, nargs="?")
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    if arguments.check:
        print(f"onnxruntime {onnxruntime.__version__}")
        return

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    known = read_tensors(arguments.directory / "example.safetensors")
    known["time"] = known["time"].astype("int64")
    for graph, what in GRAPHS.items():
        path = str(arguments.directory / f"{graph}.onnx")
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs = {port.name: known[port.name] for port in session.get_inputs()}
        outputs = session.run(None, inputs)
        # The reference is the encoder's to compute.
        for port, value in zip(session.get_outputs(), outputs):
            known.setdefault(port.name, value)
        times = []
        for _ in range(arguments.runs):
            since = time.perf_counter()
            session.run(None, inputs)
            times.append((time.perf_counter() - since) * 1e3)
        print(what, " ".join(f"{milliseconds:.3f}" for milliseconds in times), sep="\t")


main()
