import pytest
import tensorflow as tf


@pytest.fixture(scope="session")
def strategy() -> tf.distribute.Strategy:
    return tf.distribute.MultiWorkerMirroredStrategy()
