"""Dataclasses of the package: they do what those of the standard library do."""

import copy
import dataclasses
import inspect
import json
import os
import pickle
import pydoc
import re
import subprocess
import sys
import typing
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, field, fields, replace
from threading import Barrier

import pytest

from docs.structure import OUTSIDE, ROOT, room, sources
from kconvert import lazy_dataclasses
from kconvert.kernels import Flip
from kconvert.layers import Dense

OPTIONS = [
    {},
    {"frozen": True},
    {"eq": False},
    {"frozen": True, "eq": False},
    {"repr": False},
    {"kw_only": True},
    {"frozen": True, "kw_only": True},
]


def family(dataclass, **options):
    """A class and a subclass, with every kind of field that the package has."""

    @dataclass(**options)
    class Shape:
        """A shape."""

        name: str
        sides: int = field(default=4, kw_only=True)
        tags: list = field(default_factory=list, hash=False)
        hidden: int = field(default=1, repr=False, compare=False)
        count: int = field(default=0, init=False)
        seen: dict = field(default_factory=dict, init=False, hash=False)

    @dataclass(**options)
    class Named(Shape):
        """A shape with a name of its own."""

        name: str = "square"
        size: float = 2.0

        def __post_init__(self):
            object.__setattr__(self, "tags", [*self.tags, self.size])

    return Shape, Named


@pytest.fixture(params=OPTIONS, ids=str)
def both(request):
    """The classes of the standard library, and those of the package."""
    return family(dataclasses.dataclass, **request.param), family(lazy_dataclasses.dataclass, **request.param)


def told(call):
    """What a call gives, or the kind of its error."""
    try:
        return call()
    except Exception as error:
        return type(error)


def shown(value):
    """The text of an object, without its address."""
    return repr(value).partition(" at 0x")[0]


def test_objects_are_made_printed_compared_and_hashed_alike(both):
    answers = []
    for classes in both:
        values = [cls(name="a") for cls in classes] + [cls(name="a", tags=[1], hidden=2, sides=3) for cls in classes]
        values += [replace(value, hidden=7) for value in values]
        equal = [[one == other for other in values] for one in values]
        hashed = [[told(lambda pair=(v, w): hash(pair[0]) == hash(pair[1])) for w in values] for v in values]
        answers.append((list(map(shown, values)), list(map(asdict, values)), equal, hashed))
    assert answers[0] == answers[1]


def test_constructors_take_and_refuse_the_same_arguments(both):
    calls = [((), {}), (("a",), {}), (("a", [3]), {"sides": 3}), (("a",), {"count": 3}), ((1, 2, 3, 4, 5, 6), {})]
    answers = []
    for classes in both:
        made = [told(lambda cls=cls, a=a, k=k: asdict(cls(*a, **k))) for cls in classes for a, k in calls]
        answers.append((made, [str(inspect.signature(cls)) for cls in classes]))
    assert answers[0] == answers[1]


def test_fields_are_set_and_deleted_alike(both):
    answers = []
    for classes in both:
        value = classes[0](name="a")
        refusals = [
            told(lambda value=value: setattr(value, "name", "b")),
            told(lambda value=value: delattr(value, "name")),
        ]
        answers.append((refusals, vars(value)))
    assert answers[0] == answers[1]


def test_methods_of_the_class_are_kept():
    @lazy_dataclasses.dataclass(frozen=True)
    class Own:
        x: int

        def __init__(self, x):
            object.__setattr__(self, "x", x + 1)

        def __repr__(self):
            return "own"

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 7

    assert (Own(1).x, repr(Own(1)), Own(1) == Own(2), hash(Own(1))) == (2, "own", True, 7)


def is_compiled(cls):
    return inspect.isfunction(vars(cls)["__init__"])


def test_a_constructor_is_compiled_once():
    _, named = family(lazy_dataclasses.dataclass)
    assert not is_compiled(named)
    named()
    assert is_compiled(named)
    compiled = vars(named)["__init__"]
    named()
    assert vars(named)["__init__"] is compiled


def test_threads_that_make_the_first_objects_at_once_get_the_same():
    for _ in range(20):
        _, named = family(lazy_dataclasses.dataclass, frozen=True)
        together = Barrier(8)

        def make(number, named=named, together=together):
            together.wait()
            return named(str(number), size=number)

        with ThreadPoolExecutor(8) as threads:
            made = list(threads.map(make, range(8)))
        assert made == [named(str(number), size=number) for number in range(8)]


@pytest.mark.parametrize("value", [Dense(3, name="d"), Flip("hw", "hwio")], ids=["layer", "op"])
def test_objects_are_pickled_into_a_new_process(value):
    """The class has made no object there, when the first is read."""
    code = "import pickle, sys; one = pickle.load(sys.stdin.buffer); print(one); print([type(one)(**{kwargs})])"
    code = code.format(kwargs={f.name: vars(value)[f.name] for f in fields(value) if f.init and not f.kw_only})
    run = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(value), capture_output=True, check=True)
    read, made = run.stdout.decode().splitlines()
    assert read == str(value)
    assert type(value).__name__ in made


def test_objects_are_copied():
    layer = Dense(3, name="d")
    assert copy.deepcopy(layer).get_config() == copy.copy(layer).get_config() == layer.get_config()
    assert copy.copy(Flip("hw", "hwio")) == copy.deepcopy(Flip("hw", "hwio")) == Flip("hw", "hwio")


def test_a_recursive_object_is_printed():
    shape, _ = family(lazy_dataclasses.dataclass)
    value = shape("a")
    value.tags.append(value)
    assert "tags=[...]" in repr(value)


def subclasses(dataclass):
    """What users derive from a class: a dataclass of the standard library, and classes with their own constructor."""
    _, named = family(dataclass, frozen=True)

    @dataclasses.dataclass(frozen=True)
    class More(named):
        more: int = 5

    class Own(named):
        def __init__(self, text):
            super().__init__(text, size=3.0)
            self.text = text

    class Plain(named):
        """No constructor and no field."""

    return More, Own, Plain


def test_subclasses_of_users_do_the_same():
    answers = []
    for dataclass in (dataclasses.dataclass, lazy_dataclasses.dataclass):
        values = [cls("b") for cls in subclasses(dataclass)]
        refused = [told(lambda one=one: setattr(one, "name", "c")) for one in values]
        free = [told(lambda one=one: setattr(one, "extra", "c")) for one in values]
        deleted = [told(lambda one=one, name=name: delattr(one, name)) for one in values for name in ("extra", "name")]
        answers.append((list(map(shown, values)), list(map(vars, values)), refused, free, deleted))
    assert answers[0] == answers[1]


def test_frozen_and_other_dataclasses_do_not_inherit_from_each_other():
    for dataclass in (dataclasses.dataclass, lazy_dataclasses.dataclass):
        for frozen in (True, False):
            base, _ = family(dataclass, frozen=not frozen)
            with pytest.raises(TypeError, match="cannot inherit"):
                dataclass(frozen=frozen)(type("Sub", (base,), {}))


def test_help_and_hints_tell_the_same_of_a_constructor(both):
    answers = []
    for classes in both:
        pages = [pydoc.plain(pydoc.render_doc(cls)).splitlines() for cls in classes]
        answers.append(
            [[line for line in page if re.search("__init__|^ . +(Shape|Named)|A shape", line)] for page in pages]
        )
        answers.append(typing.get_type_hints(classes[1].__init__))
        answers.append(str(classes[1].__dataclass_params__))
    assert answers[:3] == answers[3:]
    assert len(answers[0][1]) > 2


SIGNATURES = """
import dataclasses, inspect, json, sys
from importlib import import_module
from kconvert import lazy_dataclasses
if sys.argv[1] == "standard":
    lazy_dataclasses.dataclass = dataclasses.dataclass
METHODS = ("__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__")
found = {}
for name in sys.argv[2:]:
    for cls in vars(import_module(name)).values():
        if isinstance(cls, type) and "__dataclass_fields__" in vars(cls) and cls.__module__ == name:
            methods = [method for method in METHODS if vars(cls).get(method)]
            found[f"{name}.{cls.__qualname__}"] = [str(inspect.signature(cls.__init__)), methods]
print(json.dumps(found))
"""


def test_all_classes_of_the_package_are_those_that_the_standard_library_would_make():
    left_out = ("kconvert.backend.t", "kconvert.export.", "kconvert.verification.runners.foreign.")  # import frameworks
    names = [name for name in sources() if room(name) not in OUTSIDE and not name.startswith(left_out)]
    answers = []
    for kind in ("standard", "lazy"):
        command = [sys.executable, "-c", SIGNATURES, kind, *names]
        env = {**os.environ, "PYTHONHASHSEED": "0"}  # sets are printed in the same order
        run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        answers.append(json.loads(re.sub("at 0x[0-9a-f]+", "", run.stdout)))
    assert answers[0] == answers[1]
    assert len(answers[0]) > 400
