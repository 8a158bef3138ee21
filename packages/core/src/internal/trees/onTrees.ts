/**
 * Functions of trees of tensors: a rule on the leaves of trees, traced once for their shapes and executed as one program.
 *
 * The first tree says what the others must look like: the same structure, and leaves of the same shapes. A rule that gives
 * leaves makes a tree; a rule that gives one expression of shape [] makes a number, which is read back.
 */
import { PyTree, type TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Expr from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import type { OptimError } from "../../OptimError.ts"
import * as Plan from "../../Plan.ts"
import * as Program from "../../Program.ts"
import * as Scalar from "../../Scalar.ts"
import { Tensors } from "../../Tensors.ts"
import { atOnce, spanned } from "../atOnce.ts"
import {
  checkShapes,
  disposeAll,
  flatFloats,
  floatLeaves,
  shapeOfLeaf,
  type TensorLike,
  withTensorsUnsafe
} from "../leaves.ts"
import { memo } from "../memo.ts"
import { check, type Range } from "../optimizer/hyperParameters.ts"
import { sameSpecs } from "../optimizer/layout.ts"
import { evaluatorOf } from "../trace/evaluator.ts"

/** A tree while a rule is traced. */
export type Symbols = Leaves.Leaves<Expr.Expr>

/** Trees of one structure without their numbers: the specs of the first one's leaves, then of the next one's, …. */
interface Shapes {
  readonly treeDef: TreeDef.TreeDef
  readonly count: number
  readonly specs: ReadonlyArray<Expr.TensorSpec>
}

/** Trees of one structure, checked: their leaves, in the order of the specs. */
export interface Taken extends Shapes {
  readonly leaves: ReadonlyArray<TensorLike>
}

/** How the trees are called in errors, and what to do about one. */
export interface Words {
  readonly subject: (index: number) => string
  readonly remedy: string
}

const anyTrees: Words = {
  subject: (index) => `tree ${index + 1}`,
  remedy: "Pass trees of one structure, with leaves of the same shapes."
}

/** Trees that have names. */
export const called = (remedy: string, ...names: ReadonlyArray<string>): Words => ({
  subject: (index) => names[index] ?? "",
  remedy
})

const float32 = (leaf: TensorLike): Expr.TensorSpec => ({ shape: shapeOfLeaf(leaf), dtype: "float32" })

/** What another tree has at the leaves of the first. Throws `StructureMismatch`. */
export const partsOf = (
  operation: string,
  treeDef: TreeDef.TreeDef,
  tree: unknown,
  index: number,
  { remedy, subject }: Words = anyTrees
): ReadonlyArray<unknown> =>
  PyTree.flattenUpTo(treeDef, tree, {
    exact: true,
    operation,
    subject: subject(index),
    reference: subject(0),
    hint: remedy
  })

/** Float32 trees that look like the first. Throws `StructureMismatch`, `InvalidLeaf`, `TensorMismatch`, `DisposedTensor`. */
export const takeTrees = (
  operation: string,
  [first, ...others]: ReadonlyArray<unknown>,
  words: Words = anyTrees
): Taken => {
  const { leaves: own, treeDef } = flatFloats(operation, first)
  const specs = own.map(float32)
  const rest = others.map((tree, index) => {
    const where = `${operation} (${words.subject(index + 1)})`
    const leaves = floatLeaves(where, partsOf(operation, treeDef, tree, index + 1, words), treeDef)
    checkShapes(where, leaves, specs, treeDef, words.remedy)
    return leaves
  })
  const count = 1 + others.length
  return { treeDef, count, leaves: [own, ...rest].flat(), specs: new Array(count).fill(specs).flat() }
}

/** What is allowed for each of the numbers that a function is given. */
type Ranges = { readonly [name: string]: Range }

/** What is traced: the trees and, under their names, numbers of the host. */
type Trace<R extends Ranges, A> = (
  numbers: { readonly [Name in keyof R]: Scalar.Scalar },
  ...trees: ReadonlyArray<Symbols>
) => A

/** A function of trees and numbers. */
interface Spec<R extends Ranges, A> {
  /** Its name in messages. */
  readonly operation: string
  readonly numbers?: R
  readonly words?: Words
  /** How the trees are taken apart, if not as float32 trees that look like the first. */
  readonly take?: (operation: string, trees: ReadonlyArray<unknown>, words?: Words) => Taken
  readonly trace: Trace<R, A>
}

/** What a function of trees is given. */
interface Given<R extends Ranges> {
  readonly trees: ReadonlyArray<unknown>
  readonly numbers?: { readonly [Name in keyof R]: number }
  /** Which trees are given away? */
  readonly donate?: boolean | "others"
}

/** The first of so many tensors that is given away. */
const donatedFrom = (donate: boolean | "others", tensors: number, { count }: Shapes): number =>
  donate === true ? 0 : donate === "others" ? tensors / count : tensors

const sameShapes = (a: Shapes, b: Shapes): boolean => a.count === b.count && sameSpecs(a.specs, b.specs)

const symbolsOf = ({ count, specs, treeDef }: Shapes): ReadonlyArray<Symbols> => {
  const all = specs.map((spec, index) => Expr.input(index, spec))
  const size = treeDef.leafCount
  return Array.from({ length: count }, (_, tree) => Leaves.make(treeDef, all.slice(tree * size, (tree + 1) * size)))
}

/** Leaves of the same shapes share a plan, whatever the structure around them. */
const planner = <R extends Ranges>(names: ReadonlyArray<string>, trace: Trace<R, ReadonlyArray<Expr.Expr>>) => {
  // One scalar for each of the names.
  const scalars = Object.fromEntries(names.map((name, index) => [name, Scalar.input(name, index)])) as {
    readonly [Name in keyof R]: Scalar.Scalar
  }
  return memo(sameShapes, (shapes: Shapes) =>
    Plan.make(Program.make(shapes.specs, trace(scalars, ...symbolsOf(shapes))))
  )
}

interface Outputs {
  readonly treeDef: TreeDef.TreeDef
  readonly tensors: ReadonlyArray<Tensor>
}

/** Checks what is given and executes the plan for it, all in one operation; the caller owns the outputs. */
const runner = <R extends Ranges>({
  numbers: ranges,
  operation,
  take = takeTrees,
  trace,
  words
}: Spec<R, ReadonlyArray<Expr.Expr>>) => {
  const names = Object.keys(ranges ?? {})
  const planFor = planner(names, trace)
  return (tensors: Tensors["Service"], { donate = false, numbers, trees }: Given<R>): Outputs => {
    if (numbers !== undefined && ranges !== undefined) check(operation, numbers, ranges)
    const { leaves, ...shapes } = take(operation, trees, words)
    const plan = planFor(shapes)
    const scalars = evaluatorOf(plan.program)(names.map((name) => numbers?.[name] ?? Number.NaN))
    const from = donatedFrom(donate, leaves.length, shapes)
    const outputs = withTensorsUnsafe(tensors, leaves, (inputs) =>
      tensors.executeUnsafe({ plan, inputs, scalars, donatedFrom: from, renewHandles: true })
    )
    return { treeDef: shapes.treeDef, tensors: outputs }
  }
}

/** A function of trees to whatever is made of the tensors that it gives; the caller owns them. */
export const madeOf = <R extends Ranges, A>(spec: Spec<R, ReadonlyArray<Expr.Expr>>, make: (outputs: Outputs) => A) => {
  const run = runner<R>(spec)
  return (given: Given<R>): Effect.Effect<A, OptimError, Tensors> =>
    spanned(
      spec.operation,
      atOnce((service) => make(run(service, given)))
    )
}

/** A function of trees to a tree of the first one's structure; the caller owns it. */
export const treeOf = <R extends Ranges>({ trace, ...spec }: Spec<R, Symbols>) =>
  madeOf<R, unknown>(
    { ...spec, trace: (numbers, ...trees) => trace(numbers, ...trees).items },
    ({ tensors, treeDef }) => PyTree.unflatten(treeDef, tensors)
  )

/** The numbers of every output. */
const read = ({ tensors }: Outputs) =>
  Effect.flatMap(Tensors, ({ read }) => Effect.forEach(tensors, (tensor) => read(tensor)))

const release = ({ tensors }: Outputs): Effect.Effect<void> => Effect.sync(() => disposeAll(tensors))

/** A function of trees to a number. */
export const numberOf = <R extends Ranges>({ trace, ...spec }: Spec<R, Expr.Expr>) => {
  const run = runner<R>({ ...spec, trace: (numbers, ...trees) => [trace(numbers, ...trees)] })
  return (given: Given<R>): Effect.Effect<number, OptimError, Tensors> => {
    const outputs = atOnce((service) => run(service, given))
    const numbers = Effect.acquireUseRelease(outputs, read, release)
    return spanned(
      spec.operation,
      Effect.map(numbers, ([output]) => output?.[0] ?? Number.NaN)
    )
  }
}
