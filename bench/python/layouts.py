"""Random weights in the layouts of other packages, with what those packages compute from them.

  python bench/python/layouts.py OUT     writes OUT/CASE/{weights.*, input.bin, output.bin, case.json}
  python bench/python/layouts.py OUT --pvt CHECKOUT   those of a checkout of the PVT repository too
  TESSERAE_LAYOUTS=OUT npm run verify:layouts   loads each into tesserae and compares (1e-4 of the largest output)

Needs torch, timm, torchvision, transformers, vit-pytorch, numpy.
"""

import json
import pathlib
import sys

import numpy as np
import torch
from torch import nn

OUT = pathlib.Path(sys.argv[1])


def randomize(module, seed=0):
    """Weights and running statistics that no symmetry hides: scales about 1, biases and tables that matter."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, t in module.state_dict().items():
            if not t.is_floating_point() or "relative_" in name and "table" not in name:
                continue
            if name.endswith("running_var"):
                t.copy_(0.5 + torch.rand(t.shape, generator=g))
            elif t.ndim <= 1:
                one = 1.0 if name.endswith("weight") else 0.0
                t.copy_(one + 0.1 * torch.randn(t.shape, generator=g))
            else:
                fan = t[0].numel() if t.ndim != 3 else t.shape[-1]
                t.copy_(torch.randn(t.shape, generator=g) * (0.8 / fan**0.5))
    return module.eval()


def write(name, module, model, options, size, forward=None, state=None):
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        y = (forward or module)(x)
    x.numpy().astype("<f4").tofile(folder / "input.bin")
    y.float().numpy().astype("<f4").tofile(folder / "output.bin")
    if state is None:
        torch.save(module.state_dict(), folder / "weights.pth")
    else:
        np.savez(folder / "weights.npz", **state)
    keys = list(state) if state is not None else list(module.state_dict())
    case = {"model": model, "options": options, "input": list(x.shape), "output": list(y.shape), "keys": keys}
    (folder / "case.json").write_text(json.dumps(case, indent=1))
    print(name, tuple(y.shape), f"{y.abs().mean():.3f}")


def transformers_cases():
    import transformers as hf

    logits = lambda m: (lambda x: m(x).logits)
    vit = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256, image_size=64)
    ours = dict(embed_dim=64, depth=2, num_heads=4, img_size=64, num_classes=7)
    m = randomize(hf.ViTForImageClassification(hf.ViTConfig(**vit, num_labels=7)))
    write("hf-vit", m, "vit_tiny_patch16_224", ours, 64, logits(m))
    m = randomize(hf.DeiTForImageClassificationWithTeacher(hf.DeiTConfig(**vit, num_labels=7)))
    write("hf-deit-distilled", m, "deit_tiny_distilled_patch16_224", ours, 64, logits(m))
    m = randomize(hf.SwinForImageClassification(hf.SwinConfig(
        image_size=64, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=4, num_labels=7)))
    write("hf-swin", m, "swin_tiny_patch4_window7_224",
          dict(img_size=64, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=4, num_classes=7), 64, logits(m))
    m = randomize(hf.Dinov2Model(hf.Dinov2Config(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=4, image_size=56, patch_size=14)))
    write("hf-dinov2", m, "vit_small_patch14_dinov2",
          dict(embed_dim=64, depth=2, num_heads=4, img_size=56), 56, lambda x: m(x).pooler_output)
    for name, kind, widths, target in [
        ("hf-resnet-basic", "basic", [64, 128, 256, 512], "resnet18"),
        ("hf-resnet-bottleneck", "bottleneck", [256, 512, 1024, 2048], "resnet50"),
    ]:
        depths = [2, 2, 2, 2] if kind == "basic" else [3, 4, 6, 3]
        m = randomize(hf.ResNetForImageClassification(hf.ResNetConfig(
            embedding_size=64, hidden_sizes=widths, depths=depths, layer_type=kind, num_labels=7)))
        write(name, m, target, dict(img_size=64, num_classes=7), 64, logits(m))
    m = randomize(hf.PvtForImageClassification(hf.PvtConfig(image_size=64, depths=[1, 2, 1, 1], num_labels=7)))
    write("hf-pvt", m, "pvt_tiny", dict(img_size=64, num_classes=7, depths=[1, 2, 1, 1],
          embed_dims=list(m.config.hidden_sizes)), 64, logits(m))


def torchvision_cases():
    import torchvision.models as tv

    for name, target, size in [
        ("resnet18", "resnet18", 64), ("resnet50", "resnet50", 64),
        ("vgg11", "vgg11", 224), ("vgg11_bn", "vgg11_bn", 224),
        ("mobilenet_v2", "mobilenetv2_100", 64), ("mobilenet_v3_large", "mobilenetv3_large_100", 64),
        ("mobilenet_v3_small", "mobilenetv3_small_100", 64), ("efficientnet_b0", "efficientnet_b0", 64),
    ]:
        m = randomize(getattr(tv, name)(num_classes=7))
        write(f"torchvision-{name}", m, target, dict(num_classes=7, **({} if size == 224 else dict(img_size=size))), size)
    m = randomize(tv.VisionTransformer(image_size=64, patch_size=16, num_layers=2, num_heads=4, hidden_dim=64, mlp_dim=256, num_classes=7))
    write("torchvision-vit", m, "vit_tiny_patch16_224", dict(embed_dim=64, depth=2, num_heads=4, img_size=64, num_classes=7), 64)
    m = randomize(tv.SwinTransformer(patch_size=[4, 4], embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=[4, 4], num_classes=7))
    write("torchvision-swin", m, "swin_tiny_patch4_window7_224",
          dict(img_size=64, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=4, num_classes=7), 64)


def vit_pytorch_case():
    from vit_pytorch import ViT

    m = randomize(ViT(image_size=64, patch_size=16, num_classes=7, dim=64, depth=2, heads=4, dim_head=16, mlp_dim=256))
    write("vit-pytorch", m, "vit_tiny_patch16_224", dict(
        embed_dim=64, depth=2, num_heads=4, img_size=64, num_classes=7, qkv_bias=False, patch_norm=True, norm_eps=1e-5), 64)


class Residual(nn.Module):
    """f(x) + x; the wrapped function has the name the published ConvMixer code gives it."""

    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, x):
        return x + self.fn(x)


def convmixer_case(dim=32, depth=2, kernel=5, patch=4):
    """The published network is one nn.Sequential, so its keys are positions: stem 0-2, then a block each, then the end."""
    act_norm = lambda: [nn.GELU(), nn.BatchNorm2d(dim)]
    layer = lambda: nn.Sequential(
        Residual(nn.Sequential(nn.Conv2d(dim, dim, kernel, groups=dim, padding="same"), *act_norm())),
        nn.Conv2d(dim, dim, 1), *act_norm())
    stem = [nn.Conv2d(3, dim, patch, stride=patch), *act_norm()]
    end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(dim, 7)]
    m = randomize(nn.Sequential(*stem, *[layer() for _ in range(depth)], *end))
    write("convmixer-original", m, "convmixer_1536_20", dict(
        img_size=32, dim=dim, depth=depth, kernel_size=kernel, patch_size=patch, num_classes=7), 32)


def flax_case():
    """google-research's ViT: the arrays under Flax's names, read by timm's own loader for the reference."""
    import timm

    d, heads, layers, g = 64, 4, 2, np.random.default_rng(0)
    r = lambda *s: (g.standard_normal(s) * 0.8 / max(np.prod(s[:-1]), 1) ** 0.5).astype(np.float32)
    norm = lambda p: {f"{p}/scale": 1 + 0.1 * r(d), f"{p}/bias": 0.1 * r(d)}
    w = {"cls": r(1, 1, d), "embedding/kernel": r(16, 16, 3, d), "embedding/bias": r(d),
         "Transformer/posembed_input/pos_embedding": r(1, 17, d), **norm("Transformer/encoder_norm"),
         "head/kernel": r(d, 7), "head/bias": r(7)}
    for i in range(layers):
        b = f"Transformer/encoderblock_{i}"
        w |= norm(f"{b}/LayerNorm_0") | norm(f"{b}/LayerNorm_2")
        for part in ("query", "key", "value"):
            w[f"{b}/MultiHeadDotProductAttention_1/{part}/kernel"] = r(d, heads, d // heads) * 2
            w[f"{b}/MultiHeadDotProductAttention_1/{part}/bias"] = r(heads, d // heads)
        w[f"{b}/MultiHeadDotProductAttention_1/out/kernel"] = r(heads, d // heads, d)
        w[f"{b}/MultiHeadDotProductAttention_1/out/bias"] = r(d)
        w |= {f"{b}/MlpBlock_3/Dense_0/kernel": r(d, 4 * d), f"{b}/MlpBlock_3/Dense_0/bias": r(4 * d),
              f"{b}/MlpBlock_3/Dense_1/kernel": r(4 * d, d), f"{b}/MlpBlock_3/Dense_1/bias": r(d)}
    w = {k: np.asarray(v, np.float32) for k, v in w.items()}
    path = OUT / "flax.npz"
    np.savez(path, **w)
    m = timm.models.vision_transformer.VisionTransformer(img_size=64, embed_dim=d, depth=layers, num_heads=heads, num_classes=7)
    m.load_pretrained(str(path))
    write("google-research-vit", m.eval(), "vit_tiny_patch16_224", dict(
        embed_dim=d, depth=layers, num_heads=heads, img_size=64, num_classes=7), 64, state=w)
    path.unlink()


def pvt_cases(checkout):
    """The authors' own code, whose imports of timm have moved since."""
    import timm.layers
    import timm.models._registry

    sys.modules |= {"timm.models.layers": timm.layers, "timm.models.registry": timm.models._registry}
    sys.path.insert(0, str(pathlib.Path(checkout) / "classification"))
    import pvt
    import pvt_v2

    common = dict(img_size=64, depths=[1, 2, 1, 1], embed_dims=[16, 32, 40, 64], num_classes=7)
    code = dict(common, patch_size=4, num_heads=[1, 2, 5, 8], mlp_ratios=[8, 8, 4, 4], qkv_bias=True, norm_layer=lambda dim: nn.LayerNorm(dim, eps=1e-6))
    m = randomize(pvt.PyramidVisionTransformer(**code))
    write("pvt-repository", m, "pvt_tiny", common, 64)
    m = randomize(pvt_v2.PyramidVisionTransformerV2(**dict(code, patch_size=7)))
    write("pvt-v2-repository", m, "pvt_v2_b0", dict(common, num_heads=[1, 2, 5, 8]), 64)


if __name__ == "__main__":
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    for cases in (transformers_cases, torchvision_cases, vit_pytorch_case, convmixer_case, flax_case):
        cases()
    if "--pvt" in sys.argv:
        pvt_cases(sys.argv[sys.argv.index("--pvt") + 1])
