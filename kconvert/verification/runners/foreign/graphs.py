"""Checks that the graph of a SavedModel only computes, and accesses no files and no Python code.

It runs without kconvert. TensorFlow loads and runs graphs with operations that write files.
"""

CALLS = ("If", "PartitionedCall", "StatefulPartitionedCall", "While")
VARIABLES = (
    "AssignAddVariableOp",
    "AssignSubVariableOp",
    "AssignVariableOp",
    "DestroyResourceOp",
    "DisableCopyOnRead",
    "ReadVariableOp",
    "ResourceGather",
    "ResourceGatherNd",
    "TensorArrayV3",
    "VarHandleOp",
    "VarIsInitializedOp",
)
RANDOM = ("Multinomial", "RandomStandardNormal", "RandomUniform", "RandomUniformInt", "TruncatedNormal")
STATEFUL = frozenset((*CALLS, *VARIABLES, *RANDOM, "Assert", "CudnnRNN", "CudnnRNNV2", "CudnnRNNV3"))
"""Operations with states or side effects that are allowed."""

COMPUTING = (
    "data_format",
    "equation",
    "fill_mode",
    "interpolation",
    "method",
    "mode",
    "padding",
    "rounding_mode",
    "unit",
)
RECURRENT = ("direction", "input_mode", "rnn_mode")
NAMING = ("container", "debug_name", "shared_name", "tensor_array_name")
CALLING = ("config", "config_proto", "executor_type")
WORDS = frozenset((*COMPUTING, *RECURRENT, *NAMING, *CALLING, "fused_ops"))
"""Text options that do not name a file."""

SAVING = frozenset(
    ("MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename", "StaticRegexFullMatch", "StringJoin")
)
"""The operations of the functions in each SavedModel that would save it again; nothing calls them."""

STRING = 7  # of the data types of TensorFlow


def check(path):
    """Raises ValueError where the graph of the SavedModel at `path` has an operation that may do more than compute."""
    from tensorflow.python.saved_model.loader_impl import parse_saved_model

    graphs = parse_saved_model(path).meta_graphs
    if len(graphs) != 1 or not graphs[0].HasField("object_graph_def"):
        raise ValueError("it is not a SavedModel of TensorFlow 2 with one graph")
    functions = {one.signature.name: one for one in graphs[0].graph_def.library.function}
    called = reached(graphs[0].object_graph_def.concrete_functions, functions)
    for name, function in functions.items():
        allowed = frozenset() if name in called or "api_implements" in function.attr else SAVING
        for node in function.node_def:
            if node.op not in functions and node.op not in allowed and not harmless(node.op):
                raise ValueError("its graph has the operation {}, which may reach files: it is not run".format(node.op))


def reached(names, functions):
    """The names of functions that are called from those of `names`, and these."""
    found, left = set(), list(names)
    while left:
        name = left.pop()
        if name in functions and name not in found:
            found.add(name)
            for node in functions[name].node_def:
                left.append(node.op)
                for value in node.attr.values():
                    left += [value.func.name, *(one.name for one in value.list.func)]
    return found


def harmless(op):
    """Whether an operation only computes."""
    from tensorflow.python.framework.op_def_registry import get

    stated = get(op)
    if stated is None or (stated.is_stateful and op not in STATEFUL):
        return False
    texts = [one for one in stated.attr if one.type in ("string", "list(string)") and one.name not in WORDS]
    return not texts and all(one.type != STRING for one in (*stated.input_arg, *stated.output_arg))
