/**
 * The norm of a tree, and gradients clipped by it.
 *
 * Both are one program over the whole tree: the norm stays on the device until somebody asks for the number.
 */
import { PyTree, type TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as References from "effect/References"
import * as Expr from "../../Expr.ts"
import type { OptimError } from "../../OptimError.ts"
import * as Plan from "../../Plan.ts"
import * as Program from "../../Program.ts"
import * as Scalar from "../../Scalar.ts"
import { Tensors } from "../../Tensors.ts"
import { atomically } from "../atomically.ts"
import { attempt } from "../attempt.ts"
import { disposeAll, floatLeaves, withTensors } from "../leaves.ts"
import { memo } from "../memo.ts"
import { bound, check } from "./hyperParameters.ts"
import { sameSpecs } from "./layout.ts"
import type { Promoted } from "./rule.ts"

/** How gradients are clipped. */
export interface ClipOptions {
  /** Give the gradients away: they must not be used again, and their memory serves the clipped ones. */
  readonly donate?: boolean | undefined
}

type Trace = (leaves: ReadonlyArray<Expr.Expr>) => ReadonlyArray<Expr.Expr>

const planned = (trace: Trace) =>
  memo(sameSpecs, (specs: ReadonlyArray<Expr.TensorSpec>) =>
    Plan.make(Program.make(specs, trace(specs.map((spec, index) => Expr.input(index, spec)))))
  )

/** √Σ⟨x, x⟩ over all leaves, added up in pairs. */
const norm = (leaves: ReadonlyArray<Expr.Expr>): Expr.Expr => {
  const squares = leaves.map((leaf) => Expr.sum(Expr.square(leaf)))
  const zero = Expr.full({ shape: [], dtype: "float32" }, 0)
  const total: Expr.Expr = PyTree.reduceAssociative(squares, (a: Expr.Expr, b: Expr.Expr) => Expr.add(a, b), {
    identity: zero
  })
  return Expr.sqrt(total)
}

const maxNormInput = Scalar.input("maxNorm", 0)

const clip: Trace = (leaves) => {
  const total = norm(leaves)
  const factor = Expr.div(maxNormInput, total)
  return leaves.map((leaf) => Expr.where(Expr.less(total, maxNormInput), leaf, Expr.mul(leaf, factor)))
}

const normPlan = planned((leaves) => [norm(leaves)])
const clipPlan = planned(clip)

interface Outputs {
  readonly tensors: ReadonlyArray<Tensor>
  readonly treeDef: TreeDef.TreeDef
}

/** Executes a plan on the leaves of a tree. */
const onTree = Effect.fnUntraced(function* (
  operation: string,
  tree: unknown,
  planFor: (specs: ReadonlyArray<Expr.TensorSpec>) => Plan.Plan,
  { donate = false, host = [] }: ClipOptions & { readonly host?: ReadonlyArray<number> }
): Effect.fn.Return<Outputs, OptimError, Tensors> {
  const { execute } = yield* Tensors
  const { leaves, treeDef } = yield* attempt(() => {
    const [leaves, treeDef] = PyTree.flatten(tree)
    return { leaves: floatLeaves(operation, leaves, treeDef), treeDef }
  })
  const tensors = yield* withTensors(leaves, (inputs) => {
    const plan = planFor(inputs.map(({ shape }) => ({ shape, dtype: "float32" })))
    return execute({
      plan,
      inputs,
      scalars: Program.evaluateScalars(plan.program, host),
      donatedFrom: donate ? 0 : inputs.length,
      renewHandles: true
    })
  })
  return { tensors, treeDef }
})

/**
 * The Euclidean norm of all elements of a tree, taken as one vector: `√Σ⟨x, x⟩`. An empty tree has norm 0.
 *
 * Source: `jax.example_libraries.optimizers.l2_norm`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const norm = Optimizer.l2Norm({ a: Float32Array.of(2, 3), b: 6 })
 * assert.strictEqual(await Effect.runPromise(norm.pipe(Effect.provide(Cpu.layer))), 7)
 * ```
 */
export const l2Norm: <P>(tree: P) => Effect.Effect<number, OptimError, Tensors> = Effect.fn("Optimizer.l2Norm")(
  function* <P>(tree: P): Effect.fn.Return<number, OptimError, Tensors> {
    const { tensors } = yield* onTree("Optimizer.l2Norm", tree, normPlan, {})
    const [total] = tensors
    if (total === undefined) return 0
    const { read } = yield* Tensors
    const [value = 0] = yield* Effect.ensuring(
      read(total),
      Effect.sync(() => disposeAll(tensors))
    )
    return value
  },
  (effect) => Effect.provideService(effect, References.PreventSchedulerYield, true)
)

const clipTree = Effect.fn("Optimizer.clipGrads")(function* <P>(
  grads: P,
  maxNorm: number,
  options: ClipOptions = {}
): Effect.fn.Return<Promoted<P>, OptimError, Tensors> {
  const operation = "Optimizer.clipGrads"
  yield* attempt(() => check(operation, { maxNorm }, { maxNorm: bound }))
  const { tensors, treeDef } = yield* onTree(operation, grads, clipPlan, { ...options, host: [maxNorm] })
  // The same structure with a tensor for every leaf.
  return PyTree.unflatten(treeDef, tensors) as Promoted<P>
})

/**
 * Gradients whose norm, over the whole tree, is at most `maxNorm`.
 *
 *     n = l2Norm(g)        g ← g if n < maxNorm, else g·(maxNorm / n)
 *
 * The result is new and belongs to the caller; with `{ donate: true }` the given gradients are consumed. A gradient with
 * an infinite or undefined element gives NaN, as in the reference. Fails with `InvalidHyperParameter` unless maxNorm ≥ 0.
 * Source: Pascanu, Mikolov & Bengio 2013; `jax.example_libraries.optimizers.clip_grads`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Optimizer.clipGrads({ a: 30, b: 40 }, 5)
 * const { a, b } = await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer)))
 * assert.deepStrictEqual([a.dataSync()[0], b.dataSync()[0]], [3, 4])
 * ```
 */
export const clipGrads: {
  (maxNorm: number, options?: ClipOptions): <P>(grads: P) => Effect.Effect<Promoted<P>, OptimError, Tensors>
  <P>(grads: P, maxNorm: number, options?: ClipOptions): Effect.Effect<Promoted<P>, OptimError, Tensors>
} = dual((args) => typeof args[1] === "number", atomically(clipTree))
