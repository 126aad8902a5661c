"""MXNet's Gluon models as ONNX by its own exporter, with what MXNet computes: `npm run verify:imports` reads them.

    python bench/python/export_mxnet.py FOLDER [--only NAME,...] [--exporters NAME,...]

Needs mxnet 1.9, numpy 1.23, onnx before 1.15. Writes NAME.EXPORTER.onnx, and NAME.safetensors with the parameters, "image",
"labels" and "grad_eval/PARAMETER" (mean cross-entropy in evaluation, in double precision).
"""
import os

import mxnet as mx
import numpy as np
from mxnet import autograd, onnx
from mxnet.gluon.model_zoo import vision

from references import main, save, try_exporters

CLASSES = 10

# name -> (name in the zoo, image side)
MODELS = {
    "resnet18_v1": ("resnet18_v1", 64),
    "resnet18_v2": ("resnet18_v2", 64),
    "mobilenet": ("mobilenet0_25", 64),
    "mobilenet_v2": ("mobilenet_v2_0_25", 64),
    "squeezenet": ("squeezenet1_1", 224),
    "densenet": ("densenet121", 224),
    "vgg11_bn": ("vgg11_bn", 32),
}


def randomize(net):
    g = np.random.default_rng(1)
    for key, p in net.collect_params().items():
        v = p.data().asnumpy()
        noise = g.standard_normal(v.shape)
        if key.endswith("running_var"):
            v = 1 + 0.3 * np.abs(noise)
        elif v.ndim < 2 and (p.grad_req != "null" or key.endswith("running_mean")):
            v = v + 0.1 * noise
        p.set_data(mx.nd.array(v))


def gradients(net, image, labels):
    net.cast("float64")
    loss_of = mx.gluon.loss.SoftmaxCrossEntropyLoss()
    with autograd.record(train_mode=False):
        loss = loss_of(net(mx.nd.array(image, dtype="float64")), mx.nd.array(labels)).mean()
    loss.backward(train_mode=False)
    parameters = net.collect_params().items()
    return {k: p.grad().asnumpy().astype(np.float32) for k, p in parameters if p.grad_req != "null"}


def by_mxnet(batch):
    def run(net, side, path):
        stem = f"{path}.mx"
        net.export(stem)
        onnx.export_model(f"{stem}-symbol.json", f"{stem}-0000.params", [(batch, 3, side, side)], np.float32, path)
        for end in ("-symbol.json", "-0000.params"):
            os.remove(stem + end)
    return run


EXPORTERS = {"mx-one": by_mxnet(1), "mx-four": by_mxnet(4)}


def export(folder, label, exporters):
    name, side = MODELS[label]
    net = getattr(vision, name)(classes=CLASSES)
    net.initialize(mx.init.Xavier())
    net.hybridize()
    image = np.random.default_rng(2).standard_normal((4, 3, side, side)).astype(np.float32)
    labels = np.array([1, 2, 3, 5])
    net(mx.nd.array(image))  # settles the shapes
    randomize(net)
    net(mx.nd.array(image))
    state = {k: p.data().asnumpy() for k, p in net.collect_params().items()}
    try_exporters(label, folder, EXPORTERS, exporters, lambda run, path: run(net, side, path))
    found = gradients(net, image, labels)
    save(os.path.join(folder, f"{label}.safetensors"),
         {**state, "image": image, "labels": labels, **{f"grad_eval/{k}": v for k, v in found.items()}})


if __name__ == "__main__":
    main(MODELS, EXPORTERS, export)
