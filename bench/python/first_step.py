"""From the command to the first training step: first_step.py FOLDER MODEL BATCH THREADS. See bench/first-step.ts."""
import sys

import timm
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder
from torchvision.transforms import InterpolationMode


def main():
    folder, name, batch, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(threads)
    torch.manual_seed(42)
    transform = transforms.Compose(
        [
            transforms.RandomResizedCrop(224, scale=(0.08, 1), interpolation=InterpolationMode.BICUBIC),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize([0.5] * 3, [0.5] * 3),
        ]
    )
    dataset = ImageFolder(folder, transform)
    loader = DataLoader(dataset, batch, shuffle=True, drop_last=True, num_workers=1)
    model = timm.create_model(name, pretrained=False, num_classes=len(dataset.classes)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4, weight_decay=0.05, fused=True)
    for images, labels in loader:
        loss = F.cross_entropy(model(images), labels, label_smoothing=0.1)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        optimizer.step()
        print(f'@@{{"loss": {loss.item()}}}', flush=True)
        break


if __name__ == "__main__":
    main()
