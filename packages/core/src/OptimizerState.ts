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
import { isTensor } from "./internal/tensorLike.ts"
import { InvalidLeaf } from "./OptimError.ts"

const TypeId = "~@optim/core/OptimizerState"

/**
 * The state of an optimizer for parameters of type `P`, with a sub-tree of type `S` for each of their leaves.
 *
 * A sub-tree with more slots is not one with fewer: the state of another optimizer does not compile.
 */
export class OptimizerState<out P, in out S> {
  readonly [TypeId]: typeof TypeId = TypeId
  /** The structure of the parameters. */
  readonly treeDef: TreeDef.TreeDef<P>
  /** The structure of each leaf's sub-tree. */
  readonly subtreeDefs: ReadonlyArray<TreeDef.TreeDef<S>>
  /** @internal */
  readonly [ownLeaves]: ReadonlyArray<Tensor>;
  /** @internal */
  [donatedAt]: number | undefined = undefined;
  /** @internal */
  [isShown] = true

  constructor(
    treeDef: TreeDef.TreeDef<P>,
    subtreeDefs: ReadonlyArray<TreeDef.TreeDef<S>>,
    leaves: ReadonlyArray<Tensor>
  ) {
    this.treeDef = treeDef
    this.subtreeDefs = subtreeDefs
    this[ownLeaves] = leaves
  }

  /** All tensors, sub-tree after sub-tree. Throws `DonatedStateUsed` for a state that was given away. */
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

  /** How pytrees take a state apart: one child, the packed state; the structures are metadata. */
  get [PyTree.symbol](): PyTree.NodeType<
    OptimizerState<unknown, unknown>,
    Metadata,
    ReadonlyArray<ReadonlyArray<Tensor>>
  > {
    return node
  }
}

interface Metadata {
  readonly treeDef: TreeDef.TreeDef
  readonly subtreeDefs: ReadonlyArray<TreeDef.TreeDef>
}

const node: PyTree.NodeType<OptimizerState<unknown, unknown>, Metadata, ReadonlyArray<ReadonlyArray<Tensor>>> = {
  name: "@optim/core/OptimizerState",
  metadata: Schema.Struct({ treeDef: TreeDef.schema, subtreeDefs: Schema.Array(TreeDef.schema) }),
  flatten: ({ packedState, subtreeDefs, treeDef }) => ({
    children: [packedState],
    keys: [KeyPath.GetAttrKey("packedState")],
    metadata: { treeDef, subtreeDefs }
  }),
  unflatten: ({ subtreeDefs, treeDef }, [packed = []]) => new OptimizerState(treeDef, subtreeDefs, packed.flat())
}

/** Is this the state of an optimizer? */
export const isOptimizerState = (u: unknown): u is OptimizerState<unknown, unknown> =>
  typeof u === "object" && u !== null && TypeId in u

/** The parameters' tree with, at each leaf, a `JoinPoint` that holds the leaf's sub-tree. */
export type Unpacked<P, S> = PyTree.Mapped<P, JoinPoint.JoinPoint<S>>

/**
 * Shows a state as the tree of the parameters with each leaf's sub-tree at its place. Copies no tensor.
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
