"""What timm and PyTorch make of small recipes: the expectations of src/optim/*.test.ts and src/models/layer-groups.test.ts.

    python bench/python/recipe_expectations.py FOLDER

writes schedule.json, optimizers.json and layer-groups.json there.
"""
import json
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

import timm
import torch
from timm.optim import create_optimizer_v2
from timm.optim import muon
from timm.optim._param_groups import param_groups_layer_decay
from timm.scheduler import create_scheduler_v2
from timm.utils.clip_grad import dispatch_clip_grad

SOURCE = f"torch {version('torch')}, timm {version('timm')}"

UPDATES = 7  # of an epoch
SCHEDULES = [
    dict(sched="cosine", num_epochs=12, min_lr=1e-3),
    dict(sched="cosine", num_epochs=10, warmup_epochs=3, warmup_lr=1e-2, min_lr=1e-3, cooldown_epochs=2),
    dict(sched="cosine", num_epochs=10, warmup_epochs=3, warmup_lr=1e-2, warmup_prefix=True, k_decay=1.5, cooldown_epochs=1),
    dict(sched="poly", num_epochs=10, warmup_epochs=2, warmup_lr=1e-2, min_lr=1e-3, decay_rate=0.5),
    dict(sched="poly", num_epochs=8, warmup_epochs=2, warmup_lr=1e-2, warmup_prefix=True, decay_rate=2, k_decay=2),
    dict(sched="poly", num_epochs=9, warmup_epochs=1, warmup_lr=1e-2, min_lr=1e-3, decay_rate=1, cooldown_epochs=2),
    dict(sched="step", num_epochs=10, warmup_epochs=2, warmup_lr=1e-2, decay_epochs=3, decay_rate=0.3),
    dict(sched="step", num_epochs=10, warmup_epochs=2, warmup_lr=1e-2, warmup_prefix=True, decay_epochs=2.5, decay_rate=0.3),
    dict(sched="multistep", num_epochs=12, warmup_epochs=2, warmup_lr=1e-2, decay_milestones=[4, 9], decay_rate=0.2),
    dict(sched="constant", num_epochs=5, warmup_epochs=2, warmup_lr=1e-2),
]
LR = 0.5


def rates(kwargs, on_epochs):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler, epochs = create_scheduler_v2(optimizer, **kwargs, step_on_epochs=on_epochs, updates_per_epoch=UPDATES)
    out, updates = [], 0
    for epoch in range(epochs):
        for _ in range(UPDATES):
            out.append(optimizer.param_groups[0]["lr"])
            updates += 1
            scheduler.step_update(updates)
        scheduler.step(epoch + 1)
    return dict(kwargs, on_epochs=on_epochs, epochs=epochs, rates=out[::UPDATES] if on_epochs else out)


def one_cycle(epochs, warmup):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    total = epochs * UPDATES
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total_steps=total, pct_start=warmup / epochs, cycle_momentum=False)
    out = []
    for _ in range(total):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return dict(sched="onecycle", num_epochs=epochs, warmup_epochs=warmup, on_epochs=False, epochs=epochs, rates=out)


def schedules():
    runs = [rates(kwargs, on_epochs) for kwargs in SCHEDULES for on_epochs in (False, True)]
    return dict(source=SOURCE, lr=LR, updates=UPDATES, runs=[*runs, one_cycle(10, 3), one_cycle(4, 1)])


# Weights cos(0.8 i + k) of parameter k; gradients sin(1.7 i + 0.9 t^2 + k) + w / 2 at step t.
SHAPES = {"weight": [6, 8], "wide": [4, 12], "kernel": [6, 2, 3, 3], "depthwise": [6, 1, 3, 3], "bias": [5]}
STEPS = 24
BASE = dict(lr=0.02, weight_decay=0.1)
OPTIMIZERS = [
    dict(opt="adamw", **BASE),
    dict(opt="adamw", **BASE, eps=1e-3, betas=(0.8, 0.95)),
    dict(opt="nadamw", **BASE),
    dict(opt="adam", **BASE),
    dict(opt="sgd", **BASE, momentum=0.9),
    dict(opt="momentum", **BASE, momentum=0.8),
    dict(opt="lamb", **BASE, max_grad_norm=None),
    dict(opt="lamb", **BASE, max_grad_norm=None, eps=1e-2, betas=(0.8, 0.95)),
    dict(opt="lion", **BASE),
    dict(opt="lion", **BASE, betas=(0.8, 0.95)),
    dict(opt="muon", **BASE, momentum=0.95),
    dict(opt="nmuon", **BASE, momentum=0.9),
]
CLIPS = [("norm", 1.0), ("value", 0.3), ("agc", 0.05)]


def problem():
    out = {}
    for k, (name, shape) in enumerate(SHAPES.items()):
        i = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
        out[name] = torch.nn.Parameter(torch.cos(0.8 * i + k).reshape(shape))
    return torch.nn.ParameterDict(out)


def gradients(parameters, t):
    for k, w in enumerate(parameters[name] for name in SHAPES):
        i = torch.arange(w.numel(), dtype=torch.float64).reshape(w.shape)
        w.grad = torch.sin(1.7 * i + 0.9 * t * t + k) + w.detach() / 2


def trajectory(kwargs, clip=None):
    parameters = problem()
    # timm iterates in bfloat16 where it may; here in doubles.
    exact = partial(muon.zeropower_via_newtonschulz, dtype=torch.float64)
    with patch.object(muon, "zeropower_via_newtonschulz", exact):
        optimizer = create_optimizer_v2(parameters, **kwargs)
        for t in range(STEPS):
            gradients(parameters, t)
            if clip:
                dispatch_clip_grad(list(parameters.values()), clip[1], clip[0])
            optimizer.step()
    return {name: parameters[name].detach().flatten().tolist()[:12] for name in SHAPES}


def optimizers():
    runs = [dict(kwargs, end=trajectory(kwargs)) for kwargs in OPTIMIZERS]
    clipped = [
        dict(OPTIMIZERS[4], clip_mode=mode, clip_grad=value, end=trajectory(OPTIMIZERS[4], (mode, value)))
        for mode, value in CLIPS
    ]
    return dict(source=SOURCE, shapes=SHAPES, steps=STEPS, runs=runs + clipped)


MODELS = [
    "vit_tiny_patch16_224",
    "deit_tiny_distilled_patch16_224",
    "mixer_s32_224",
    "convmixer_768_32",
    "resnet18",
    "vgg11_bn",
    "swin_tiny_patch4_window7_224",
    "pvt_v2_b0",
    "efficientnet_b0",
    "mobilenetv3_small_100",
    "maxvit_nano_rw_256",
]


def layers(name):
    """Layers from the head (0) down, of every parameter in order, as runs [layer, how many]."""
    model = timm.create_model(name)
    groups = param_groups_layer_decay(model, layer_decay=0.5)
    below = {id(p): -torch.log2(torch.tensor(group["lr_scale"])).round().int().item() for group in groups for p in group["params"]}
    runs = []
    for p in model.parameters():
        if runs and runs[-1][0] == below[id(p)]:
            runs[-1][1] += 1
        else:
            runs.append([below[id(p)], 1])
    return runs


def main():
    folder = Path(sys.argv[1])
    write = lambda name, value: (folder / name).write_text(json.dumps(value) + "\n")
    write("schedule.json", schedules())
    write("optimizers.json", optimizers())
    write("layer-groups.json", dict(source=SOURCE, models={name: layers(name) for name in MODELS}))


main()
