"""What the scripts export_*.py share. Needs numpy alone: each runs in a Python with its own library."""
import argparse
import json
import os

import numpy as np

KINDS = {"float32": "F32", "int64": "I64", "bool": "BOOL"}


def save(path, tensors):
    header, chunks, at = {}, [], 0
    for name, t in tensors.items():
        data = np.ascontiguousarray(t)
        header[name] = {"dtype": KINDS[str(data.dtype)], "shape": list(data.shape),
                        "data_offsets": [at, at + data.nbytes]}
        chunks.append(data.tobytes())
        at += data.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text + b"".join(chunks))


def try_exporters(label, folder, exporters, names, call):
    """Writes LABEL.NAME.onnx by each exporter; its own limits are no failure of ours."""
    for name in names:
        path = os.path.join(folder, f"{label}.{name}.onnx")
        try:
            call(exporters[name], path)
            print(label, name, os.path.getsize(path) // 1024, "KB", flush=True)
        except Exception as error:
            print(label, name, "NOT EXPORTED", str(error).split("\n")[0][:150], flush=True)


def main(models, exporters, export):
    """Command line of a script: export(folder, label, exporter names) for each model that --only names, or all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--only", default=",".join(models))
    parser.add_argument("--exporters", default=",".join(exporters))
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    for label in args.only.split(","):
        try:
            export(args.folder, label, args.exporters.split(","))
        except Exception as error:
            print(label, "FAILED", repr(error)[:300], flush=True)
