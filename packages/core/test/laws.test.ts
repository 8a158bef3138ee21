/**
 * Laws: what holds for every optimizer of the catalogue, on every backend, for trees of every form.
 *
 * An optimizer gets all of this for its one export; a row that a law does not fit says so, with a reason, in the
 * catalogue.
 */
import { DonatedStateUsed, Expr, Optimizer, OptimizerState, Scalar, Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import { JoinPoint, PyTree, TreeDef } from "@optim/pytree"
import { assert, describe, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { backends } from "./support/backends.ts"
import { catalogue, type Row, typical } from "./support/catalogue.ts"
import { deviation, numbers, toTensors } from "./support/golden.ts"
import { everyInterruption } from "./support/interruption.ts"
import { leavesNothing, memory } from "./support/memory.ts"
import { contents, tensorsOf, values } from "./support/numbers.ts"
import { expected, gradients, Leaf, params, type Problem, problem } from "./support/problems.ts"
import { forAll } from "./support/property.ts"

type State = OptimizerState.OptimizerState<unknown, unknown>

const { dispose, scoped } = Tensors

const alive = (tree: unknown): ReadonlyArray<boolean> => tensorsOf(tree).map((tensor) => !tensor.isDisposed)

const all = (tree: unknown, value: boolean): ReadonlyArray<boolean> => tensorsOf(tree).map(() => value)

const owned = <A>(make: () => A): Effect.Effect<A, never, Scope.Scope> => scoped(Effect.sync(make))

/** The structures of a state, and the shape and dtype of each of its tensors. */
const layout = (state: State) => ({
  structure: String(PyTree.structure(state)),
  subtrees: state.subtreeDefs.map(String),
  specs: state.leaves.map(({ dtype, shape }) => [dtype, shape])
})

const isTensorLeaf = (leaf: unknown): boolean => typeof leaf === "object" && leaf !== null && "dataId" in leaf

/** The tensors among leaves that may also be numbers and typed arrays. */
const onlyTensors = (tree: unknown): unknown => PyTree.leaves(tree).filter(isTensorLeaf)

/** A law for one row, on the backend in the environment. */
type Law = (row: Row) => Effect.Effect<void, unknown, Tensors.Tensors | Scope.Scope>

const initialised = Effect.fnUntraced(function* (row: Row, problem: Problem) {
  const optimizer = typical(row)
  const given = yield* owned(() => params(problem))
  return { optimizer, given, state: yield* scoped(optimizer.init(given)) }
})

const roundTrip: Law = (row) =>
  forAll(
    problem,
    Effect.fnUntraced(function* (problem) {
      const { given, optimizer, state } = yield* initialised(row, problem)
      const found = optimizer.params(state)
      assert.isTrue(Equal.equals(PyTree.structure(found), PyTree.structure(given)))
      assert.deepStrictEqual(yield* values(found), expected(problem))
      assert.deepStrictEqual(
        (yield* contents(found)).map(({ dtype }) => dtype),
        tensorsOf(found).map(() => "float32")
      )
      assert.deepStrictEqual(
        tensorsOf(found).map((tensor) => state.leaves.includes(tensor)),
        all(found, true)
      )
    })
  )

const ownsNothingGiven: Law = (row) =>
  forAll(
    problem,
    Effect.fnUntraced(function* (problem) {
      const { given, state } = yield* initialised(row, problem)
      const before = yield* contents(state)
      yield* dispose(onlyTensors(given))
      assert.deepStrictEqual(yield* contents(state), before)
    })
  )

const keepsLayout: Law = (row) =>
  forAll(
    problem,
    Effect.fnUntraced(function* (problem) {
      const { optimizer, state } = yield* initialised(row, problem)
      const grads = yield* owned(() => gradients(problem, 0))
      const next = yield* scoped(optimizer.update(0, grads, state))
      assert.deepStrictEqual(layout(next), layout(state))
      assert.isTrue(Equal.equals(PyTree.structure(next), PyTree.structure(state)))
    })
  )

const isPure: Law = (row) =>
  forAll(
    problem,
    Effect.fnUntraced(function* (problem) {
      const { given, optimizer, state } = yield* initialised(row, problem)
      const grads = yield* owned(() => gradients(problem, 0))
      const inputs = [onlyTensors(given), onlyTensors(grads), state]
      const before = yield* contents(inputs)
      yield* scoped(optimizer.update(0, grads, state))
      assert.deepStrictEqual(alive(inputs), all(inputs, true))
      assert.deepStrictEqual(yield* contents(inputs), before)
    })
  )

/** The state after a few steps, each of which owns its gradients. */
const trained = Effect.fnUntraced(function* (row: Row, problem: Problem, options: Optimizer.UpdateOptions) {
  const { optimizer, state } = yield* initialised(row, problem)
  const history = [yield* contents(state)]
  let latest = state
  for (let step = 0; step < 3; step++) {
    const grads = yield* owned(() => gradients(problem, step))
    latest = yield* scoped(optimizer.update(step, grads, latest, options))
    history.push(yield* contents(latest))
  }
  return history
})

const donatedIsPure: Law = (row) =>
  forAll(
    problem,
    Effect.fnUntraced(function* (problem) {
      const pure = yield* trained(row, problem, {})
      assert.deepStrictEqual(yield* trained(row, problem, { donate: true }), pure)
      assert.deepStrictEqual(yield* trained(row, problem, { donate: "state" }), pure)
    })
  )

/** Every way to the tensors of a state. */
const ways: ReadonlyArray<(state: State) => unknown> = [
  (state) => state.leaves,
  (state) => state.packedState,
  (state) => PyTree.flatten(state),
  (state) => OptimizerState.unpack(state)
]

/** What was given away is disposed, or it is a tensor of the new state, written over. */
const areSpent = (given: ReadonlyArray<tf.Tensor>, next: State): boolean =>
  given.every((tensor) => tensor.isDisposed || next.leaves.includes(tensor))

const donationConsumes: Law = (row) =>
  forAll(
    problem,
    Effect.fnUntraced(function* (problem) {
      const { optimizer, state } = yield* initialised(row, problem)
      const slopes = (step: number) => owned(() => gradients(problem, step))
      const pure = yield* scoped(optimizer.update(4, yield* slopes(4), state))
      const [given, grads] = [state.leaves, yield* slopes(4)]
      const next = yield* scoped(optimizer.update(4, grads, state, { donate: true }))
      assert.deepStrictEqual(alive(onlyTensors(grads)), all(onlyTensors(grads), false))
      assert.isTrue(areSpent(given, next))
      for (const way of [...ways, optimizer.params]) assert.throws(() => way(state), DonatedStateUsed)
      const error = yield* Effect.flip(optimizer.update(5, grads, state))
      assert.deepInclude(error, { _tag: "DonatedStateUsed", donatedAtStep: 4 })
      // The tensors belong to the new state: the old one cannot dispose them.
      yield* dispose(state)
      const [one, other] = [
        yield* scoped(optimizer.update(5, yield* slopes(5), pure)),
        yield* scoped(optimizer.update(5, yield* slopes(5), next))
      ]
      assert.deepStrictEqual(yield* contents([next, other]), yield* contents([pure, one]))
    })
  )

const donatesStateAlone: Law = (row) =>
  forAll(
    problem,
    Effect.fnUntraced(function* (problem) {
      const { optimizer, state } = yield* initialised(row, problem)
      const grads = yield* owned(() => gradients(problem, 0))
      const [given, before] = [state.leaves, yield* contents(onlyTensors(grads))]
      const next = yield* scoped(optimizer.update(0, grads, state, { donate: "state" }))
      assert.deepStrictEqual(yield* contents(onlyTensors(grads)), before)
      assert.isTrue(areSpent(given, next))
      assert.throws(() => state.leaves, DonatedStateUsed)
    })
  )

const packs: Law = (row) =>
  forAll(
    problem,
    Effect.fnUntraced(function* (problem) {
      const { optimizer, state } = yield* initialised(row, problem)
      const unpacked = OptimizerState.unpack(state)
      const again = OptimizerState.pack<unknown, unknown>(unpacked)
      assert.deepStrictEqual(layout(again), layout(state))
      assert.isTrue(Equal.equals(again.treeDef, state.treeDef) && Equal.equals(again.subtreeDefs, state.subtreeDefs))
      assert.isTrue(again.leaves.every((leaf, index) => leaf === state.leaves[index]))
      assert.isTrue(PyTree.leaves(unpacked).every((leaf: unknown) => JoinPoint.isJoinPoint(leaf)))
      assert.deepStrictEqual(yield* values(optimizer.params(again)), expected(problem))
    })
  )

const isTree: Law = (row) =>
  forAll(
    problem,
    Effect.fnUntraced(function* (problem) {
      const { optimizer, state } = yield* initialised(row, problem)
      const [leaves, treeDef] = PyTree.flatten(state)
      const again: unknown = PyTree.unflatten(treeDef, leaves)
      if (!OptimizerState.isOptimizerState(again)) return assert.fail("not a state")
      assert.strictEqual(TreeDef.leafCount(treeDef), state.leaves.length)
      assert.isTrue(leaves.every((leaf, index) => leaf === state.leaves[index]))
      const grads = yield* owned(() => gradients(problem, 0))
      const [one, other] = [
        yield* scoped(optimizer.update(0, grads, state)),
        yield* scoped(optimizer.update(0, grads, again))
      ]
      assert.deepStrictEqual(yield* contents(other), yield* contents(one))
    })
  )

/** The wasm backend computes + − × ÷ √ and comparisons as the reference does, so not one bit may differ. */
const agrees: Law = Effect.fnUntraced(function* (row) {
  const reference = yield* Layer.build(Cpu.layer)
  yield* forAll(
    problem,
    Effect.fnUntraced(function* (problem) {
      const found = yield* trained(row, problem, {})
      assert.deepStrictEqual(found, yield* Effect.provide(trained(row, problem, {}), reference))
    })
  )
})

/** Two leaves that have to be promoted, and one that does not. */
const small: Problem = {
  tree: { a: new Leaf("number", []), b: [new Leaf("vector", [3]), new Leaf("tensor", [2, 2])] },
  values: [1, -2, 0.5],
  slopes: [0.25, -1, 3]
}

const flatMemory = (options: Optimizer.UpdateOptions): Law =>
  Effect.fnUntraced(function* (row) {
    const optimizer = typical(row)
    const given = yield* owned(() => params(small))
    let state = yield* optimizer.init(given)
    const advance = Effect.fnUntraced(function* (step: number) {
      const grads = gradients(small, step)
      const next = yield* optimizer.update(step, grads, state, options)
      if (options.donate !== true) yield* dispose([onlyTensors(grads), state])
      state = next
    })
    // A new state shares its zeros, and its parameters with the user; from the first step on it has its own.
    yield* advance(0)
    const before = yield* memory
    for (let step = 1; step < 30; step++) {
      yield* advance(step)
      assert.deepStrictEqual(yield* memory, before)
    }
    yield* dispose(state)
  })

/** No tensors at its leaves: all gradients have to be promoted. */
const plain: Problem = { ...small, tree: { a: new Leaf("number", []), b: [new Leaf("vector", [3])] } }

const numTensors = (): number => tf.memory().numTensors

const isGone = (state: State): boolean => {
  try {
    return state.leaves === undefined
  } catch {
    return true
  }
}

/**
 * An interrupted update has happened or not: the old state is whole or wholly consumed, the new one is complete or was
 * never made, and no promoted gradient is left. A new state can get lost only at the one operation at which it reaches
 * the caller; a caller who must not lose it keeps it in an uninterruptible region, as `Train` does.
 */
const interrupts = (options: Optimizer.UpdateOptions): Law =>
  Effect.fnUntraced(function* (row) {
    const optimizer = typical(row)
    const slopes = gradients(plain, 0)
    const fresh = scoped(optimizer.init(params(plain)))
    const old = yield* contents(yield* fresh)
    const next = yield* contents(yield* scoped(optimizer.update(0, slopes, yield* fresh)))
    let [state, found, lost]: [State, State | undefined, number] = [yield* fresh, undefined, 0]
    let [given, before] = [state.leaves, numTensors()]
    const update = Effect.suspend(() =>
      Effect.map(optimizer.update(0, slopes, state, options), (next) => (found = next))
    )
    const check = Effect.gen(function* () {
      const made = numTensors() - before
      const consumed = isGone(state)
      const happened = consumed || made !== 0
      assert.strictEqual(made, (happened ? next.length : 0) - (consumed ? old.length : 0))
      if (!consumed) assert.deepStrictEqual(yield* contents(given), old)
      else assert.strictEqual((yield* Effect.flip(optimizer.update(1, slopes, state)))._tag, "DonatedStateUsed")
      if (found !== undefined) assert.deepStrictEqual(yield* contents(found), next)
      else if (happened) lost += 1
      yield* dispose([state, found, given])
      ;[state, found] = [yield* fresh, undefined]
      ;[given, before] = [state.leaves, numTensors()]
    })
    assert.isAbove(yield* everyInterruption(update, () => check), 3)
    assert.isAtMost(lost, 1)
  })

const equalsReference: Law = Effect.fnUntraced(function* (row) {
  const [record] = row.records
  if (record === undefined) return assert.fail("no golden record")
  const optimizer = typical(row)
  let state = yield* optimizer.init(yield* owned(() => toTensors(record.params0)))
  for (const [step, grads] of record.grads.entries()) {
    state = yield* optimizer.update(step, toTensors(grads), state, { donate: true })
    const found = (yield* values(optimizer.params(state))).flat()
    const { max_abs } = deviation(found, numbers(record.params[step]).flat())
    assert.isAtMost(max_abs, 10 * (record.extra?.f32.max_abs ?? 0), `step ${step}`)
  }
  yield* dispose(state)
})

const laws: { readonly [law: string]: Law } = {
  "the parameters of a new state are the parameters given to init": roundTrip,
  "a state does not depend on what it was made of": ownsNothingGiven,
  "an update keeps structure, shapes and dtypes": keepsLayout,
  "a pure update leaves what it is given untouched": isPure,
  "a donated update gives the numbers of a pure one": donatedIsPure,
  "a donated update consumes gradients and state": donationConsumes,
  "a state can be donated alone": donatesStateAlone,
  "a state is the same after unpack and pack": packs,
  "a state goes through flatten and unflatten": isTree,
  "a pure update makes its state and nothing else": flatMemory({}),
  "a donated update makes nothing": flatMemory({ donate: true }),
  "the first golden record": equalsReference
}

const interruptions: { readonly [law: string]: Law } = {
  "an interrupted pure update leaves the old state": interrupts({}),
  "an interrupted donated update leaves the old state or the new one": interrupts({ donate: true })
}

for (const backend of backends) {
  layer(backend.layer)(`laws on ${backend.name}`, (it) => {
    for (const row of catalogue) {
      describe(`of ${row.name}`, () => {
        for (const [law, check] of Object.entries(laws)) it.effect(law, () => leavesNothing(check(row)))
        for (const [law, check] of Object.entries(interruptions)) it.effect(law, () => check(row))
        if (backend.layer !== Cpu.layer) it.effect("the numbers are the reference interpreter's", () => agrees(row))
      })
    }
  })
}

/** A rule that counts how often it is run, that is: traced. */
const counted = () => {
  const calls = { init: 0, update: 0, schedule: 0 }
  const make = Optimizer.leafwise((stepSize: Optimizer.StepSize) => {
    const rate = Scalar.schedule(stepSize)
    return {
      init: (x) => {
        calls.init += 1
        return { x, m: Expr.zerosLike(x) }
      },
      update: (step, g, { m, x }) => {
        calls.update += 1
        return { x: Expr.sub(x, Expr.mul(rate(step), g)), m: Expr.add(m, g) }
      },
      params: ({ x }) => x
    }
  })
  const optimizer = make((step) => {
    calls.schedule += 1
    return 2 ** -step
  })
  return { calls, optimizer }
}

layer(Cpu.layer)("tracing", (it) => {
  it.effect("a rule is run once for leaves that are alike, whatever the numbers, states and step sizes", () =>
    Effect.gen(function* () {
      const { calls, optimizer } = counted()
      let state = yield* optimizer.init({ a: 1, b: [2, 3] })
      for (let step = 0; step < 4; step++) {
        state = yield* optimizer.update(step, { a: 1, b: [2, 4] }, state, { donate: step % 2 === 0 })
      }
      assert.deepStrictEqual(yield* values(optimizer.params(state)), [[-0.875], [-1.75], [-4.5]])
      const other = yield* optimizer.init({ b: [8, 9], a: 7 })
      yield* optimizer.update(1, { a: 0, b: [0, 0] }, other)
      assert.deepStrictEqual(calls, { init: 3, update: 1, schedule: 5 })
    })
  )

  it.effect("another structure or shape is traced for itself, and the first is still known", () =>
    Effect.gen(function* () {
      const { calls, optimizer } = counted()
      const step = <P>(params: P, grads: Optimizer.Gradients<Optimizer.Promoted<P>>) =>
        Effect.flatMap(optimizer.init(params), (state) => optimizer.update(0, grads, state))
      yield* step(1, 1)
      yield* step([1], [1])
      yield* step(Float32Array.of(1, 2), Float32Array.of(1, 2))
      assert.deepStrictEqual(calls, { init: 3, update: 3, schedule: 3 })
      yield* step(5, 6)
      yield* step([5], [6])
      yield* step(Float32Array.of(5, 6), Float32Array.of(7, 8))
      assert.deepStrictEqual(calls, { init: 3, update: 3, schedule: 6 })
    })
  )

  it.effect("a state that was packed anew or rebuilt as a tree is not traced again", () =>
    Effect.gen(function* () {
      const { calls, optimizer } = counted()
      const state = yield* optimizer.init({ a: 1 })
      yield* optimizer.update(0, { a: 1 }, state)
      yield* optimizer.update(0, { a: 1 }, OptimizerState.pack(OptimizerState.unpack(state)))
      const [leaves, treeDef] = PyTree.flatten(state)
      yield* optimizer.update(0, { a: 1 }, PyTree.unflatten<typeof state, (typeof leaves)[number]>(treeDef, leaves))
      assert.deepStrictEqual(calls, { init: 1, update: 1, schedule: 3 })
    })
  )
})
