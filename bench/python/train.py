"""A training run of PyTorch with timm's parts, from the flags of `tesserae train`: train.py DATA --config FLAGS.json
--output RUN. It leaves what an experiment reads of a run folder (config.json, summary.csv, usage/), keeps a checkpoint
after every epoch, and goes on from it; a run that has ended stays as it is, wherever it was made. A flag that it does not
know is an error: both sides do the same or nothing."""
import argparse
import json
import os
import platform
import random
import resource
import sys
import time
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD, create_transform
from timm.models.convmixer import ConvMixer
from timm.optim import create_optimizer_v2
from torch.utils.data import DataLoader, Subset
from torchvision.datasets import ImageFolder

#: Flags with tesserae's defaults; None: must be given.
DEFAULTS = {
    "model": "convmixer", "model-kwargs": None, "img-size": 32, "epochs": None, "batch-size": 32, "lr": None,
    "opt": "adamw", "opt-eps": 1e-8, "weight-decay": 0.05, "sched": "onecycle", "warmup-epochs": None, "clip-grad": 1.0,
    "smoothing": 0.1, "scale": [0.08, 1], "ratio": [3 / 4, 4 / 3], "hflip": 0.5, "aa": None, "reprob": 0.0,
    "train-interpolation": "bilinear", "crop-pct": 1.0, "train-fraction": 1.0, "seed": 42, "threads": None,
    "val-interval": 1, "workers": 1,
}  # fmt: skip


def settings_of(path):
    given = json.loads(Path(path).read_text())
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise SystemExit(f"error: no such flags here: {', '.join(unknown)}")
    s = {**DEFAULTS, **given}
    for name, only in {"model": "convmixer", "opt": "adamw", "sched": "onecycle"}.items():
        if s[name] != only:
            raise SystemExit(f"error: {name} {s[name]}: only {only} is built here")
    return s


def build(s, classes):
    k = {"dim": 256, "depth": 8, "kernel_size": 5, "patch_size": 2, **(s["model-kwargs"] or {})}
    model = ConvMixer(k["dim"], k["depth"], kernel_size=k["kernel_size"], patch_size=k["patch_size"], num_classes=classes)
    return model, k


def images(data, s):
    common = dict(input_size=s["img-size"], mean=IMAGENET_DEFAULT_MEAN, std=IMAGENET_DEFAULT_STD)
    training = create_transform(
        **common, is_training=True, scale=tuple(s["scale"]), ratio=tuple(s["ratio"]), hflip=s["hflip"],
        auto_augment=s["aa"], color_jitter=0, re_prob=s["reprob"], interpolation=s["train-interpolation"],
    )  # fmt: skip
    evaluation = create_transform(**common, is_training=False, crop_pct=s["crop-pct"], interpolation="bicubic")
    train, test = ImageFolder(f"{data}/train", training), ImageFolder(f"{data}/test", evaluation)
    part = part_of(train.targets, s["train-fraction"], s["seed"])
    return (train if part is None else Subset(train, part)), test


def part_of(targets, fraction, seed):
    """The same part of every class, chosen by the seed; not the images that tesserae chooses."""
    if fraction == 1:
        return None
    chosen = np.random.default_rng(seed)
    targets = np.array(targets)
    kept = []
    for label in range(targets.max() + 1):
        members = np.flatnonzero(targets == label)
        kept += chosen.permutation(members)[: max(1, round(len(members) * fraction))].tolist()
    return sorted(kept)


@torch.no_grad()
def evaluate(model, loader, device):
    model.eval()
    top1 = top5 = loss = count = 0
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        logits = model(x)
        best = logits.topk(5).indices
        top1 += (best[:, 0] == y).sum().item()
        top5 += (best == y[:, None]).any(1).sum().item()
        loss += F.cross_entropy(logits, y, reduction="sum").item()
        count += len(y)
    model.train()
    return loss / count, 100 * top1 / count, 100 * top5 / count


class Usage:
    """What this process takes, written over and over, as the experiment's own child does."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{time.time_ns()}.json"
        self.start = time.monotonic()

    def note(self):
        own, data = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = sum(u.ru_utime + u.ru_stime for u in (own, data))
        peak = (own.ru_maxrss + data.ru_maxrss) / 1024
        write(self.path, {"seconds": time.monotonic() - self.start, "cpuSeconds": cpu, "peakMemoryMiB": peak})


def name_of(device):
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def write(path, value):
    part = path.with_suffix(".part")
    part.write_text(value if isinstance(value, str) else json.dumps(value))
    os.replace(part, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--config", required=True)
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--device", default="cpu", help="of PyTorch; float32 everywhere (default: cpu)")
    parser.add_argument("--workers", type=int, help="processes that prepare images (default: as in FLAGS.json)")
    args = parser.parse_args()
    if (args.output / "config.json").exists():
        return
    s = settings_of(args.config)
    device, workers = torch.device(args.device), args.workers or s["workers"]
    torch.backends.cudnn.allow_tf32 = False  # of matrix products, off by default
    args.output.mkdir(parents=True, exist_ok=True)
    usage = Usage(args.output / "usage")
    if s["threads"]:
        torch.set_num_threads(s["threads"])
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(s["seed"])
    train, test = images(args.data, s)
    classes = test.classes
    # A worker for each epoch anew, so that its processor time is counted when it ends.
    loader = DataLoader(train, s["batch-size"], shuffle=True, drop_last=True, num_workers=workers)
    model, kwargs = build(s, len(classes))
    model = model.to(device, memory_format=torch.channels_last)  # contiguous images take twice the time
    optimizer = create_optimizer_v2(model, "adamw", lr=s["lr"], weight_decay=s["weight-decay"], eps=s["opt-eps"])
    warmup = s["warmup-epochs"] if s["warmup-epochs"] is not None else 0.3 * s["epochs"]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, s["lr"], total_steps=s["epochs"] * len(loader), pct_start=warmup / s["epochs"], cycle_momentum=False
    )
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    checkpoint, rows = args.output / "checkpoint.pt", []
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=False)
        for name, part in parts.items():
            part.load_state_dict(saved[name])
        rows = saved["rows"]
        torch.set_rng_state(saved["torch"])
        np.random.set_state(saved["numpy"])
        random.setstate(saved["random"])
    parent = os.getppid()
    clip = 0 if s["clip-grad"] == "off" else s["clip-grad"]
    for epoch in range(len(rows), s["epochs"]):
        total = 0.0
        for step, (x, y) in enumerate(loader):
            x, y = x.to(device, memory_format=torch.channels_last), y.to(device)
            loss = F.cross_entropy(model(x), y, label_smoothing=s["smoothing"])
            optimizer.zero_grad()
            loss.backward()
            if clip:
                torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            rate = schedule.get_last_lr()[0]
            optimizer.step()
            schedule.step()
            total += loss.item()
            if os.getppid() != parent:  # nobody waits for the result; the epoch's checkpoint is kept
                sys.exit("error: the experiment has ended")
            if step % 50 == 0:
                print(f"epoch {epoch + 1}/{s['epochs']}  batch {step}/{len(loader)}  loss {loss.item():.4f}", file=sys.stderr)
        usage.note()
        last = epoch + 1 == s["epochs"]
        due = last or (epoch + 1) % s["val-interval"] == 0
        measures = evaluate(model, DataLoader(test, 100, num_workers=workers), device) if due else ("", "", "")
        rows.append((epoch, total / len(loader), *measures, rate))
        states = {name: part.state_dict() for name, part in parts.items()}
        states.update(rows=rows, torch=torch.get_rng_state(), numpy=np.random.get_state(), random=random.getstate())
        torch.save(states, checkpoint.with_suffix(".part"))
        os.replace(checkpoint.with_suffix(".part"), checkpoint)
    header = "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr"
    write(args.output / "summary.csv", "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    options = {**kwargs, "img_size": s["img-size"], "num_classes": len(classes)}
    preprocessing = {"mean": IMAGENET_DEFAULT_MEAN, "std": IMAGENET_DEFAULT_STD, "interpolation": "bicubic", "crop_pct": s["crop-pct"]}
    spec = {"name": "convmixer", "options": options, "classes": classes, "preprocessing": preprocessing}
    versions = {"python": platform.python_version(), "torch": torch.__version__, "timm": timm.__version__}
    usage.note()
    write(args.output / "config.json", {
        "settings": s, "images": {"train": len(train), "val": len(test)}, "versions": versions, "device": name_of(device),
        "processors": os.cpu_count(), "spec": {**spec, "inputShape": [3, s["img-size"], s["img-size"]]},
    })  # fmt: skip


if __name__ == "__main__":
    main()
