"""timm loads what `tesserae export --format safetensors` wrote, and gives the logits of the exported ONNX file.

    tesserae export MODEL --format safetensors -o FOLDER && tesserae export MODEL -o FILE.onnx
    python bench/python/timm_loads.py FOLDER FILE.onnx
"""
import sys

import numpy as np
import onnxruntime
import timm
import torch

folder, file = sys.argv[1:]
model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
channels, height, width = model.pretrained_cfg["input_size"]
image = torch.randn((2, channels, height, width), generator=torch.Generator().manual_seed(0))
with torch.no_grad():
    theirs = model(image).numpy()
ours = onnxruntime.InferenceSession(file).run(["logits"], {"image": image.numpy()})[0]
difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
print(model.pretrained_cfg["architecture"], tuple(theirs.shape), f"largest difference {difference:.1e} of the largest logit")
sys.exit(0 if difference < 1e-4 else 1)
