/**
 * Optimizers as far as saving and restoring their states is concerned.
 */
import type { Optimizer } from "@optim/core/Optimizer"

/** An optimizer, whatever numbers its updates need besides the gradients. */
export type Savable<S> = Pick<Optimizer<S>, "name" | "hyperParameters" | "init" | "params" | "trace">
