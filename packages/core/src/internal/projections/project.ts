/**
 * Projections of whole trees, each as one program: nothing is read back, and what can be fused is.
 *
 * A projection may be given further trees beside the one it projects. Where such a tree may also be one number for all
 * elements, the number is a scalar of the program, so that another one traces nothing.
 */
import { PyTree, type TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Expr from "../../Expr.ts"
import type { OptimError } from "../../OptimError.ts"
import * as Plan from "../../Plan.ts"
import * as Program from "../../Program.ts"
import * as Scalar from "../../Scalar.ts"
import { Tensors } from "../../Tensors.ts"
import { atomically } from "../atomically.ts"
import { attempt } from "../attempt.ts"
import {
  checkShapes,
  type Flat,
  flatFloats,
  floatLeaves,
  shapeOfLeaf,
  type TensorLike,
  withTensors
} from "../leaves.ts"
import { memo } from "../memo.ts"
import { sameSpecs } from "../optimizer/layout.ts"
import type { Promoted } from "../optimizer/rule.ts"

/** How a projection treats what it is given. */
export interface ProjectionOptions {
  /** Give the tree away: it must not be used again, and its memory serves the projected one. */
  readonly donate?: boolean | undefined
}

/** Symbols of the leaves of a tree, or one number for all of them. */
export type Symbols = ReadonlyArray<Expr.Expr> | Scalar.Scalar

/** The number of the host that was given. */
export const number = (given: Symbols | undefined): Scalar.Scalar => {
  if (given instanceof Scalar.Scalar) return given
  throw new RangeError("the projection was given no number")
}

/** The leaves of the tree that was given. */
export const symbols = (given: Symbols | undefined): ReadonlyArray<Expr.Expr> => {
  if (given !== undefined && !(given instanceof Scalar.Scalar)) return given
  throw new RangeError("the projection was given no tree")
}

/** How leaves are projected, beside further trees and numbers. */
type Trace = (leaves: ReadonlyArray<Expr.Expr>, beside: ReadonlyArray<Symbols>) => ReadonlyArray<Expr.Expr>

/** A tree beside the one that is projected: its name, and whether its leaves may be of shape []. */
export interface Beside {
  readonly name: string
  readonly tree: unknown
  readonly shape: "same" | "same or []"
}

/** What is known of the arguments when they are traced: the specs of each tree's leaves, none for a number. */
type Layout = ReadonlyArray<ReadonlyArray<Expr.TensorSpec> | undefined>

const sameLayout = (a: Layout, b: Layout): boolean =>
  a.length === b.length &&
  a.every((specs, index) => {
    const others = b[index]
    return specs === undefined || others === undefined ? specs === others : sameSpecs(specs, others)
  })

/** The inputs in the order of the trees; the tree that is projected is the last, so that it can be donated alone. */
const planned = (trace: Trace) =>
  memo(sameLayout, (layout: Layout) => {
    const specs: Array<Expr.TensorSpec> = []
    const groups = layout.map((group, position): Symbols => {
      if (group === undefined) return Scalar.input(`host${position}`, position)
      return group.map((spec) => Expr.input(specs.push(spec) - 1, spec))
    })
    return Plan.make(Program.make(specs, trace(symbols(groups.at(-1)), groups.slice(0, -1))))
  })

const remedy = "Nothing is broadcast: give a leaf of the same shape for each leaf of the tree."

/** The leaves of a tree that has to have the structure and the shapes of the one that is projected. */
const leavesLike = (
  operation: string,
  { name, shape, tree }: Beside,
  { leaves, treeDef }: Flat
): ReadonlyArray<TensorLike> => {
  const parts = PyTree.flattenUpTo(treeDef, tree, {
    exact: true,
    operation,
    subject: `the tree ${name}`,
    reference: "the tree that is projected",
    hint: "Give both the same structure."
  })
  const own = floatLeaves(operation, parts, treeDef)
  const specs = leaves.map((leaf, index): Expr.TensorSpec => {
    const found = shapeOfLeaf(own[index] ?? 0)
    return { shape: shape !== "same" && found.length === 0 ? [] : shapeOfLeaf(leaf), dtype: "float32" }
  })
  checkShapes(operation, own, specs, treeDef, remedy)
  return own
}

interface Arguments {
  /** One entry for each tree beside, and last the tree itself; a number where there is one for all leaves. */
  readonly groups: ReadonlyArray<ReadonlyArray<TensorLike> | number>
  readonly treeDef: TreeDef.TreeDef
}

const argumentsOf = (operation: string, tree: unknown, beside: ReadonlyArray<Beside | number>): Arguments => {
  const projected = flatFloats(operation, tree)
  const groups = beside.map((one) => (typeof one === "number" ? one : leavesLike(operation, one, projected)))
  return { groups: [...groups, projected.leaves], treeDef: projected.treeDef }
}

const layoutOf = (groups: Arguments["groups"]): Layout =>
  groups.map((group) =>
    typeof group === "number"
      ? undefined
      : group.map((leaf): Expr.TensorSpec => ({ shape: shapeOfLeaf(leaf), dtype: "float32" }))
  )

/** A projection: its name and how it is traced; what it returns runs it on a tree, beside numbers and further trees. */
export const projection = (operation: string, trace: Trace) => {
  const planFor = planned(trace)
  const run = Effect.fn(operation)(function* <P>(
    tree: P,
    beside: ReadonlyArray<Beside | number>,
    { donate = false }: ProjectionOptions
  ): Effect.fn.Return<Promoted<P>, OptimError, Tensors> {
    const { execute } = yield* Tensors
    const { groups, treeDef } = yield* attempt(() => argumentsOf(operation, tree, beside))
    const plan = planFor(layoutOf(groups))
    const host = groups.map((group) => (typeof group === "number" ? group : 0))
    const leaves = groups.flatMap((group) => (typeof group === "number" ? [] : group))
    const outputs = yield* withTensors(leaves, (inputs: ReadonlyArray<Tensor>) =>
      execute({
        plan,
        inputs,
        scalars: Program.evaluateScalars(plan.program, host),
        donatedFrom: donate ? inputs.length - treeDef.leafCount : inputs.length,
        renewHandles: true
      })
    )
    // The same structure with a tensor for every leaf.
    return PyTree.unflatten(treeDef, outputs) as Promoted<P>
  })
  return atomically(run)
}
