/**
 * The state of an optimizer: for every leaf of the parameters a small tree of tensors.
 *
 * All tensors stand in one flat list (`leaves`), in the order of the parameters and of each sub-tree; `treeDef` is the
 * structure of the parameters, `subtreeDefs` that of each sub-tree. A state is itself a node of pytrees, with its
 * tensors as leaves, so it goes through `PyTree.map`, checkpoints and comparisons like any tree.
 *
 * The owner of a state owns its tensors: dispose it with `Tensors.dispose`, or give it away with `donate`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, OptimizerState } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const init = Optimizer.momentum({ stepSize: 0.1, mass: 0.9 }).init({ w: 1 })
 * const state = await Effect.runPromise(init.pipe(Effect.provide(Cpu.layer)))
 * assert.strictEqual(String(state.treeDef), "PyTreeDef({'w': *})")
 * assert.strictEqual(String(state.subtreeDefs[0]), "PyTreeDef({'v': *, 'x': *})")
 *
 * const unpacked = OptimizerState.unpack(state)
 * assert.deepStrictEqual(Object.keys(unpacked.w.subtree), ["v", "x"])
 * assert.strictEqual(OptimizerState.pack(unpacked).leaves[0], state.leaves[0])
 * ```
 */
import { JoinPoint, KeyPath, PyTree, TreeDef } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Schema from "effect/Schema"
import { checkNotDonated, donatedAt } from "./internal/optimizer/donation.ts"
import { isShown, ownLeaves } from "./internal/optimizer/handles.ts"
import { type Held, heldTree, ownHeld, splitHeld } from "./internal/optimizer/held.ts"
import type { State } from "./internal/transform/transform.ts"
import { isTensor } from "./internal/tensorLike.ts"
import { InvalidLeaf } from "./OptimError.ts"

export type { Held } from "./internal/optimizer/held.ts"

const TypeId = "~@optim/core/OptimizerState"

/** Stands in the place of sub-trees for an optimizer that was made of a transform with the symbolic state `T`. */
export interface OfTransform<in out T> {
  readonly "~transform": (state: T) => T
}

/**
 * The state of an optimizer for parameters of type `P`, with a sub-tree of type `S` for each of their leaves.
 *
 * A sub-tree with more slots is not one with fewer: the state of another optimizer does not compile. An optimizer that was
 * made of a transform keeps the parameters alone as sub-trees, and beside them the transform's own state (`transform`).
 */
export class OptimizerState<out P, in out S> {
  readonly [TypeId]: typeof TypeId = TypeId
  /** The structure of the parameters. */
  readonly treeDef: TreeDef.TreeDef<P>
  /** The structure of each leaf's sub-tree. */
  readonly subtreeDefs: ReadonlyArray<TreeDef.TreeDef<S>>
  /** @internal */
  readonly [ownLeaves]: ReadonlyArray<Tensor>
  /** @internal */
  readonly [ownHeld]: Held | undefined;
  /** @internal */
  [donatedAt]: number | undefined = undefined;
  /** @internal */
  [isShown] = true

  /**
   * A state of these tensors: those of the sub-trees, then those of what a transform remembers (`held`). Copies none.
   */
  constructor(
    treeDef: TreeDef.TreeDef<P>,
    subtreeDefs: ReadonlyArray<TreeDef.TreeDef<S>>,
    leaves: ReadonlyArray<Tensor>,
    held?: Held
  ) {
    this.treeDef = treeDef
    this.subtreeDefs = subtreeDefs
    this[ownLeaves] = leaves
    this[ownHeld] = held
  }

  /** All tensors, sub-tree after sub-tree, then those of the transform's state. Throws `DonatedStateUsed` for a state that was given away. */
  get leaves(): ReadonlyArray<Tensor> {
    checkNotDonated("OptimizerState", this)
    this[isShown] = true
    return this[ownLeaves]
  }

  /** Per leaf of the parameters, the tensors of its sub-tree. */
  get packedState(): ReadonlyArray<ReadonlyArray<Tensor>> {
    const { leaves } = this
    let start = 0
    return this.subtreeDefs.map((def) => leaves.slice(start, (start += def.leafCount)))
  }

  /** How pytrees take a state apart: the packed state, and what a transform remembers; the structures are metadata. */
  get [PyTree.symbol](): PyTree.NodeType<OptimizerState<unknown, unknown>, Metadata> {
    return node
  }
}

interface Metadata {
  readonly treeDef: TreeDef.TreeDef
  readonly subtreeDefs: ReadonlyArray<TreeDef.TreeDef>
}

const node: PyTree.NodeType<OptimizerState<unknown, unknown>, Metadata> = {
  name: "@optim/core/OptimizerState",
  metadata: Schema.Struct({ treeDef: TreeDef.schema, subtreeDefs: Schema.Array(TreeDef.schema) }),
  flatten: (state) => {
    const { [ownHeld]: held, packedState, subtreeDefs, treeDef } = state
    return {
      children: held === undefined ? [packedState] : [packedState, heldTree(state)],
      keys: [KeyPath.GetAttrKey("packedState"), KeyPath.GetAttrKey("transform")].slice(0, held === undefined ? 1 : 2),
      metadata: { treeDef, subtreeDefs }
    }
  },
  unflatten: ({ subtreeDefs, treeDef }, [packed, ...transform]) => {
    // A mapped tree has other leaves than tensors: then this is a state by its structure alone.
    const leaves = (packed as ReadonlyArray<ReadonlyArray<Tensor>>).flat()
    if (transform.length === 0) return new OptimizerState(treeDef, subtreeDefs, leaves)
    const { held, tensors } = splitHeld<Tensor>(transform[0])
    return new OptimizerState(treeDef, subtreeDefs, [...leaves, ...tensors], held)
  }
}

/**
 * What the transform of a state remembers, without its tensors: the structure and the numbers. `undefined` for the state of
 * an optimizer that was not made of a transform. With it, a state is made of tensors anew, by `new OptimizerState`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, OptimizerState, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const init = Optimizer.fromTransform(Transform.scaleByAdam()).init({ w: 1 })
 * const state = await Effect.runPromise(init.pipe(Effect.provide(Cpu.layer)))
 * const held = OptimizerState.held(state)
 * assert.strictEqual(String(held?.treeDef), "PyTreeDef({'count': *, 'mu': {'w': *}, 'nu': {'w': *}})")
 * assert.deepStrictEqual(held?.numbers, [0, undefined, undefined])
 *
 * const { leaves, subtreeDefs, treeDef } = state // the parameter, then mu and nu
 * const same = new OptimizerState.OptimizerState(treeDef, subtreeDefs, leaves, held)
 * assert.deepStrictEqual(OptimizerState.transform(same), OptimizerState.transform(state))
 * ```
 */
export const held = <P, S>(state: OptimizerState<P, S>): Held | undefined => state[ownHeld]

/** Is this the state of an optimizer? */
export const isOptimizerState = (u: unknown): u is OptimizerState<unknown, unknown> =>
  typeof u === "object" && u !== null && TypeId in u

/** The same state with other tensors, one for each of `leaves`. */
export const withLeaves = <P, S>(state: OptimizerState<P, S>, leaves: ReadonlyArray<Tensor>): OptimizerState<P, S> =>
  new OptimizerState(state.treeDef, state.subtreeDefs, leaves, state[ownHeld])

/**
 * What the transform of an optimizer remembers, under its own names: trees of tensors, and numbers. The tensors belong to
 * the state. Throws `DonatedStateUsed` for a state that was given away.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, OptimizerState, Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const optimizer = Optimizer.fromTransform(Transform.scaleByAdam({ b1: 0.5 }))
 *   const state = yield* optimizer.update(0, { w: 3 }, yield* optimizer.init({ w: 1 }))
 *   const { count, mu } = OptimizerState.transform(state)
 *   return [count, mu.w.dataSync()[0]]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [1, 1.5])
 * ```
 */
export const transform = <P, T>(state: OptimizerState<P, OfTransform<T>>): State<T, P> => {
  if (state[ownHeld] === undefined) throw new Error("the state of an optimizer made of a transform holds its tree")
  checkNotDonated("OptimizerState", state)
  state[isShown] = true
  // The structure was made by the transform with the state T, for parameters of type P.
  return heldTree(state) as State<T, P>
}

/** The parameters' tree with, at each leaf, a `JoinPoint` that holds the leaf's sub-tree. */
export type Unpacked<P, S> = PyTree.Mapped<P, JoinPoint.JoinPoint<S>>

/**
 * Shows a state as the tree of the parameters with each leaf's sub-tree at its place. Copies no tensor. What a transform
 * remembers is not in there; see `transform`.
 * Source: `jax.example_libraries.optimizers.unpack_optimizer_state`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Optimizer, OptimizerState } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const program = Effect.gen(function*() {
 *   const state = yield* Optimizer.momentum({ stepSize: 0.1, mass: 0.9 }).init({ w: 1 })
 *   const again = OptimizerState.pack(OptimizerState.unpack(state))
 *   return [Object.keys(OptimizerState.unpack(state).w.subtree), again.leaves[0] === state.leaves[0]]
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [["v", "x"], true])
 * ```
 */
export const unpack = <P, S>(state: OptimizerState<P, S>): Unpacked<P, S> => {
  const { packedState, subtreeDefs, treeDef } = state
  const subtrees = subtreeDefs.map((def, index) => PyTree.unflatten(def, packedState[index] ?? []))
  // The sub-trees are made of the structures of `S` and of tensors, so they are of type `S`.
  return PyTree.unflatten(
    treeDef,
    subtrees.map((subtree) => JoinPoint.make(subtree as S))
  )
}

const describe = (leaf: unknown): string => (leaf === null ? "null" : typeof leaf)

/**
 * The opposite of `unpack`. Throws `InvalidLeaf` unless every leaf is a `JoinPoint` that holds a tree of tensors.
 * Source: `jax.example_libraries.optimizers.pack_optimizer_state`.
 */
export const pack = <P, S>(unpacked: Unpacked<P, S>): OptimizerState<P, S> => {
  const [leaves, treeDef] = PyTree.flatten<unknown>(unpacked)
  const paths = TreeDef.paths(treeDef).map((path) => KeyPath.keystr(path))
  const joined = leaves.map((leaf: unknown, index) => {
    if (JoinPoint.isJoinPoint(leaf)) return PyTree.flatten(leaf.subtree)
    return notPacked(paths[index] ?? "", "a JoinPoint", leaf)
  })
  const tensors = joined.flatMap(([subleaves], index) =>
    subleaves.map((leaf: unknown) =>
      isTensor(leaf) ? leaf : notPacked(paths[index] ?? "", "a JoinPoint of tensors", leaf)
    )
  )
  // A tree of join points has the structure of the tree of parameters, whose type the caller gave.
  return new OptimizerState(
    treeDef as TreeDef.TreeDef<P>,
    joined.map(([, def]) => def as TreeDef.TreeDef<S>),
    tensors
  )
}

const notPacked = (path: string, expected: string, found: unknown): never => {
  throw new InvalidLeaf({ operation: "OptimizerState.pack", faults: [{ path, expected, found: describe(found) }] })
}
