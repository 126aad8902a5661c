"""Flax models as ONNX by jax2onnx, with what JAX computes: `npm run verify:imports` reads them.

    python bench/python/export_jax.py FOLDER [--only NAME,...] [--exporters NAME,...]

Needs jax, flax, jax2onnx. Writes NAME.EXPORTER.onnx, and NAME.safetensors with the weights in ONNX's order of axes,
"image" [N, C, H, W], "labels" and "grad_eval/PARAMETER" (mean cross-entropy in evaluation, in double precision).
"""
import os

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax2onnx import to_onnx

from references import main, save, try_exporters

jax.config.update("jax_enable_x64", True)
CLASSES = 10


class Block(nnx.Module):
    def __init__(self, width, out, stride, rngs):
        self.first = nnx.Conv(width, out, (3, 3), stride, use_bias=False, rngs=rngs)
        self.norm1 = nnx.BatchNorm(out, use_running_average=True, rngs=rngs)
        self.second = nnx.Conv(out, out, (3, 3), feature_group_count=out // 8, use_bias=False, rngs=rngs)
        self.norm2 = nnx.BatchNorm(out, use_running_average=True, rngs=rngs)
        self.short = nnx.Conv(width, out, (1, 1), stride, rngs=rngs)

    def __call__(self, x):
        y = jax.nn.relu(self.norm1(self.first(x)))
        return jax.nn.silu(self.norm2(self.second(y)) + self.short(x))


class ResNet(nnx.Module):
    def __init__(self, side, rngs):
        self.stem = nnx.Conv(3, 16, (7, 7), 2, rngs=rngs)
        self.blocks = nnx.List([Block(16, 16, 1, rngs), Block(16, 32, 2, rngs)])
        self.norm = nnx.GroupNorm(32, num_groups=4, rngs=rngs)
        self.head = nnx.Linear(32, CLASSES, rngs=rngs)

    def __call__(self, x):
        x = nnx.max_pool(jax.nn.gelu(self.stem(x)), window_shape=(3, 3), strides=(2, 2), padding="SAME")
        for block in self.blocks:
            x = block(x)
        x = nnx.avg_pool(self.norm(x), window_shape=(2, 2), strides=(2, 2))
        return self.head(x.mean((1, 2)))


class Encoder(nnx.Module):
    def __init__(self, width, rngs):
        self.norm1 = nnx.LayerNorm(width, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(3, width, decode=False, rngs=rngs)
        self.norm2 = nnx.LayerNorm(width, rngs=rngs)
        self.up, self.down = nnx.Linear(width, 96, rngs=rngs), nnx.Linear(96, width, rngs=rngs)

    def __call__(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(jax.nn.gelu(self.up(self.norm2(x)), approximate=False))


class ViT(nnx.Module):
    def __init__(self, side, rngs):
        self.patches = nnx.Conv(3, 48, (16, 16), 16, padding="VALID", rngs=rngs)
        self.token = nnx.Param(jax.random.normal(rngs.params(), (1, 1, 48), jnp.float32))
        self.positions = nnx.Param(jax.random.normal(rngs.params(), (1, (side // 16) ** 2 + 1, 48), jnp.float32))
        self.blocks = nnx.List([Encoder(48, rngs) for _ in range(2)])
        self.norm = nnx.RMSNorm(48, rngs=rngs)
        self.head = nnx.Linear(48, CLASSES, rngs=rngs)

    def __call__(self, x):
        n = x.shape[0]
        x = self.patches(x).reshape(n, -1, 48)
        x = jnp.concatenate([jnp.broadcast_to(self.token[...], (n, 1, 48)), x], 1) + self.positions[...]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


MODELS = {"resnet": (ResNet, 64), "vit": (ViT, 64)}


def randomize(state):
    """All but kernels moved away from zero and one, upwards: variances stay positive."""
    g = np.random.default_rng(1)

    def one(path, t):
        fixed = "kernel" in jax.tree_util.keystr(path) or not jnp.issubdtype(t.dtype, jnp.floating)
        return t if fixed else jnp.asarray(t + 0.1 * np.abs(g.standard_normal(t.shape)), t.dtype)
    return jax.tree_util.tree_map_with_path(one, state)


def in_onnx_order(value):
    """HWIO to OIHW."""
    return value.transpose(3, 2, 0, 1) if value.ndim == 4 else value


def named(state):
    flat = nnx.to_flat_state(state)
    return {".".join(map(str, path)): np.asarray(v[...], np.float32) for path, v in flat}


def gradients(graph, parameters, rest, image, labels):
    double = lambda tree: jax.tree.map(lambda t: t.astype(jnp.float64) if t.dtype == jnp.float32 else t, tree)

    def loss(p):
        scores = jax.nn.log_softmax(nnx.merge(graph, p, double(rest))(jnp.asarray(image, jnp.float64)))
        return -scores[jnp.arange(len(labels)), labels].mean()
    return named(jax.grad(loss)(double(parameters)))


def by_jax2onnx(opset, batch, **options):
    def run(model, side, path):
        to_onnx(lambda x: model(x), [(batch, side, side, 3)], opset=opset, return_mode="file", output_path=path, **options)
    return run


EXPORTERS = {
    "j23": by_jax2onnx(23, "B"),
    "j21-plain": by_jax2onnx(21, "B", normalization_mode="force_decomposed"),
    "j23-nchw": by_jax2onnx(23, "B", inputs_as_nchw=[0]),
    "j23-one": by_jax2onnx(23, 1),
}


def export(folder, label, exporters):
    build, side = MODELS[label]
    model = build(side, nnx.Rngs(0))
    graph, parameters, rest = nnx.split(model, nnx.Param, ...)
    parameters, rest = randomize(parameters), randomize(rest)
    model = nnx.merge(graph, parameters, rest)
    image = np.random.default_rng(2).standard_normal((4, side, side, 3)).astype(np.float32)
    labels = np.array([1, 2, 3, 5])
    found = gradients(graph, parameters, rest, image, labels)
    save(os.path.join(folder, f"{label}.safetensors"), {
        **{k: in_onnx_order(v) for k, v in named(parameters).items()},
        **{f"grad_eval/{k}": in_onnx_order(v) for k, v in found.items()},
        "image": image.transpose(0, 3, 1, 2), "labels": labels})
    jax.config.update("jax_enable_x64", False)
    try_exporters(label, folder, EXPORTERS, exporters, lambda run, path: run(model, side, path))
    jax.config.update("jax_enable_x64", True)


if __name__ == "__main__":
    main(MODELS, EXPORTERS, export)
