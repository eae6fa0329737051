"""The protocol buffers of TensorFlow that its files consist of. It loads TensorFlow, whose package has most of them.

The messages of `keras_metadata.pb` were in the package of Keras, up to Keras 2.15; they are described here.
"""

from __future__ import annotations

from typing import Any

from . import tensorflow_compat

tensorflow_compat.load()

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: E402
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel  # noqa: E402
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph  # noqa: E402

__all__ = ["SavedMetadata", "SavedModel", "TrackableObjectGraph"]

_PACKAGE = "kconvert.saved_metadata"
_FIELDS = {"node_id": (2, "TYPE_INT32"), "node_path": (3, "TYPE_STRING"), "metadata": (5, "TYPE_STRING")}


def _saved_metadata() -> Any:
    """`SavedMetadata { repeated SavedObject nodes = 1; }`, with the fields of an object that are read."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="kconvert_saved_metadata.proto", package=_PACKAGE, syntax="proto3")
    saved = file.message_type.add(name="SavedObject")
    for name, (number, kind) in _FIELDS.items():
        saved.field.add(name=name, number=number, type=getattr(field, kind), label=field.LABEL_OPTIONAL)
    file.message_type.add(name="SavedMetadata").field.add(
        name="nodes",
        number=1,
        type=field.TYPE_MESSAGE,
        type_name=f".{_PACKAGE}.SavedObject",
        label=field.LABEL_REPEATED,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.SavedMetadata"))


SavedMetadata = _saved_metadata()
