"""SavedModel directories of tf.keras: reads the architecture and the checkpoint in them.

(keras-facts: saved-models-of-tf-keras)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..conventions.words.items import GRAPHS, MODELS
from ..conventions.words.values import parse_json
from .checkpoint import Architecture, Checkpoint
from .failures import library_errors, unreadable
from .tensorflow_checkpoint import layer_groups, opened, tensorflow
from .tensorflow_files import GRAPH, METADATA, VARIABLES

NAME = "SavedModel"
LIMIT = 2**31  # bytes of a protocol buffer
ROOT = "root"
SEQUENCES = ("__tuple__", "TensorShape")
"""Classes in the JSON of a SavedModel whose values other files have as plain lists."""
LEFT_OUT = "the state of the optimizer is left out"
WAY_OUT = (
    "if it holds a Keras model: tf.keras.models.load_model({path!r}).save('model.h5');"
    " model.export() of Keras 3 writes functions alone: there, save the model with model.save('model.h5')"
)


@contextmanager
def read(path: Path, architecture: Architecture | None = None) -> Iterator[Checkpoint]:
    """Opens a SavedModel. architecture: reads that of the user, where the directory has none of layers.

    Raises KconvertError where it is damaged, or holds no Sequential or functional model.
    """
    tensorflow(path)
    if not list(path.glob(f"{VARIABLES}.index")):
        raise unreadable("is a SavedModel without variables", path, _way_out(path))
    metadata = _metadata(path)
    config = _model(metadata)
    if config is None and architecture is None:
        what = f"is the SavedModel of a {metadata['class_name']}" if "class_name" in metadata else "is a SavedModel"
        raise unreadable(f"{what} that states no Sequential or functional model of tf.keras", path, _way_out(path))
    with opened(path / VARIABLES) as bundle:
        version, compiled = metadata.get("keras_version"), metadata.get("training_config")
        yield Checkpoint(
            groups=layer_groups(bundle, architecture if config is None else lambda: config),
            path=path,
            keras_version=version if isinstance(version, str) else None,
            whole_model=True,
            stated_in={"keras_version": "the metadata of its model"},
            model_config=config,
            training_config=compiled if isinstance(compiled, dict) else None,
            format=NAME,
            notes=[*bundle.notes, *([LEFT_OUT] if compiled else [])],
        )


def _way_out(path: Path) -> str:
    return WAY_OUT.format(path=str(path))


def _metadata(path: Path) -> dict[str, Any]:
    """What tf.keras wrote of the model: in a file of its own, before TensorFlow 2.5 in the graph; {} for others."""
    from ..backend.tensorflow_messages import SavedMetadata, SavedModel

    with library_errors("cannot be read", path):
        if (path / METADATA).is_file():
            saved = SavedMetadata.FromString(_content(path / METADATA))
            texts = [node.metadata for node in saved.nodes if node.node_path == ROOT]
        else:
            graphs = SavedModel.FromString(_content(path / GRAPH)).meta_graphs
            nodes = graphs[0].object_graph_def.nodes if graphs else []
            texts = [nodes[0].user_object.metadata] if nodes else []
        value = parse_json(texts[0]) if texts and texts[0] else {}
    return _plain(value) if isinstance(value, dict) else {}


def _content(path: Path) -> bytes:
    if path.stat().st_size > LIMIT:
        raise unreadable("is too large", path)
    return path.read_bytes()


def _plain(value: Any) -> Any:
    """JSON values with lists for tuples and shapes."""
    if isinstance(value, Mapping):
        if value.get("class_name") in SEQUENCES and isinstance(value.get("items"), list):
            return _plain(value["items"])
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _model(metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    """The architecture of the model; None where it is none of layers."""
    config = metadata.get("model_config")
    if not isinstance(config, Mapping) or config.get("class_name") not in (*MODELS, *GRAPHS):
        return None
    return {"class_name": config["class_name"], "config": config.get("config")}
