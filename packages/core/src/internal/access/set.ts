/** States with other entries. */
import { KeyPath, PyTree } from "@optim/pytree"
import { dual } from "effect/Function"
import { type Fault, TensorMismatch } from "../../OptimError.ts"
import { checkAlive, describeLeaf, pathOf } from "../leaves.ts"
import { entries, type Entry, type Filtering, nameAt } from "./entries.ts"
import { anyEntry, type FilteringOptions, notFound } from "./get.ts"
import type { Named, Names } from "./types.ts"

const operation = "Transform.set"

/** New entries by name, of the types that a state has there. */
export type Values<S> = { readonly [Name in Names<S>]?: Named<S, Name> | undefined }

const describe = (leaf: unknown): string => (typeof leaf === "number" ? "a number" : describeLeaf(leaf))

/** Throws `StructureMismatch` or `TensorMismatch` unless one can take the place of the other. */
const checkFits = (path: string, before: unknown, after: unknown): void => {
  const [leaves, treeDef] = PyTree.flatten<unknown>(before)
  const words = { exact: true, operation, subject: `the new ${path}`, reference: "the old one" }
  const hint = "Set what has the structure, the shapes and the dtypes of what is there."
  const faults = PyTree.flattenUpTo(treeDef, after, { ...words, hint }).flatMap(
    (found, index): ReadonlyArray<Fault> => {
      const [expected, actual] = [describe(leaves[index]), describe(found)]
      return expected === actual ? [] : [{ path: path + pathOf(treeDef, index), expected, found: actual }]
    }
  )
  if (faults.length > 0) throw new TensorMismatch({ operation, faults, remedy: hint })
  checkAlive(operation, PyTree.leaves(after), (index) => path + pathOf(treeDef, index))
}

/** Does the state come first? Options, which come last, have a filter. */
const isStateFirst = ({ 1: second }: ArrayLike<unknown>): boolean =>
  typeof second === "object" && second !== null && !("filtering" in second && typeof second.filtering === "function")

const setAll = (
  state: unknown,
  values: { readonly [name: string]: unknown },
  { filtering = anyEntry }: FilteringOptions = {}
): unknown => {
  const news = new Map(Object.entries(values).filter(([, value]) => value !== undefined))
  const meant: Filtering = (path, value) => news.has(nameAt(path) ?? "") && filtering(path, value)
  const found = new Set(
    entries(operation, state, (name) => news.has(name)).flatMap(([path, value]) =>
      filtering(path, value) ? [nameAt(path)] : []
    )
  )
  for (const name of news.keys()) if (!found.has(name)) throw notFound(operation, state, name)
  const [leaves, treeDef] = PyTree.flattenWithPath(state, { isLeaf: (value, path) => meant(path, value) })
  const next = leaves.map(([path, before]: Entry) => {
    if (!meant(path, before)) return before
    const after = news.get(nameAt(path) ?? "")
    checkFits(KeyPath.keystr(path), before, after)
    return after
  })
  return PyTree.unflatten(treeDef, next)
}

/**
 * A state with other entries under some names: another learning rate, moments that start anew.
 *
 * Every entry of a name is set, or those that `filtering` lets pass. The result shares all other tensors with the given
 * state, handle for handle: nothing is copied, and both are used up when one of them is donated or disposed. What was
 * replaced stays with the given state. Another number compiles nothing. Throws `UnknownName` for a name that nothing has,
 * `StructureMismatch` or `TensorMismatch` for a value that does not fit, and `DonatedStateUsed`. Source: `optax.tree.set`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(
 *   Transform.chain(
 *     Transform.clipByGlobalNorm({ maxNorm: 1 }),
 *     Transform.injectHyperparams(Transform.scaleByLearningRate, { learningRate: 0.5 })
 *   )
 * )
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, { w: 1 }, yield* optimizer.init({ w: 0 }))
 *   const slower = Transform.set(state, { learningRate: 0.25 })
 *   const { w } = optimizer.params(yield* optimizer.update(1, { w: 1 }, slower))
 *   return w.dataSync()[0]
 * })
 * assert.strictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), -0.75) // 0 − 0.5 − 0.25
 * ```
 */
export const set: {
  <const V extends { readonly [name: string]: unknown }>(values: V, options?: FilteringOptions): <S>(state: S) => S
  <S>(state: S, values: Values<S>, options?: FilteringOptions): S
} = dual(
  isStateFirst,
  <S>(state: S, values: Values<S>, options?: FilteringOptions) =>
    // The same structure, with entries that were compared with those before.
    setAll(state, values, options) as S
)
