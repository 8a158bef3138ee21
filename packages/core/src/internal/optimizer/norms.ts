/**
 * The norm of a tree, and gradients clipped by it.
 *
 * Both are one program over the whole tree: the norm stays on the device until somebody asks for the number.
 */
import { PyTree, type TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Expr from "../../Expr.ts"
import type { BackendLost, OptimError } from "../../OptimError.ts"
import * as Plan from "../../Plan.ts"
import * as Program from "../../Program.ts"
import * as Scalar from "../../Scalar.ts"
import { Tensors } from "../../Tensors.ts"
import { atOnce, spanned } from "../atOnce.ts"
import { disposeAll, floatLeaves, withTensorsUnsafe } from "../leaves.ts"
import { memo } from "../memo.ts"
import { evaluatorOf } from "../trace/evaluator.ts"
import { bound, check } from "./hyperParameters.ts"
import { sameSpecs } from "./layout.ts"
import type { Promoted } from "./rule.ts"

/** How gradients are clipped. */
export interface ClipOptions {
  /** Give the gradients away: they must not be used again, and their memory serves the clipped ones. */
  readonly donate?: boolean | undefined
}

/** What is done to all leaves of a tree together. */
export type Trace = (leaves: ReadonlyArray<Expr.Expr>) => ReadonlyArray<Expr.Expr>

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

/** The leaves of a tree whose norm is at most so much. */
export const clip =
  (maxNorm: Expr.Host): Trace =>
  (leaves) => {
    const total = norm(leaves)
    const factor = Expr.div(maxNorm, total)
    return leaves.map((leaf) => Expr.where(Expr.less(total, maxNorm), leaf, Expr.mul(leaf, factor)))
  }

const normPlan = planned((leaves) => [norm(leaves)])
const clipPlan = planned(clip(Scalar.input("maxNorm", 0)))

interface Outputs {
  readonly tensors: ReadonlyArray<Tensor>
  readonly treeDef: TreeDef.TreeDef
}

/** Executes a plan on the leaves of a tree. */
const onTree = (
  tensors: Tensors["Service"],
  operation: string,
  tree: unknown,
  planFor: (specs: ReadonlyArray<Expr.TensorSpec>) => Plan.Plan,
  { donate = false, host = [] }: ClipOptions & { readonly host?: ReadonlyArray<number> }
): Outputs => {
  const [leaves, treeDef] = PyTree.flatten(tree)
  const outputs = withTensorsUnsafe(tensors, floatLeaves(operation, leaves, treeDef), (inputs) => {
    const plan = planFor(inputs.map(({ shape }) => ({ shape, dtype: "float32" })))
    const scalars = evaluatorOf(plan.program)(host)
    const donatedFrom = donate ? 0 : inputs.length
    return tensors.executeUnsafe({ plan, inputs, scalars, donatedFrom, renewHandles: true })
  })
  return { tensors: outputs, treeDef }
}

const readTotal = ({ tensors: [total] }: Outputs): Effect.Effect<number, BackendLost, Tensors> =>
  total === undefined
    ? Effect.succeed(0)
    : Effect.flatMap(Tensors, ({ read }) => Effect.map(read(total), ([value = 0]) => value))

const release = ({ tensors }: Outputs): Effect.Effect<void> => Effect.sync(() => disposeAll(tensors))

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
export const l2Norm = <P>(tree: P): Effect.Effect<number, OptimError, Tensors> => {
  const operation = "Optimizer.l2Norm"
  const norm = atOnce((tensors) => onTree(tensors, operation, tree, normPlan, {}))
  return spanned(operation, Effect.acquireUseRelease(norm, readTotal, release))
}

const clipTree = <P>(
  grads: P,
  maxNorm: number,
  options: ClipOptions = {}
): Effect.Effect<Promoted<P>, OptimError, Tensors> => {
  const operation = "Optimizer.clipGrads"
  return spanned(
    operation,
    atOnce((service) => {
      check(operation, { maxNorm }, { maxNorm: bound })
      const { tensors, treeDef } = onTree(service, operation, grads, clipPlan, { ...options, host: [maxNorm] })
      // The same structure with a tensor for every leaf.
      return PyTree.unflatten(treeDef, tensors) as Promoted<P>
    })
  )
}

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
} = dual((args) => typeof args[1] === "number", clipTree)
