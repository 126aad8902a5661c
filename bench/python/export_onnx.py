"""timm models as ONNX by both exporters of torch, with what they compute: `npm run verify:imports` reads them.

    python bench/python/export_onnx.py FOLDER [--only NAME,...]

Writes NAME.EXPORTER.onnx, and NAME.safetensors with the state dict, "image", "labels", "logits" (evaluation) and
"grad/PARAMETER" (mean cross-entropy of the labels in training mode, in double precision; "grad_eval/": in evaluation).
"""
import os
import warnings

import timm
import torch

from references import main, save, try_exporters

warnings.filterwarnings("ignore")

# name -> (timm name or class, image side, options)
MODELS = {
    "vit": ("vit_tiny_patch16_224", 64, dict(img_size=64, depth=4)),
    "resnet18": ("resnet18", 64, {}),
    "convmixer": (timm.models.convmixer.ConvMixer, 56, dict(dim=48, depth=3, kernel_size=7, patch_size=7)),
    "efficientnet_b0": ("efficientnet_b0", 64, {}),
    "mobilenetv3": ("mobilenetv3_small_100", 64, {}),
    "swin": ("swin_tiny_patch4_window7_224", 64,
             dict(img_size=64, window_size=4, embed_dim=32, depths=(2, 2, 2), num_heads=(2, 4, 8))),
    "pvt_v2_b0": ("pvt_v2_b0", 64, {}),
    "maxvit": ("maxvit_rmlp_pico_rw_256", 64, dict(img_size=64)),
    "convnext": ("convnext_atto", 64, {}),
    "mixer": (timm.models.mlp_mixer.MlpMixer, 64, dict(img_size=64, patch_size=16, num_blocks=2, embed_dim=96)),
    "deit_distilled": ("deit_tiny_distilled_patch16_224", 64, dict(img_size=64, depth=2)),
    "resnetv2": (timm.models.resnetv2.ResNetV2, 64, dict(layers=(1, 1, 1, 1), stem_type="fixed")),
    "swinv2": ("swinv2_tiny_window8_256", 64,
               dict(img_size=64, window_size=4, embed_dim=32, depths=(2, 2), num_heads=(2, 4))),
    "densenet": ("densenet121", 64, dict(block_config=(2, 2, 2, 2))),
    "siglip": ("vit_base_patch16_siglip_224", 64,
               dict(img_size=64, embed_dim=96, depth=2, num_heads=3, num_classes=1000)),
    "mobilevit": ("mobilevit_xxs", 64, {}),
    "eva": ("eva02_tiny_patch14_224", 56, dict(img_size=56, depth=2, num_classes=1000)),
    "levit": ("levit_128s", 64, dict(img_size=64)),
    "regnet": ("regnety_002", 64, {}),
    "hgnet": ("hgnetv2_b0", 64, {}),
}


def make(name, options):
    model = timm.create_model(name, **options) if isinstance(name, str) else name(**options)
    for module in model.modules():  # nothing random: the same function in both libraries
        for rate in ("p", "drop_prob"):
            if isinstance(getattr(module, rate, None), float):
                setattr(module, rate, 0.0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for key, t in model.state_dict().items():
            if not t.dtype.is_floating_point or "attn_mask" in key or "relative_coords" in key or "rope" in key:
                continue
            noise = torch.randn(t.shape, generator=generator)
            if key.endswith("running_var"):
                t.copy_(1 + 0.3 * noise.abs())
            elif t.dim() < 2 or t.shape[0] == 1 or key.endswith(("gamma", "table", "biases", "logit_scale")):
                t.add_(0.1 * noise)
    return model


def gradients(model, image, labels, training):
    model = model.double().train(training)
    model.zero_grad()
    state = {k: v.clone() for k, v in model.state_dict().items()}
    loss = torch.nn.functional.cross_entropy(logits_of(model(image.double())), labels)
    loss.backward()
    found = {k: p.grad.float() for k, p in model.named_parameters() if p.grad is not None}
    model.load_state_dict(state)
    model.float().eval()
    return found


def logits_of(out):
    return (out[0] + out[1]) / 2 if isinstance(out, tuple) else out


def export(folder, label, exporters):
    name, side, options = MODELS[label]
    model = make(name, options).eval()
    generator = torch.Generator().manual_seed(2)
    image = torch.randn((4, 3, side, side), generator=generator)
    labels = torch.tensor([1, 2, 3, 5])
    with torch.no_grad():
        logits = model(image)
    tensors = {k: v for k, v in model.state_dict().items()}
    found = {
        **tensors, "image": image, "labels": labels, "logits": logits,
        **{f"grad/{k}": g for k, g in gradients(model, image, labels, True).items()},
        **{f"grad_eval/{k}": g for k, g in gradients(model, image, labels, False).items()}}
    save(os.path.join(folder, f"{label}.safetensors"), {k: t.detach().cpu().numpy() for k, t in found.items()})
    try_exporters(label, folder, EXPORTERS, exporters, lambda run, path: run(model, image, path))


def script(opset, batch, fold=True):
    def run(model, image, path):
        for module in model.modules():  # an operator that older opsets do not know
            if hasattr(module, "fused_attn"):
                module.fused_attn = opset >= 14
        free = {"input": {0: "batch"}} if batch is None else None
        torch.onnx.export(model, (image if batch is None else image[:batch],), path, dynamo=False, opset_version=opset,
                          input_names=["input"], output_names=["output"], dynamic_axes=free,
                          do_constant_folding=fold)
    return run


def dynamo(opset, batch):
    def run(model, image, path):
        free = ({0: torch.export.Dim("batch", min=2)},) if batch is None else None
        torch.onnx.export(model, (image if batch is None else image[:batch],), path, dynamo=True, opset_version=opset,
                          dynamic_shapes=free, external_data=False, verbose=False)
    return run


def keep_norms(model, image, path):
    """Training mode preserved: the norms stay apart from the convolutions."""
    torch.onnx.export(model, (image,), path, dynamo=False, opset_version=14, dynamic_axes={"input": {0: "n"}},
                      input_names=["input"], training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)


EXPORTERS = {
    "script17": script(17, None),
    "script11-one": script(11, 1),
    "norms14": keep_norms,
    "dynamo18": dynamo(18, None),
    "dynamo20-one": dynamo(20, 1),
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    main(MODELS, EXPORTERS, export)
