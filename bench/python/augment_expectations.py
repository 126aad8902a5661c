"""What Pillow, timm and torchvision make of small drawn images: the expectations of src/data/policy/pillow.test.ts.

    python bench/python/augment_expectations.py > src/data/policy/pillow.json
"""
import base64
import hashlib
import json
import sys
from importlib.metadata import version
from unittest.mock import patch

import numpy as np
import PIL
import timm
from PIL import Image
from timm.data import auto_augment as aa
from torchvision.transforms import functional as F

FILL = (124, 116, 104)
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
# [height, width] of each: photograph-like sizes, odd ones, and ones at which every pixel is an edge.
SIZES = [[96, 128], [47, 33], [5, 7], [2, 3], [1, 1]]


def drawn(kind, height, width):
    """The same as `drawn` of pillow.test.ts: smooth waves, coarse noise, few dark values."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    if kind == "smooth":
        v = 40 + 8 * c + ((x * (3 + c)) >> 1) % 97 + (y * (5 - c)) % 83
    elif kind == "noise":
        v = ((x * 73 + y * 151 + c * 199 + x * y * 37 + (x * x + c) * (y * y + 11) * 5) >> 2) & 255
    else:
        v = 60 + 5 * ((x + y * 2 + c) % 4)
    return Image.fromarray(v.astype(np.uint8))


def digest(image):
    planar = np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))
    return hashlib.sha256(planar.tobytes()).hexdigest()[:8]


def posterize(image, bits):
    """No bits or less: black, as in Pillow until it refused them."""
    return image.point([0] * 768) if bits <= 0 else aa.posterize(image, bits)


ARGUMENTS = {
    "AutoContrast": [0],
    "Equalize": [0],
    "Invert": [0],
    "Posterize": [-1, 0, 1, 3, 4, 7, 8],
    "Solarize": [0, 1, 100, 128, 255, 256],
    "SolarizeAdd": [0, 1, 55, 110, 128],
    "Color": [0.1, 0.37, 0.5, 1.0, 1.33, 1.9],
    "Contrast": [0.1, 0.37, 0.5, 1.0, 1.33, 1.9],
    "Brightness": [0.1, 0.37, 0.5, 1.0, 1.33, 1.9],
    "Sharpness": [0.1, 0.37, 0.5, 1.0, 1.33, 1.9],
    "Desaturate": [0.5, 0.73, 1.0],
    "GaussianBlur": [0.1, 0.35, 0.8, 1.25, 2.0, 5.5],
    "Rotate": [-30.0, -13.7, -0.01, 0.0, 8.123, 27.0, 90.0, 180.0, 200.5],
    "ShearX": [-0.3, -0.071, 0.0, 0.11, 0.27],
    "ShearY": [-0.3, -0.071, 0.0, 0.11, 0.27],
    "TranslateX": [-100.8, -0.4, 0.0, 3.0, 14.25],
    "TranslateY": [-100.8, -0.4, 0.0, 3.0, 14.25],
    "TranslateXRel": [-0.45, -0.013, 0.2, 0.4051],
    "TranslateYRel": [-0.45, -0.013, 0.2, 0.4051],
}
HUES = [-0.5, -0.1, 0.05, 0.3, 0.5]
GEOMETRIC = ("Rotate", "Shear", "Translate")


def operation(name, image, argument, resample):
    if name in ("AutoContrast", "Equalize", "Invert"):
        return aa.NAME_TO_OP[name](image)
    if name == "Posterize":
        return posterize(image, argument)
    moved = dict(fillcolor=FILL, resample=resample) if name.startswith(GEOMETRIC) else {}
    return aa.NAME_TO_OP[name](image, argument, **moved)


def digests(image):
    """"Operation" or "Operation filter" -> a digest for each of the operation's arguments, in one string."""
    found = {}
    for name, arguments in ARGUMENTS.items():
        for filter_name, resample in FILTERS.items():
            if filter_name == "bicubic" or name.startswith(GEOMETRIC):
                outs = [digest(operation(name, image, argument, resample)) for argument in arguments]
                found[f"{name} {filter_name}"] = " ".join(outs)
    found["hue"] = " ".join(digest(F.adjust_hue(image, h)) for h in HUES)
    return found


def levels():
    """Operation -> [[level, argument with +, argument with -]...] with timm's defaults of translation."""
    hparams = dict(translate_const=100, translate_pct=0.45)
    found = {}
    for name, function in aa.LEVEL_TO_ARG.items():
        if function is None:
            continue
        rows = []
        for level in [m / 4 for m in range(0, 41)] + [11.5, 15, 20, 30]:
            with patch.object(aa.random, "random", lambda: 0.25):
                plus = function(level, hparams)[0]
            with patch.object(aa.random, "random", lambda: 0.75):
                minus = function(level, hparams)[0]
            rows.append([level, plus, minus])
        found[name] = rows
    return found


def plans():
    def op(o):
        return [o.name, o.prob, o.magnitude]

    policies = {n: [[op(o) for o in sub] for sub in aa.auto_augment_policy(n)] for n in ("original", "originalr", "v0", "v0r", "3a")}
    rand = {}
    for text in ["rand", "rand-m9-mstd0.5-inc1", "rand-m7-n3-p0.8-mmax20", "rand-tweights-mstd101", "rand-t3aw-n4", "rand-t3a-m5-inc1"]:
        t = aa.rand_augment_transform(text)
        weights = None if t.choice_weights is None else [float(w) for w in t.choice_weights]
        o = t.ops[0]
        std = "uniform" if o.magnitude_std == float("inf") else o.magnitude_std
        rand[text] = dict(ops=[p.name for p in t.ops], weights=weights, n=t.num_layers, p=o.prob, m=o.magnitude, std=std, max=o.magnitude_max or 10)
    mix = {}
    for text in ["augmix", "augmix-m5-w4-d2", "augmix-m5-a0.5-b1-mstd1.5"]:
        t = aa.augment_and_mix_transform(text)
        o = t.ops[0]
        std = "uniform" if o.magnitude_std == float("inf") else o.magnitude_std
        mix[text] = dict(ops=[p.name for p in t.ops], alpha=t.alpha, width=t.width, depth=t.depth, blended=t.blended, m=o.magnitude, std=std)
    return dict(policies=policies, rand=rand, mix=mix)


def blurred(sigma):
    out = np.asarray(F.gaussian_blur(drawn("noise", 20, 24), [23, 23], [sigma, sigma])).transpose(2, 0, 1)
    return base64.b64encode(np.ascontiguousarray(out).tobytes()).decode()


def mixed():
    """AugMix of the inverted and the solarized image, with given weights."""
    image = drawn("noise", 47, 33)
    mix = aa.AugMixAugment([lambda i: aa.invert(i)], depth=1, width=2)
    ops = iter([[aa.invert], [lambda i: aa.solarize(i, 100)]])
    with patch.object(aa.np.random, "choice", lambda *_, **__: next(ops)):
        return digest(mix._apply_basic(image, np.float32([0.3, 0.7]), np.float32(0.4)))


def main():
    images = []
    for kind in ("smooth", "noise", "few"):
        for height, width in SIZES:
            image = drawn(kind, height, width)
            images.append(dict(kind=kind, height=height, width=width, digest=digest(image), digests=digests(image)))
    packages = {"pillow": PIL.__version__, "timm": timm.__version__, "torchvision": version("torchvision")}
    blurs = [[s, blurred(s)] for s in (0.1, 0.7, 2.0)]
    found = dict(packages=packages, fill=FILL, arguments=ARGUMENTS, hues=HUES, images=images, levels=levels(), **plans(), blurs=blurs, mixed=mixed())
    json.dump(found, sys.stdout, separators=(",", ":"))


main()
