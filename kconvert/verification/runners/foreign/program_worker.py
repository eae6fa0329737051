"""Runs programs in their runtimes: SavedModels, LiteRT, ONNX.

    python program_worker.py RUNTIME      (requests as in serving.py)

It runs without kconvert.
"""

import importlib
import os
import sys

import numpy as np


class Program(object):
    """A program that is loaded.

    package: what is imported to run it. version: of the runtime. quantized: the type of its quantized weights, or None.
    inputs: shape and type by name.
    """

    package = ""
    version = ""
    quantized = None

    def __init__(self, path):
        self.inputs = {}

    def run(self, arrays):
        """The outputs of one batch, by name."""
        raise NotImplementedError


class SavedModel(Program):
    """A SavedModel in TensorFlow."""

    package = "tensorflow"

    def __init__(self, path):
        import tensorflow as tf
        from graphs import check  # type: ignore[import-not-found]  # beside this script

        check(path)
        self.tf, self.version, self.quantized = tf, tf.__version__, None
        self.loaded = tf.saved_model.load(path)  # holds the variables
        self.call = self.loaded.signatures["serving_default"]
        specs = self.call.structured_input_signature[1]
        self.inputs = {name: (spec.shape.as_list(), spec.dtype.as_numpy_dtype) for name, spec in specs.items()}

    def run(self, arrays):
        outputs = self.call(**{name: self.tf.constant(array) for name, array in arrays.items()})
        return {name: y.numpy() for name, y in outputs.items()}


class LiteRT(Program):
    """A model in LiteRT."""

    package = "ai_edge_litert.interpreter"

    def __init__(self, path):
        import importlib.metadata

        from ai_edge_litert.interpreter import Interpreter

        self.version = importlib.metadata.version("ai-edge-litert")
        interpreter = Interpreter(model_path=path)
        self.quantized = quantization(interpreter.get_tensor_details())
        self.call = interpreter.get_signature_runner()
        details = self.call.get_input_details()
        self.inputs = {name: (list(d["shape_signature"]), d["dtype"]) for name, d in details.items()}

    def run(self, arrays):
        return self.call(**arrays)


def quantization(tensors):
    """The type of the quantized weights of a LiteRT model; None if they are not quantized."""
    types = {np.dtype(tensor["dtype"]).name for tensor in tensors}
    return "float16" if "float16" in types else "8-bit integers" if "int8" in types else None


TYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int32)": "int32", "tensor(int64)": "int64"}


class Onnx(Program):
    """A model in onnxruntime."""

    package = "onnxruntime"

    def __init__(self, path):
        import onnxruntime

        self.version, self.quantized = onnxruntime.__version__, None
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.inputs = {
            one.name: ([n if isinstance(n, int) else None for n in one.shape], type_of(one))
            for one in self.session.get_inputs()
        }

    def run(self, arrays):
        names = [one.name for one in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, arrays)))


def type_of(given):
    """The type of an input in NumPy."""
    if given.type not in TYPES:
        raise ValueError("its input {!r} has the type {}, not one of {}".format(given.name, given.type, sorted(TYPES)))
    return TYPES[given.type]


RUNTIMES = {"saved_model": SavedModel, "litert": LiteRT, "onnx": Onnx}


EXPANSION = 20  # bytes of memory for each byte of a program and its inputs
MB = 2**20
STACK = 8 * MB  # of a thread; runtimes start one for each processor


def bound(memory, seconds, paths):
    """Limits the memory and time of this process from now on: a program may request any memory, or never end.

    memory: in bytes, beside `EXPANSION` for each byte of the files. seconds: of a processor, beside one for each
    megabyte of them; None: any time.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    size = sum(map(size_of, paths))
    if seconds is not None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        end = int(usage.ru_utime + usage.ru_stime + seconds + size / MB) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    if sys.platform == "linux":
        with open("/proc/self/status") as status:
            (used,) = [int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:")]
        most = used + memory + EXPANSION * size + (os.cpu_count() or 1) * STACK
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def size_of(path):
    """The bytes of a file, or of all files in a directory."""
    if not os.path.isdir(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


def batches(program, arrays):
    """The arrays in batches of the size that the program has; the last one is filled up with its last sample."""
    sizes = {shape[0] for shape, _ in program.inputs.values() if shape and shape[0] not in (None, -1)}
    count = len(next(iter(arrays.values())))
    size = sizes.pop() if sizes else count
    if size < 1:
        raise ValueError("its inputs take {} samples".format(size))
    for begin in range(0, count, size):
        parts = {name: array[begin : begin + size] for name, array in arrays.items()}
        left = min(size, count - begin)
        yield left, {name: np.concatenate([part] + [part[-1:]] * (size - left)) for name, part in parts.items()}


def outputs_of(program, arrays):
    """The outputs of a program for any number of samples, by name."""
    if set(program.inputs) != set(arrays):
        raise ValueError("its inputs are {}, not {}".format(sorted(program.inputs), sorted(arrays)))
    typed = {name: np.asarray(array, program.inputs[name][1]) for name, array in arrays.items()}
    parts = []
    for left, batch in batches(program, typed):
        parts.append({name: np.array(y)[:left] for name, y in program.run(batch).items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def checked(outputs, names):
    """The outputs of these names, which must be numbers."""
    for name in names:
        if name not in outputs:
            raise ValueError("its outputs are {}, without {!r}".format(sorted(outputs), name))
        if outputs[name].dtype.kind not in "biuf":
            raise ValueError("its output {!r} holds no numbers".format(name))
    return [outputs[name] for name in names]


def main():
    from serving import serve  # type: ignore[import-not-found]  # beside this script

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    runtime = RUNTIMES[sys.argv[1]]

    def answer(request):
        importlib.import_module(runtime.package)  # what that takes does not count
        if request["bytes"] is not None:
            bound(request["bytes"], request["seconds"], [request["path"], *request["inputs"]])
        program = runtime(request["path"])
        outputs = outputs_of(program, {name: np.load(path) for name, path in zip(request["names"], request["inputs"])})
        os.makedirs(request["out"], exist_ok=True)
        tensors = {}
        for number, (name, array) in enumerate(zip(request["outputs"], checked(outputs, request["outputs"]))):
            tensors[name] = os.path.join(request["out"], "{}.npy".format(number))
            np.save(tensors[name], array)
        return {"result": [tensors, program.version, program.quantized]}

    serve(lambda: answer)


if __name__ == "__main__":
    main()
