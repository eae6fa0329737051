"""The page docs/support.md."""

from __future__ import annotations

from pathlib import Path

from kconvert.conventions.generations import GENERATIONS

from .data_format_table import OLD_ORDER, data_format_table
from .layer_tables import (
    cells,
    layers_table,
    not_run,
    oddities_table,
    readers_table,
    rewritten_table,
    tf_keras_table,
    unknown,
)
from .markdown import code, table
from .outcomes import AS_IS, CONVERTED, REFUSED, REWRITTEN
from .padding_tables import paddings_table, windows_table
from .weight_tables import optimizers_table, weights_table

PAGE = Path(__file__).parents[1] / "support.md"


def page() -> str:
    """The whole page, from the code."""
    formats = table(["generation", "releases"], [[f.name, f.releases] for f in GENERATIONS.values()])
    return f"""\
<!-- Written by `python -m docs.generate` (`make docs`): do not edit. -->

# What is supported

This page is generated from the code: each layer was planned from each generation of Keras on each backend to the
other backend, with `--format keras2 --data-format keep`. [conversion.md](conversion.md) explains the terms.

{formats}

## Layers

The table shows what a conversion to the other backend does to a layer in a file of each generation. If files of
Theano and of TensorFlow differ, it shows both.

- *{AS_IS}*: the arrays of the layer, if it has any, are not changed;
- *{CONVERTED}*: its arrays are rearranged, see [weights](#weights);
- *{REWRITTEN}*: it is replaced by other layers, see [rewritten and refused](#rewritten-and-refused);
- {REFUSED}: nothing is written, see the same section for the reason;
- empty: the generation does not have the class.

For `padding='same'` see [its section](#paddingsame). What single releases computed otherwise, and JZS1 - JZS3 of Keras
0.2.0, is in the [facts about Keras](keras-facts.md#what-single-releases-computed-otherwise).

{layers_table()}

A model may contain models, and `RNN` takes {code(cells())}. A layer of
a class that is not in the table is carried as it is, with its weights as they are stored, as long as the data format is
kept, and verification leaves it out: "{unknown()}".

These layers can be converted, but verification leaves them out without a function of yours (exit code 6):

{not_run()}

## Classes of tf.keras

tf.keras of TensorFlow 1.13 - 2.15, and tf_keras, have classes that Keras 0.2 - 2.3 does not have. The table shows all
classes of tf.keras 2.15. A class that kconvert does not have is refused by name, unless you register one of that name.
The operations of TensorFlow that tf.keras puts into a graph (`TFOpLambda`, `SlicingOpLambda`, `TensorFlowOpLayer`) are
refused, too.

{tf_keras_table()}

## Weights

The table shows the chain from the stored form of each role to the canonical form, which is that of Keras 2 on
TensorFlow. A conversion is the chain of the source, then the inverse of the chain of the target, simplified. The
letters of axes are `i` in, `o` out, `h` `w` `d` spatial; those of fused gates are `ifco` input, forget, candidate,
output, and `zrh` update, reset, candidate.

{weights_table()}

## Rewritten and refused

These are layers that Keras 2 or the other backend does not have. With `--format same`, layers that only Keras 2 lacks
stay as they are.

{rewritten_table()}

## Results for tf_keras and Keras 3

Results of `--format tf_keras` and for Keras 3 open in these packages without other code. The table shows the layers
that become something else there than in a result for Keras 2, from files of Keras 2, or of Keras 1 where only that has
the class.

{readers_table()}

Refused by name, beside what the tables of this page say: a `Lambda` whose code is in the file, because it runs only on
the Python that saved it; a `Softmax` of masked steps along another axis than the last; for tf_keras, a `Bidirectional`
of masked sequences around a layer with `go_backwards`, and activations that only Keras 3 has; for Keras 3, what depends
on masks that it merges otherwise, or does not use beside initial states. A `Deconvolution2D` of Keras 1.0 whose output
shape no file states, and cells of Keras 2.0.9 - 2.1.2 whose options no file has, are refused for every target.

## Single releases

Some releases computed something else than the configuration of a layer says, or cannot run the layer as it is. A file
of such a release is read as what it computed, and a result for such a release is written so that it computes the
same; a note says so. If a file does not tell what was computed, or the release could not run the result, the layer is
refused.

{oddities_table()}

## padding='same'

If the two backends pad equally, nothing is changed:

{paddings_table()}

If they do not, the layer is rewritten with explicit padding as on the backend of the source, or refused. The same
holds for `padding='full'`, which only Theano has. The table shows the result for windows of 2 and 3 with strides 1
and 2 on an image of 8 x 9, one line for each different result. `--no-repair` refuses all of these.

{windows_table()}

A separable convolution with an even kernel gives one element more on Theano than it declares (from Keras 2.2.0 on); a
file of Theano is read so, whatever the target. Layers behind it get the number of elements that they got in Keras.

## Data format

The table shows what happens to a layer when `--data-format` changes the position of the channels in its input, and
when its input has flattened features in another order. *{OLD_ORDER.capitalize()}*: a `Permute` restores the old
order, before the layer or before the `Flatten`.

{data_format_table()}

## Optimizers

The state of these optimizers is converted like the weights. The state of any other optimizer is dropped, and a note
says so.

{optimizers_table()}
"""
