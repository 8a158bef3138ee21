/**
 * The types of optimizers: the rule for one leaf that an author writes, and the triple for trees that a user calls.
 */
import type { PyTree, TreeDef } from "@optim/pytree"
import type { Scalar as TfScalar, Tensor, Tensor1D, TypedArray } from "@tensorflow/tfjs-core"
import type * as Chunk from "effect/Chunk"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Expr, TensorSpec } from "../../Expr.ts"
import type { OptimError } from "../../OptimError.ts"
import type { OptimizerState } from "../../OptimizerState.ts"
import type { Plan } from "../../Plan.ts"
import type { Scalar } from "../../Scalar.ts"
import type { Tensors } from "../../Tensors.ts"
import type { TensorLike } from "../leaves.ts"
import type { Held } from "./held.ts"
import type { HyperParameters } from "./hyperParameters.ts"

/** The step of an update as a symbol: t = 0, 1, …. */
export type Step = Scalar

/** An optimizer for one tensor; its state is any tree of symbolic tensors. */
export interface LeafRule<S> {
  /** The name in messages and checkpoints. */
  readonly name?: string
  /** What it was made with, for checkpoints and progress; by default, the options that its maker was given. */
  readonly hyperParameters?: HyperParameters
  /** The state before the first step, for the parameter `x`. */
  readonly init: (x: Expr) => S
  /** The state after a step, given the gradient `g`. Must keep the structure, shapes and dtypes of the state. */
  readonly update: (step: Step, g: Expr, state: S) => S
  /** The parameter within the state. */
  readonly params: (state: S) => Expr
}

/** Parameters as the optimizer holds them: numbers and typed arrays have become tensors. */
export type Promoted<P> = unknown extends P
  ? P
  : P extends Tensor
    ? P
    : P extends number
      ? TfScalar
      : P extends TypedArray
        ? Tensor1D
        : P extends null | undefined
          ? null
          : PyTree.Leaf<P> extends Tensor
            ? P
            : PromotedNode<P>

type PromotedNode<P> =
  P extends ReadonlyArray<infer A>
    ? PromotedArray<P, A>
    : P extends Option.Option<infer A>
      ? Option.Option<Promoted<A>>
      : P extends Chunk.Chunk<infer A>
        ? Chunk.Chunk<Promoted<A>>
        : P extends object
          ? { [K in keyof P]: Promoted<Required<Pick<P, K>>[K]> }
          : never

// Only this notation of arrays is evaluated lazily, without which recursive types would never end.
type PromotedArray<P extends ReadonlyArray<unknown>, A> = number extends P["length"]
  ? P extends Array<unknown>
    ? // oxlint-disable-next-line typescript/array-type -- see above
      Promoted<A>[]
    : // oxlint-disable-next-line typescript/array-type -- see above
      readonly Promoted<A>[]
  : { [K in keyof P]: Promoted<P[K]> }

/** The state of one leaf with tensors in place of symbols. */
export type Slots<S> = PyTree.Mapped<S, Tensor>

/** Gradients for parameters of type `P`: the same tree; its leaves may also be numbers or typed arrays. */
export type Gradients<P> = P | PyTree.Mapped<P, TensorLike>

/** How an update treats what it is given. */
export interface UpdateOptions {
  /**
   * Give gradients and state away, or the state alone: what is given must not be used again, and its memory serves the
   * new state.
   */
  readonly donate?: boolean | "state" | undefined
}

/** Makes the state for parameters; the caller keeps the parameters and owns the state. */
export type Init<S> = <P>(params: P) => Effect.Effect<OptimizerState<Promoted<P>, S>, OptimError, Tensors>

/** The options of an update, with the numbers that the optimizer needs: the loss as `value`, for one. */
export type UpdateArguments<Needs extends string> = [Needs] extends [never]
  ? [options?: UpdateOptions]
  : [options: UpdateOptions & { readonly [Need in Needs]: number }]

/** One step: the next state, which the caller owns. */
export type Update<S, Needs extends string = never> = <P>(
  step: number,
  grads: Gradients<NoInfer<P>>,
  state: OptimizerState<P, S>,
  ...options: UpdateArguments<Needs>
) => Effect.Effect<OptimizerState<P, S>, OptimError, Tensors>

/** The parameters within a state, in the user's own tree; they belong to the state, and are gone when it is donated. */
export type Params<S> = <P>(state: OptimizerState<P, S>) => P

/** What an optimizer does for parameters of given structure and shapes, without their numbers. */
export interface Traced {
  readonly treeDef: TreeDef.TreeDef
  readonly subtreeDefs: ReadonlyArray<TreeDef.TreeDef>
  /** The tensors of the state, sub-tree after sub-tree. */
  readonly slots: ReadonlyArray<TensorSpec>
  /** What a transform remembers beside the sub-trees before the first update, if there is one. */
  readonly transform?: Held
  /** From the parameters to the state. */
  readonly init: Plan
  /**
   * From the gradients and the state to the next state; scalars are functions of the step. Of a transform that goes
   * different ways, the first update.
   */
  readonly update: Plan
}

/**
 * An optimizer: the triple `[init, update, params]`, whose parts also have names.
 *
 * `S` is the tree of tensors that it keeps for each leaf of the parameters, `Needs` names the numbers that an update must
 * be given besides: few optimizers need any.
 */
export interface Optimizer<S, Needs extends string = never> extends Readonly<[Init<S>, Update<S, Needs>, Params<S>]> {
  readonly name: string
  readonly hyperParameters: HyperParameters
  readonly init: Init<S>
  readonly update: Update<S, Needs>
  readonly params: Params<S>
  /** What the optimizer would do for these parameters; computes nothing. */
  readonly trace: (params: unknown) => Effect.Effect<Traced, OptimError>
}

/**
 * An optimizer whatever its slots: for one that is chosen at run time. Its states are of type
 * `OptimizerState<P, any>`.
 */
// `Optimizer` is neither co- nor contravariant in its slots, so no other type holds all of them
// oxlint-disable-next-line typescript/no-explicit-any
export type Any = Optimizer<any>
