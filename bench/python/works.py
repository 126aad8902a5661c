"""The same work as bench/work.ts, in PyTorch with timm at its best: fused AdamW, foreach clipping, inference mode."""
import importlib
import os
import tempfile
import time

import timm
import torch
import torch.nn.functional as F
from timm.layers import set_exportable
from timm.optim import param_groups_weight_decay

import parity

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def open_work(spec, variant, layout=None):
    """A work and a word on how it is done. Without a layout, both are tried and the faster one is kept."""
    torch.set_num_threads(spec.get("threads", 1))
    if spec["kind"] == "data":
        from data import DataWork

        return DataWork(spec), "Pillow"
    if variant == "timm-onnx":
        return OnnxInference(spec), "timm's model, torch.onnx.export"
    make = Training if spec["kind"] == "train" else Inference
    chosen = layout or faster_layout(make, spec)
    return make(spec, LAYOUTS[chosen], compile=variant == "compile"), chosen


def faster_layout(make, spec):
    works = {name: make(spec, form) for name, form in LAYOUTS.items()}
    best = dict.fromkeys(works, float("inf"))
    for attempt in range(4):
        for name, work in works.items():
            started = time.perf_counter()
            work.step()
            if attempt > 0:
                best[name] = min(best[name], time.perf_counter() - started)
    return min(best, key=best.get)


def versions():
    found = {"torch": torch.__version__, "timm": timm.__version__}
    try:
        import onnxruntime

        found["onnxruntime"] = onnxruntime.__version__
    except ImportError:
        pass
    return found


def create(spec):
    if "peerClass" in spec:
        module, name = spec["peerClass"].rsplit(".", 1)
        return parity.fill(getattr(importlib.import_module(module), name)(**spec["options"]))
    return parity.fill(timm.create_model(spec["model"], pretrained=False, **spec["options"]))


class Work:
    def __init__(self, spec):
        self.shape = [spec["batch"], *spec["inputShape"]]
        self.pixels = parity.pixels(self.shape)
        self.labels = parity.labels(spec["batch"], spec["numClasses"])
        per_channel = lambda values: torch.tensor(values).view(1, -1, 1, 1)
        # (x / 255 - mean) / std on bytes, as timm's loader does it
        self.mean = 255 * per_channel(spec["mean"])
        self.std = 255 * per_channel(spec["std"])

    def normalized(self):
        return self.pixels.float().sub_(self.mean).div_(self.std)


def freeze_body(model):
    """All but the classifier stays as it is; batch norms normalise by their running statistics."""
    model.eval().requires_grad_(False)
    model.get_classifier().requires_grad_(True)


class Training(Work):
    """Bytes in, as ours: normalise, forward, loss, backward, clip, update."""

    def __init__(self, spec, form, compile=False):
        super().__init__(spec)
        self.pixels = self.pixels.contiguous(memory_format=form)
        self.t = spec["training"]
        model = create(spec).to(memory_format=form).train()
        if spec.get("frozen"):
            freeze_body(model)
        groups = param_groups_weight_decay(
            model, self.t["weightDecay"], no_weight_decay_list=getattr(model, "no_weight_decay", set)()
        )
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(groups, lr=self.t["lr"], fused=True)
        self.target = F.one_hot(self.labels, spec["numClasses"]).float()
        self.model = torch.compile(model) if compile else model

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.model(self.normalized()), self.target, label_smoothing=self.t["smoothing"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.t["clipGrad"], foreach=True)
        self.optimizer.step()
        return loss.item()


class Inference(Work):
    """Normalised images in, logits out."""

    def __init__(self, spec, form, compile=False):
        super().__init__(spec)
        model = create(spec).to(memory_format=form).eval()
        self.images = self.normalized().contiguous(memory_format=form)
        self.model = torch.compile(model) if compile else model

    def step(self):
        with torch.inference_mode():
            return F.cross_entropy(self.model(self.images), self.labels).item()


class OnnxInference(Work):
    """onnxruntime on timm's own export, at a fixed batch."""

    def __init__(self, spec):
        import onnxruntime

        super().__init__(spec)
        images = self.normalized()
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "model.onnx")
            with set_exportable(True), torch.inference_mode():
                model = create(spec).eval()
                torch.onnx.export(model, (images,), file, input_names=["image"], output_names=["logits"], dynamo=False)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = spec["threads"]
            options.inter_op_num_threads = 1
            options.log_severity_level = 3
            self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.images = images.numpy()

    def step(self):
        (logits,) = self.session.run(None, {"image": self.images})
        return F.cross_entropy(torch.from_numpy(logits), self.labels).item()
