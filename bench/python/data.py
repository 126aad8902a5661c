"""Decoding and augmenting photographs as torchvision's training scripts do, in one process."""
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode


class DataWork:
    def __init__(self, spec):
        torch.set_num_threads(1)
        self.files, self.batch = spec["files"], spec["batch"]
        self.transform = transforms.Compose(
            [
                transforms.RandomResizedCrop(spec["size"], scale=(0.08, 1), interpolation=InterpolationMode.BICUBIC),
                transforms.RandomHorizontalFlip(),
                transforms.PILToTensor(),  # bytes, as ours: normalising is the step's
            ]
        )

    def load(self, path):
        with Image.open(path) as image:
            return self.transform(image.convert("RGB"))

    def step(self):
        count = 0
        order = torch.randperm(len(self.files)).tolist()
        for first in range(0, len(order), self.batch):
            images = torch.stack([self.load(self.files[i]) for i in order[first : first + self.batch]])
            count += len(images)
        return count
