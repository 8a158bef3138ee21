/**
 * What can go wrong in `@optim/core`, as values.
 *
 * Each error carries its facts as fields and prints the same facts as a message: the operation and what happened, one
 * line per leaf with its key path, and last what to do. A fault of tree structure is `StructureMismatch` of
 * `@optim/pytree`, which is exported here too, so that one import names all that an optimizer can fail with.
 */
import type { CyclicTree, StructureMismatch } from "@optim/pytree"
import { toStringUnknown } from "effect/Inspectable"
import * as Schema from "effect/Schema"
import { faultTable } from "./internal/faultTable.ts"

export { CyclicTree, StructureMismatch } from "@optim/pytree"

const Fault = Schema.Struct({ path: Schema.String, expected: Schema.String, found: Schema.String })

/** One leaf that is not as it should be: where, what was expected there, what was found. */
export interface Fault {
  readonly path: string
  readonly expected: string
  readonly found: string
}

/** A hyper-parameter that makes no sense, found when the optimizer is made. */
export class InvalidHyperParameter extends Schema.TaggedError<InvalidHyperParameter>()("InvalidHyperParameter", {
  optimizer: Schema.String,
  parameter: Schema.String,
  value: Schema.String,
  expected: Schema.String
}) {
  override get message(): string {
    return `${this.optimizer}: ${this.parameter} is ${this.value}, expected ${this.expected}`
  }
}

/** A step that is not a non-negative integer. */
export class InvalidStep extends Schema.TaggedError<InvalidStep>()("InvalidStep", {
  operation: Schema.String,
  value: Schema.String
}) {
  override get message(): string {
    return [
      `${this.operation}: the step is ${this.value}, expected a non-negative integer`,
      "Steps count updates from 0; bias corrections and schedules depend on them."
    ].join("\n")
  }
}

/** Something that an update needs beside the updates and was not given. */
export class MissingArgument extends Schema.TaggedError<MissingArgument>()("MissingArgument", {
  operation: Schema.String,
  argument: Schema.String,
  transform: Schema.String,
  expected: Schema.String
}) {
  override get message(): string {
    return [
      `${this.operation}: ${this.transform} needs ${this.argument}, expected ${this.expected}`,
      `Pass { ${this.argument} } in the last argument.`
    ].join("\n")
  }
}

/** A leaf that cannot be a tensor of this operation, or has the wrong dtype. */
export class InvalidLeaf extends Schema.TaggedError<InvalidLeaf>()("InvalidLeaf", {
  operation: Schema.String,
  faults: Schema.Array(Fault)
}) {
  override get message(): string {
    return [
      `${this.operation}: leaves that cannot be used`,
      ...faultTable(this.faults),
      "Leaves are float32 tensors, numbers, or typed arrays (which become float32 vectors)."
    ].join("\n")
  }
}

/** A mask or labels with values that are none. */
export class InvalidMask extends Schema.TaggedError<InvalidMask>()("InvalidMask", {
  operation: Schema.String,
  role: Schema.String,
  faults: Schema.Array(Fault)
}) {
  override get message(): string {
    return [
      `${this.operation}: ${this.role} cannot be used`,
      ...faultTable(this.faults),
      "Give each leaf of the parameters, or a whole subtree of them, one value."
    ].join("\n")
  }
}

/** Tensors whose shape or dtype is not the expected one. Nothing is broadcast between leaves. */
export class TensorMismatch extends Schema.TaggedError<TensorMismatch>()("TensorMismatch", {
  operation: Schema.String,
  faults: Schema.Array(Fault),
  remedy: Schema.String
}) {
  override get message(): string {
    return [`${this.operation}: shapes or dtypes differ`, ...faultTable(this.faults), this.remedy].join("\n")
  }
}

/** An element of an argument, or something that follows from it, that has no meaning in the operation. */
export class InvalidArgument extends Schema.TaggedError<InvalidArgument>()("InvalidArgument", {
  operation: Schema.String,
  argument: Schema.String,
  value: Schema.String,
  expected: Schema.String
}) {
  override get message(): string {
    return `${this.operation}: ${this.argument} is ${this.value}, expected ${this.expected}`
  }
}

/** Tensors that were disposed before they were used. */
export class DisposedTensor extends Schema.TaggedError<DisposedTensor>()("DisposedTensor", {
  operation: Schema.String,
  paths: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return [
      `${this.operation}: tensors that were disposed or donated before`,
      ...this.paths.map((path) => `  ${path === "" ? "(root)" : path}`),
      "Use tensors before they are disposed; a tensor given away with { donate: true } must not be used again."
    ].join("\n")
  }
}

/** An optimizer state that was given away with `donate` and is used once more. */
export class DonatedStateUsed extends Schema.TaggedError<DonatedStateUsed>()("DonatedStateUsed", {
  operation: Schema.String,
  donatedAtStep: Schema.Int
}) {
  override get message(): string {
    return [
      `${this.operation}: this state was donated to the update of step ${this.donatedAtStep}, its buffers are gone`,
      "Go on with the state which that update returned, or leave donate out to keep the old one."
    ].join("\n")
  }
}

/** A name that nothing in a state has, or nothing that a filter lets pass. */
export class UnknownName extends Schema.TaggedError<UnknownName>()("UnknownName", {
  operation: Schema.String,
  /** The name that was looked for; `name` is that of the error. */
  wanted: Schema.String,
  /** The names that there are. */
  names: Schema.Array(Schema.String),
  /** The paths of the entries of this name that the filter refused. */
  refused: Schema.Array(Schema.String)
}) {
  override get message(): string {
    if (this.refused.length === 0)
      return [
        `${this.operation}: nothing in the state has the name ${JSON.stringify(this.wanted)}`,
        `Its names are ${this.names.length === 0 ? "none" : this.names.join(", ")}; hyper-parameters are there if they are injected (Transform.injectHyperparams).`
      ].join("\n")
    return [
      `${this.operation}: the filter lets no entry of the name ${JSON.stringify(this.wanted)} pass`,
      ...this.refused.map((path) => `  ${path}`),
      "Pass a filter that is true for one of these paths."
    ].join("\n")
  }
}

/** A name that several entries of a state have, where one is meant. */
export class AmbiguousName extends Schema.TaggedError<AmbiguousName>()("AmbiguousName", {
  operation: Schema.String,
  wanted: Schema.String,
  paths: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return [
      `${this.operation}: ${this.paths.length} entries of the state have the name ${JSON.stringify(this.wanted)}`,
      ...this.paths.map((path) => `  ${path}`),
      "Choose one by its path with { filtering }, or take all of them with Transform.getAllWithPath."
    ].join("\n")
  }
}

/** An update rule that cannot be traced: an operation on symbolic tensors that has no meaning. */
export class InvalidExpression extends Schema.TaggedError<InvalidExpression>()("InvalidExpression", {
  operation: Schema.String,
  path: Schema.optionalKey(Schema.String),
  detail: Schema.String
}) {
  override get message(): string {
    const where = this.path === undefined ? "" : ` at leaf ${this.path === "" ? "(root)" : this.path}`
    return `${this.operation}${where}: ${this.detail}`
  }
}

/** A tfjs backend that cannot be had. */
export class BackendUnavailable extends Schema.TaggedError<BackendUnavailable>()("BackendUnavailable", {
  backend: Schema.String,
  reason: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    return `The tfjs backend '${this.backend}' is not available: ${this.reason}`
  }
}

/**
 * The device of a backend went away under it: a WebGL context or a WebGPU device was lost, and all tensors on it with it.
 * A state that was saved before can be loaded into a layer that is built anew.
 */
export class BackendLost extends Schema.TaggedError<BackendLost>()("BackendLost", {
  backend: Schema.String
}) {
  override get message(): string {
    return [
      `The device of the tfjs backend '${this.backend}' was lost, and all tensors on it with it`,
      "Build the layer anew and load the state that was saved last."
    ].join("\n")
  }
}

/** What can go wrong in any computation on a backend. */
export type BackendError = OutOfMemory | BackendLost

/** The backend's memory cannot hold what was asked for. What was there before is intact. */
export class OutOfMemory extends Schema.TaggedError<OutOfMemory>()("OutOfMemory", {
  backend: Schema.String,
  requestedBytes: Schema.Finite,
  inUseBytes: Schema.Finite
}) {
  override get message(): string {
    return [
      `The tfjs backend '${this.backend}' has no room for ${this.requestedBytes} bytes (${this.inUseBytes} in use)`,
      "Dispose tensors that are no longer needed, donate the state to its update, or take smaller batches."
    ].join("\n")
  }
}

/** A number that had to be finite and is not. */
export class NonFinite extends Schema.TaggedError<NonFinite>()("NonFinite", {
  operation: Schema.String,
  quantity: Schema.String,
  value: Schema.String,
  step: Schema.Int
}) {
  override get message(): string {
    return `${this.operation}: ${this.quantity} is ${this.value} at step ${this.step}, expected a finite number`
  }
}

/** A loss that is not one float32 number. */
export class LossNotScalar extends Schema.TaggedError<LossNotScalar>()("LossNotScalar", {
  operation: Schema.String,
  found: Schema.String
}) {
  override get message(): string {
    return [
      `${this.operation}: the loss is ${this.found}, expected a float32 tensor of shape []`,
      "Return one number, for example tf.mean(x) or tf.sum(x) of @tensorflow/tfjs-core."
    ].join("\n")
  }
}

/** A loss that does not depend on some of the parameters. */
export class LossIndependent extends Schema.TaggedError<LossIndependent>()("LossIndependent", {
  operation: Schema.String,
  paths: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return [
      `${this.operation}: the loss does not depend on these leaves`,
      ...this.paths.map((path) => `  ${path === "" ? "(root)" : path}`),
      "Use every leaf in the loss with differentiable operations, or leave it out of the parameters."
    ].join("\n")
  }
}

/** What a thrown value says, even if it is none of the kinds that can say something. */
const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : toStringUnknown(cause))

/** A loss function that threw. */
export class LossFailed extends Schema.TaggedError<LossFailed>()("LossFailed", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `${this.operation}: the loss function threw: ${reasonOf(this.cause)}`
  }
}

/** Whatever can go wrong while an optimizer is initialised or updated. */
export type OptimError =
  | CyclicTree
  | StructureMismatch
  | InvalidHyperParameter
  | InvalidStep
  | MissingArgument
  | InvalidLeaf
  | InvalidMask
  | TensorMismatch
  | DisposedTensor
  | DonatedStateUsed
  | InvalidExpression
  | BackendError
  | NonFinite

/** Whatever can go wrong while a loss is differentiated. */
export type AutodiffError =
  | CyclicTree
  | InvalidLeaf
  | DisposedTensor
  | LossNotScalar
  | LossIndependent
  | LossFailed
  | BackendError
