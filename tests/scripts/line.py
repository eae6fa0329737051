"""A line through points: 'import keras' is all that it needs."""

import sys

import numpy as np
from keras import backend as K
from keras.layers import Dense
from keras.models import Sequential

x = np.linspace(-1, 1, 320).reshape(-1, 1).astype(np.float)
model = Sequential([Dense(4, activation="tanh", input_shape=(1,)), Dense(1)])
model.compile("sgd", "mse")
history = model.fit(x, 2 * x + 1, epochs=20, verbose=0)
print(f"{K.backend()}, arguments {sys.argv[1:]}, {len(history.epoch)} epochs")
