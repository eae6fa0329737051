"""ResNet50V2, ResNet101V2 and ResNet152V2."""

from __future__ import annotations

from ....models.model import Model
from .building import Request, network
from .imagenet import decode_predictions as decode_predictions
from .imagenet import preprocessing
from .resnet import resnet

preprocess_input = preprocessing("tf")


@network
def ResNet50V2(request: Request) -> Model:
    """ResNet50V2 (He and others, 2016)."""
    return resnet(request, "resnet50v2", (3, 4, 6, 3), second=True)


@network
def ResNet101V2(request: Request) -> Model:
    """ResNet101V2 (He and others, 2016)."""
    return resnet(request, "resnet101v2", (3, 4, 23, 3), second=True)


@network
def ResNet152V2(request: Request) -> Model:
    """ResNet152V2 (He and others, 2016)."""
    return resnet(request, "resnet152v2", (3, 8, 36, 3), second=True)
