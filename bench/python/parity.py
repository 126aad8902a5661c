"""The parity rule (src/verify/parity.ts): the same weights, pixels and labels on both sides."""
import numpy as np
import torch


def fnv1a(name):
    h = 0x811C9DC5
    for byte in name.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def u(name, count):
    """float64 in [-1, 1): a hash of the name and the position."""
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(fnv1a(name))
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float64) / 8388608 - 1


def tensor(name, like):
    if not like.dtype.is_floating_point:
        return torch.zeros_like(like)
    values = u(name, like.numel())
    if like.dim() >= 2:
        values = np.sqrt(3) / np.sqrt(np.prod(like.shape[1:])) * values
    elif name.endswith("running_var"):
        values = 1 + 0.5 * np.abs(values)
    elif name.endswith(("running_mean", "bias")):
        values = 0.1 * values
    else:
        values = 1 + 0.1 * values
    return torch.from_numpy(values.astype(np.float32)).reshape(like.shape)


def fill(model):
    model.load_state_dict({name: tensor(name, value) for name, value in model.state_dict().items()})
    return model


def pixels(shape):
    """uint8: the top byte of the low 32 bits of i * 2654435761."""
    i = np.arange(int(np.prod(shape)), dtype=np.uint32)
    return torch.from_numpy(((i * np.uint32(0x9E3779B1)) >> np.uint32(24)).astype(np.uint8)).reshape(shape)


def labels(batch, classes):
    return torch.arange(batch) * 7 % classes
