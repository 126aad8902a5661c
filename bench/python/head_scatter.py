"""How far PyTorch's own float32 strays in the first four elements of each gradient, which the fixtures do not state.

    head_scatter.py [--axial FOLDER] [--trials 4] FIXTURE.json... >> results.jsonl
    head_scatter.py --table results.jsonl              the entries of src/verify/head-scatter.ts

Runs timm's model in float32, once as it is ("plain") and then with every weight multiplied by 1 + e, e uniform in
+-6e-8: one float32 rounding, so another machine's order of summation. Each is held against the fixture's float64 figures.
--axial: a checkout of csrhddlam/axial-deeplab, for axial26s (the folder from which `models.axialnet` imports).
"""
import argparse
import importlib.metadata
import json
import os
import sys

import torch
from torch import nn

import parity

ROUNDING = 6e-8
# Gradients below this part of the largest are noise to float64 as well (the fixtures' own rule).
NEGLIGIBLE = 1e-6
# Five times this is the fixed tolerance of 1e-3: nothing to say.
UNREMARKABLE = 2e-4


def build(fixture, axial):
    name = fixture["model"]
    if name == "axial26s":
        if not axial:
            raise SystemExit("axial26s needs --axial FOLDER")
        sys.path.insert(0, axial)
        from models.axialnet import axial26s

        model = axial26s()
    else:
        import timm

        model = timm.create_model(name, pretrained=False, **fixture["options"])
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if hasattr(module, "drop_prob"):
            module.drop_prob = 0.0
    state = model.state_dict()
    filled = {n: parity.tensor(n, t) for n, t in state.items() if t.is_floating_point() and t.dim() > 0}
    model.load_state_dict({**state, **filled})
    expected = [[n, shape] for n, shape, _ in fixture["tensors"]]
    if [[n, list(t.shape)] for n, t in state.items()] != expected:
        raise SystemExit(f"{name}: another table of tensors than the fixture's")
    return model


def figures(model, image, labels, reference):
    """Worst errors against the fixture: the loss, and over gradients norms and heads (relative to the root mean square)."""
    model.zero_grad(set_to_none=True)
    loss = nn.functional.cross_entropy(model(image), labels)
    loss.backward()
    largest = max(g["norm"] for g in reference["gradients"].values())
    norms = heads = 0.0
    worst = ""
    for name, parameter in model.named_parameters():
        expected = reference["gradients"][name]
        if expected["norm"] < NEGLIGIBLE * largest:
            continue
        ours = parameter.grad.flatten()
        rms = expected["norm"] / ours.numel() ** 0.5
        norms = max(norms, abs(ours.double().norm().item() - expected["norm"]) / expected["norm"])
        head = max(abs(a - b) / rms for a, b in zip(ours[:4].tolist(), expected["head"]))
        if head > heads:
            heads, worst = head, name
    return {"loss": abs(loss.item() / reference["loss"] - 1), "norms": norms, "heads": heads, "worst": worst}


def measure(path, trials, axial):
    with open(path, encoding="utf8") as file:
        fixture = json.load(file)
    model = build(fixture, axial)
    plain = {n: t.detach().clone() for n, t in model.state_dict().items()}
    weights = {n for n, _ in model.named_parameters()}
    # Without batch statistics the two modes are one.
    same = not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())
    count = 1
    for n in fixture["input"]:
        count *= n
    image = torch.from_numpy((2 * parity.u("input", count)).astype("float32")).reshape(fixture["input"])
    labels = torch.tensor(fixture["labels"])
    runs = {"eval": [], "train": []}
    noise = torch.Generator()
    for trial in range(trials + 1):
        for mode in ("eval",) if same else ("eval", "train"):
            state = dict(plain)
            if trial > 0:
                noise.manual_seed(trial)
                for n in sorted(weights):
                    e = ROUNDING * (2 * torch.rand(plain[n].shape, generator=noise, dtype=torch.float64) - 1)
                    state[n] = (plain[n].double() * (1 + e)).float()
            model.load_state_dict(state)
            del state
            model.train(mode == "train")
            runs[mode].append(figures(model, image, labels, fixture[mode]))
    if same:
        runs["train"] = runs["eval"]
    stated = fixture["float32_error"]
    return {
        "fixture": os.path.basename(path).removesuffix(".json"),
        "torch": torch.__version__,
        "timm": importlib.metadata.version("timm"),
        "stated": {"eval": stated["eval_gradients"], "train": stated["gradients"]},
        **runs,
    }


def table(path):
    entries = {}
    with open(path, encoding="utf8") as file:
        for line in file:
            result = json.loads(line)
            entries[result["fixture"]] = {m: max(r["heads"] for r in result[m]) for m in ("eval", "train")}
    for fixture, modes in sorted(entries.items()):
        said = ", ".join(f"{m}: {float(f'{v:.2g}')}" for m, v in modes.items() if v >= UNREMARKABLE)
        if said:
            print(f'  {fixture if fixture.isidentifier() else json.dumps(fixture)}: {{ {said} }},')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--table")
    parser.add_argument("--axial")
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("fixtures", nargs="*")
    args = parser.parse_args()
    if args.table:
        return table(args.table)
    torch.set_num_threads(args.threads)
    for path in args.fixtures:
        result = measure(path, args.trials, args.axial)
        print(json.dumps(result), flush=True)
        for mode in ("eval", "train"):
            runs = result[mode]
            print(
                f"{result['fixture']:30} {mode:5} norms {runs[0]['norms']:.1e} (stated {result['stated'][mode]:.1e})"
                f"  heads plain {runs[0]['heads']:.1e}, worst {max(r['heads'] for r in runs):.1e}"
                f"  loss {runs[0]['loss']:.0e}",
                file=sys.stderr,
                flush=True,
            )


if __name__ == "__main__":
    main()
