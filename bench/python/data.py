"""Decoding and augmenting photographs as torchvision's and timm's training scripts do, in one process."""
import torch
from PIL import Image
from timm.data import auto_augment
from timm.data.random_erasing import RandomErasing
from torchvision import transforms
from torchvision.transforms import InterpolationMode


def posterize(image, bits, **_):
    """timm's, but for no bits, which newer Pillow refuses: black, as it was."""
    return auto_augment.ImageOps.posterize(image, bits) if bits > 0 else image.point([0] * 768)


for _name in ("Posterize", "PosterizeIncreasing", "PosterizeOriginal"):
    auto_augment.NAME_TO_OP[_name] = posterize


class DataWork:
    def __init__(self, spec):
        torch.set_num_threads(1)
        self.files, self.batch = spec["files"], spec["batch"]
        aa = spec.get("aa")
        hparams = dict(translate_const=int(spec["size"] * 0.45), img_mean=(124, 116, 104), interpolation=Image.BICUBIC)
        self.transform = transforms.Compose(
            [
                transforms.RandomResizedCrop(spec["size"], scale=(0.08, 1), interpolation=InterpolationMode.BICUBIC),
                transforms.RandomHorizontalFlip(),
                *([auto_augment.rand_augment_transform(aa, hparams)] if aa else []),
                transforms.PILToTensor(),  # bytes, as ours: normalising is the step's
                *([RandomErasing(0.25, device="cpu")] if aa else []),
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
