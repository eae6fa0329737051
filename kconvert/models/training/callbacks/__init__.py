"""Callbacks of Keras 2.3.1: code that runs at the start and end of training, epochs and batches."""

from .base import Callback, CallbackList, History, LambdaCallback
from .control import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau, TerminateOnNaN
from .files import CSVLogger, ModelCheckpoint, TensorBoard
from .progress import Progbar, ProgbarLogger
from .remote import RemoteMonitor

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "Progbar",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "TensorBoard",
    "TerminateOnNaN",
]
