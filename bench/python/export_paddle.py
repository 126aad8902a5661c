"""PaddlePaddle models as ONNX by paddle2onnx, with what Paddle computes: `npm run verify:imports` reads them.

    python bench/python/export_paddle.py FOLDER [--only NAME,...] [--exporters NAME,...]

Needs paddlepaddle, paddle2onnx. Writes NAME.EXPORTER.onnx, and NAME.safetensors with the state dict, "image", "labels" and
"grad_eval/PARAMETER" (mean cross-entropy in evaluation, in double precision).
"""
import os

import numpy as np
import paddle
import paddle2onnx
from paddle import nn
from paddle.vision import models

from references import main, save, try_exporters

CLASSES = 10


class ViT(nn.Layer):
    """Paddle's own encoder layers behind patches, class token and positions."""

    def __init__(self, side):
        super().__init__()
        self.patches = nn.Conv2D(3, 48, 16, 16)
        self.token = self.create_parameter([1, 1, 48])
        self.positions = self.create_parameter([1, (side // 16) ** 2 + 1, 48])
        layer = nn.TransformerEncoderLayer(48, 3, 96, dropout=0.0, activation="gelu", normalize_before=True)
        self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(48))
        self.head = nn.Linear(48, CLASSES)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose([0, 2, 1])
        x = paddle.concat([self.token.expand([x.shape[0], -1, -1]), x], axis=1) + self.positions
        return self.head(self.encoder(x)[:, 0])


def vision(name, **options):
    return lambda side: getattr(models, name)(pretrained=False, num_classes=CLASSES, **options)


# name -> (model of an image side, side)
MODELS = {
    "alexnet": (vision("alexnet"), 64),
    "resnet18": (vision("resnet18"), 64),
    "resnext50": (vision("resnext50_32x4d"), 64),
    "mobilenet_v1": (vision("mobilenet_v1", scale=0.25), 64),
    "mobilenet_v2": (vision("mobilenet_v2", scale=0.25), 64),
    "mobilenet_v3": (vision("mobilenet_v3_small", scale=0.5), 64),
    "shufflenet": (vision("shufflenet_v2_swish"), 64),
    "squeezenet": (vision("squeezenet1_1"), 64),
    "densenet": (vision("densenet121"), 64),
    "inception": (vision("inception_v3"), 96),
    "vit": (ViT, 64),
}


def make(label):
    build, side = MODELS[label]
    model = build(side)
    model.eval()
    for layer in model.sublayers():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return model, side


def randomize(model):
    g = np.random.default_rng(1)
    state = {}
    for key, t in model.state_dict().items():
        v = t.numpy()
        noise = g.standard_normal(v.shape)
        if key.endswith("_variance"):
            v = 1 + 0.3 * np.abs(noise)
        elif v.ndim < 2 or v.shape[0] == 1:
            v = v + 0.1 * noise
        state[key] = v.astype(np.float32)
    return state


def gradients(label, state, image, labels):
    paddle.set_default_dtype("float64")
    model, _ = make(label)
    model.set_state_dict({k: v.astype(np.float64) for k, v in state.items()})
    loss = nn.functional.cross_entropy(model(paddle.to_tensor(image.astype(np.float64))), paddle.to_tensor(labels))
    loss.backward()
    paddle.set_default_dtype("float32")
    return {k: p.grad.numpy().astype(np.float32) for k, p in model.named_parameters() if p.grad is not None}


def by_paddle(opset, batch):
    def run(model, side, path):
        spec = paddle.static.InputSpec([batch, 3, side, side], "float32", "x")
        stem = f"{path}.paddle"
        paddle.jit.save(model, stem, [spec])
        paddle2onnx.export(f"{stem}.json", f"{stem}.pdiparams", path, opset_version=opset, optimize_tool="none")
        for kind in ("json", "pdiparams"):
            os.remove(f"{stem}.{kind}")
    return run


EXPORTERS = {"p11": by_paddle(11, None), "p17": by_paddle(17, None), "p13-one": by_paddle(13, 1)}


def export(folder, label, exporters):
    model, side = make(label)
    state = randomize(model)
    model.set_state_dict(state)
    image = np.random.default_rng(2).standard_normal((4, 3, side, side)).astype(np.float32)
    labels = np.array([1, 2, 3, 5])
    try_exporters(label, folder, EXPORTERS, exporters, lambda run, path: run(model, side, path))
    found = gradients(label, state, image, labels)
    save(os.path.join(folder, f"{label}.safetensors"),
         {**state, "image": image, "labels": labels, **{f"grad_eval/{k}": v for k, v in found.items()}})


if __name__ == "__main__":
    main(MODELS, EXPORTERS, export)
