"""What runs inside Transform and Trainer, on every worker."""

import os

# tensorflow_transform switches tf.keras to tf_keras when it is imported; deciding it here, before
# TensorFlow is, gives every process the same one whatever it imports first.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
