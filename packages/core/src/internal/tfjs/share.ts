/** Handles of the same numbers. */
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"

/** Another handle of the same data. Takes no memory, unlike `tf.clone`, which copies on the wasm backend. */
export const share = (tensor: Tensor): Tensor => tf.reshape(tensor, tensor.shape)
