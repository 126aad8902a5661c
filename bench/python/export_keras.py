"""Keras models as ONNX by tf2onnx, with what TensorFlow computes: `npm run verify:imports` reads them.

    python bench/python/export_keras.py FOLDER [--only NAME,...] [--exporters NAME,...]

Needs tensorflow, tf2onnx. Writes NAME.EXPORTER.onnx, and NAME.safetensors with the weights in ONNX's order of axes,
"image" [N, C, H, W], "labels", "logits" (the model's output) and "grad_eval/WEIGHT" (mean cross-entropy in evaluation, in double precision).
"""
import os

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", TF_ENABLE_ONEDNN_OPTS="0")

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from keras import applications, layers
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from references import main, save, try_exporters

CLASSES = 10


class Positions(layers.Layer):
    def __init__(self, count, width):
        super().__init__()
        self.count, self.table = count, layers.Embedding(count, width)

    def call(self, x):
        return x + self.table(keras.ops.arange(self.count))


def vit(side):
    """A small ViT as the examples of keras.io write it: attention of Keras, GELU, class by mean."""
    image = layers.Input((side, side, 3))
    x = layers.Reshape((-1, 48))(layers.Conv2D(48, 16, 16)(image))
    x = Positions((side // 16) ** 2, 48)(x)
    for _ in range(2):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Add()([layers.MultiHeadAttention(3, 16)(y, y), x])
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.Dense(48)(layers.Dense(96, activation="gelu")(y))
        x = layers.Add()([y, x])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization(epsilon=1e-6)(x))
    return keras.Model(image, layers.Dense(CLASSES)(x))


def plain(side):
    """Operators that the applications do not use: transposed and dilated convolutions, group norm, activations."""
    image = layers.Input((side, side, 3))
    x = layers.Conv2D(16, 3, 2, padding="same", activation="leaky_relu")(image)
    x = layers.GroupNormalization(4)(x)
    x = layers.Conv2D(16, 3, dilation_rate=2, padding="same", activation="elu")(x)
    x = layers.SpatialDropout2D(0.5)(layers.SeparableConv2D(24, 3, padding="same", activation="selu")(x))
    x = layers.PReLU(shared_axes=[1, 2])(layers.AveragePooling2D(2, padding="same")(x))
    y = layers.Conv2DTranspose(24, 2, 2)(layers.MaxPooling2D(2)(x))
    x = layers.Concatenate()([x, y])
    x = layers.Conv2D(16, 3, padding="same", activation="mish")(layers.UpSampling2D(2, interpolation="bilinear")(x))
    x = layers.Flatten()(layers.MaxPooling2D(4)(layers.ZeroPadding2D(((1, 0), (0, 1)))(x)))
    x = layers.Dense(32, activation="softsign")(x)
    return keras.Model(image, layers.Dense(CLASSES, activation="softmax")(x))


def application(name, **options):
    make = getattr(applications, name)
    return lambda side: make(input_shape=(side, side, 3), weights=None, classes=CLASSES, **options)


# name -> (model of an image side, side, do pixels run from 0 to 255)
MODELS = {
    "mobilenet": (application("MobileNet", alpha=0.25), 64, False),
    "mobilenet_v2": (application("MobileNetV2", alpha=0.35), 64, False),
    "mobilenet_v3": (application("MobileNetV3Small", minimalistic=False, alpha=0.75), 64, True),
    "efficientnet_b0": (application("EfficientNetB0"), 64, True),
    "efficientnet_v2": (application("EfficientNetV2B0"), 64, True),
    "resnet50": (application("ResNet50"), 64, False),
    "resnet50_v2": (application("ResNet50V2"), 64, False),
    "densenet": (application("DenseNet121"), 64, False),
    "inception": (application("InceptionV3"), 96, False),
    "xception": (application("Xception"), 96, False),
    "nasnet": (application("NASNetMobile"), 64, False),
    "convnext": (application("ConvNeXtTiny"), 64, True),
    "vgg16": (application("VGG16"), 32, False),
    "vit": (vit, 64, False),
    "plain": (plain, 64, False),
}


def randomize(model):
    """Weights as they are begun, statistics and what begins as zero or one moved away from it."""
    g = np.random.default_rng(1)
    values = []
    for w in model.weights:
        v = np.asarray(w.value, np.float32)
        if w.path.endswith("variance"):
            v = 1 + 0.3 * np.abs(g.standard_normal(v.shape))
        elif not w.path.endswith(("kernel", "count")):
            v = v + 0.1 * g.standard_normal(v.shape)
        values.append(v.astype(np.float32))
    return values


def in_onnx_order(weight, value):
    """HWIO to OIHW; depthwise HWC1 to C1HW; a dense layer's [in, out] as it is."""
    layer = weight.path.split("/")[-2]
    if value.ndim != 4:
        return value
    return value.transpose((2, 3, 0, 1) if "depthwise" in layer or "depthwise" in weight.name else (3, 2, 0, 1))


def gradients(model, image, labels):
    with tf.GradientTape() as tape:
        scores = model(image, training=False)
        softmax = getattr(model.layers[-1], "activation", None) is keras.activations.softmax
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, scores, from_logits=not softmax))
    found = tape.gradient(loss, [w.value for w in model.trainable_weights])
    return [(w, tf.convert_to_tensor(g).numpy()) for w, g in zip(model.trainable_weights, found) if g is not None]


def function(model, side, batch):
    spec = [tf.TensorSpec((batch, side, side, 3), tf.float32, name="input")]
    return tf.function(lambda x: model(x, training=False), input_signature=spec), spec


def by_tf2onnx(opset, batch=None, **options):
    def run(model, side, path):
        f, spec = function(model, side, batch)
        tf2onnx.convert.from_function(f, spec, opset=opset, output_path=path, **options)
    return run


def by_keras(model, side, path):
    model(np.zeros((1, side, side, 3), np.float32))
    model.export(path, format="onnx", verbose=False)


def by_tflite(model, side, path):
    """TensorFlow Lite's form first, as phones get it: one image, and other patterns."""
    f, _ = function(model, side, 1)
    frozen = convert_variables_to_constants_v2(f.get_concrete_function())
    lite = tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert()
    with open(f"{path}.tflite", "wb") as file:
        file.write(lite)
    tf2onnx.convert.from_tflite(f"{path}.tflite", opset=15, output_path=path)
    os.remove(f"{path}.tflite")


EXPORTERS = {
    "tf13": by_tf2onnx(13),
    "tf11-one": by_tf2onnx(11, 1),
    "tf18-nchw": by_tf2onnx(18, inputs_as_nchw=["input"]),
    "keras": by_keras,
    "tflite": by_tflite,
}


def export(folder, label, exporters):
    make, side, bytes_ = MODELS[label]
    keras.utils.clear_session()
    keras.config.set_floatx("float32")
    model = make(side)
    values = randomize(model)
    model.set_weights(values)
    g = np.random.default_rng(2)
    image = g.standard_normal((4, side, side, 3)).astype(np.float32)
    image = np.clip(image * 60 + 120, 0, 255).astype(np.float32) if bytes_ else image
    labels = np.array([1, 2, 3, 5])
    try_exporters(label, folder, EXPORTERS, exporters, lambda run, path: run(model, side, path))
    keras.config.set_floatx("float64")
    double = make(side)
    double.set_weights(values)
    tensors = {w.path: in_onnx_order(w, v) for w, v in zip(model.weights, values)}
    names = {w.path: v.path for w, v in zip(double.weights, model.weights)}
    for w, d in gradients(double, image.astype(np.float64), labels):
        tensors[f"grad_eval/{names[w.path]}"] = in_onnx_order(w, d.astype(np.float32))
    save(os.path.join(folder, f"{label}.safetensors"),
         {**tensors, "image": image.transpose(0, 3, 1, 2), "labels": labels, "logits": np.asarray(model(image))})


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(1)
    main(MODELS, EXPORTERS, export)
