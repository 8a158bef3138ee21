/** Entries of states by their names. */
import { KeyPath } from "@optim/pytree"
import { dual } from "effect/Function"
import { AmbiguousName, UnknownName } from "../../OptimError.ts"
import { entries, type Entry, type Filtering, nameAt } from "./entries.ts"
import type { Named, Names } from "./types.ts"

/** Which entries of a name are meant. */
export interface FilteringOptions {
  /** Which of them, by path and value; all of them if it is left out. */
  readonly filtering?: Filtering | undefined
}

/** Does the state come first? */
const isStateFirst = (args: ArrayLike<unknown>): boolean => typeof args[0] !== "string"

/** The filter that lets everything pass. */
export const anyEntry: Filtering = () => true

const allNamed = (
  operation: string,
  state: unknown,
  wanted: string,
  { filtering = anyEntry }: FilteringOptions
): ReadonlyArray<Entry> =>
  entries(operation, state, (name) => name === wanted).filter(([path, value]) => filtering(path, value))

/**
 * Everything in a state that stands under a name, with its path: nothing, one entry or several.
 *
 * The state is that of a transform, of an optimizer made of one, or any tree that holds such. An entry may be a number, a
 * tensor, a tree, or the state of another transform; tensors stay the state's. Throws `DonatedStateUsed`.
 * Source: `optax.tree.get_all_with_path`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import { KeyPath } from "@optim/pytree"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const both = Transform.chain(Transform.scaleByAdam(), Transform.scaleByLearningRate({ learningRate: 0.1 }))
 * const program = Effect.map(Transform.init(both, { w: 1 }), (state) =>
 *   Transform.getAllWithPath(state, "count").map(([path, count]) => [KeyPath.keystr(path), count])
 * )
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [
 *   ["[0]['count']", 0],
 *   ["[1]['count']", 0]
 * ])
 * ```
 */
export const getAllWithPath: {
  <Name extends string>(name: Name, options?: FilteringOptions): <S>(state: S) => ReadonlyArray<Entry<Named<S, Name>>>
  <S, Name extends Names<S>>(state: S, name: Name, options?: FilteringOptions): ReadonlyArray<Entry<Named<S, Name>>>
} = dual(
  isStateFirst,
  <S, Name extends Names<S>>(
    state: S,
    name: Name,
    options: FilteringOptions = {}
  ): ReadonlyArray<Entry<Named<S, Name>>> =>
    // What stands under the name is of the type that the state's type has there.
    allNamed("Transform.getAllWithPath", state, name, options) as ReadonlyArray<Entry<Named<S, Name>>>
)

/** Why nothing was found: no such name, or a filter that lets nothing pass. */
export const notFound = (operation: string, state: unknown, name: string): UnknownName => {
  const all = entries(operation, state, () => true)
  const refused = all.filter(([path]) => nameAt(path) === name)
  return new UnknownName({
    operation,
    wanted: name,
    names: [...new Set(all.map(([path]) => nameAt(path) ?? ""))].toSorted(),
    refused: refused.map(([path]) => KeyPath.keystr(path))
  })
}

/** Which entry is meant, and what stands for one that is not there. */
export interface GetOptions<D = never> extends FilteringOptions {
  /** The result where nothing stands under the name; without it, that is an error. */
  readonly default?: D
}

/**
 * The one entry of a state that stands under a name: a moment, a count, a hyper-parameter.
 *
 * The state is that of a transform, of an optimizer made of one, or any tree that holds such; depth does not matter.
 * Tensors stay the state's. Throws `UnknownName` where there is nothing, unless there is a `default`; `AmbiguousName` where
 * there are several, with all their paths; and `DonatedStateUsed`. Source: `optax.tree.get`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, Transform } from "@optim/core"
 * import { KeyPath } from "@optim/pytree"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const optimizer = Optimizer.fromTransform(
 *   Transform.chain(
 *     Transform.clipByGlobalNorm({ maxNorm: 1 }),
 *     Transform.injectHyperparams(Transform.adamw, { learningRate: 0.1, b1: 0.5 })
 *   )
 * )
 * const program = Effect.gen(function*() {
 *   const state = yield* optimizer.update(0, { w: 1 }, yield* optimizer.init({ w: 0 }))
 *   const inAdam = { filtering: (path: KeyPath.KeyPath) => KeyPath.keystr(path).includes("['innerState'][0]") }
 *   const { w: mean } = Transform.get(state, "mu")
 *   return [Transform.get(state, "learningRate"), mean.dataSync()[0], Transform.get(state, "count", inAdam)]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0.1, 0.5, 1])
 * ```
 */
export const get: {
  <Name extends string, D = never>(name: Name, options?: GetOptions<D>): <S>(state: S) => Named<S, Name> | D
  <S, Name extends Names<S>>(state: S, name: Name, options?: FilteringOptions): Named<S, Name>
  <S, Name extends string, D>(state: S, name: Name, options: GetOptions<D>): Named<S, Name> | D
} = dual(isStateFirst, (state: unknown, name: string, options: GetOptions<unknown> = {}): unknown => {
  const operation = "Transform.get"
  const [first, ...others] = allNamed(operation, state, name, options)
  if (first === undefined) {
    if ("default" in options) return options.default
    throw notFound(operation, state, name)
  }
  if (others.length === 0) return first[1]
  const paths = [first, ...others].map(([path]) => KeyPath.keystr(path))
  throw new AmbiguousName({ operation, wanted: name, paths })
})
