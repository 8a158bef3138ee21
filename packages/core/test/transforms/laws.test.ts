/**
 * Laws: what holds for every transform and every alias, on every backend, for each configuration of which there are
 * records.
 *
 * A transform gets all of this for its one export. What a row does otherwise stands in the catalogue, with a reason; a
 * reason that no longer holds fails.
 */
import { Tensors, Transform } from "@optim/core"
import { KeyPath, PyTree } from "@optim/pytree"
import { assert, describe, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { backends } from "../support/backends.ts"
import { compiled } from "../support/compiled.ts"
import { isArray } from "../support/golden.ts"
import { leavesNothing, memory } from "../support/memory.ts"
import { inParallel, values } from "../support/numbers.ts"
import { gradients, params as paramsOf, problem } from "../support/problems.ts"
import { forAll } from "../support/property.ts"
import { begun, given, leavesOf, owned, pathsOf, slopes, tensorsIn, type Training } from "../support/stepping.ts"
import { type Case, type Row, rows } from "../support/transforms.ts"

const { dispose, scoped } = Tensors

/** Structure, and what stands at each leaf: a number, or a tensor of some shape and dtype. */
const layout = (tree: unknown) => ({
  structure: String(PyTree.structure(tree)),
  leaves: leavesOf(tree).map((leaf) => (typeof leaf === "number" ? "number" : [leaf.dtype, ...leaf.shape]))
})

// --- steps -------------------------------------------------------------------------------------------------------

/** One step whose gradients are its own; donated, it consumes what it is given, else that is disposed. */
const advanced = Effect.fnUntraced(function* (
  transform: Transform.Any,
  tried: Case,
  before: Training,
  step: number,
  donate: boolean
) {
  const grads = slopes(tried, step)
  const options = { ...given(tried, before.params, step), donate }
  const after = yield* Transform.apply(transform, grads, before.state, options)
  if (!donate) yield* dispose([grads, before])
  return after satisfies Training
})

const trained = Effect.fnUntraced(function* (
  transform: Transform.Any,
  tried: Case,
  start: Training,
  steps: { readonly from: number; readonly to: number; readonly donate: boolean }
) {
  let latest = start
  for (let step = steps.from; step < steps.to; step++)
    latest = yield* advanced(transform, tried, latest, step, steps.donate)
  return latest
})

// --- laws --------------------------------------------------------------------------------------------------------

/** How much is tried on a backend. */
interface Effort {
  /** How many configurations of a transform. */
  readonly cases: number
  /** How many steps, before a state is copied and after it. */
  readonly steps: number
}

/**
 * The reference interpreter takes many times as long as kernels, and shaders take a while to compile without a graphics
 * card: there a law is tried on the configuration with the most options. The records run in every configuration.
 */
const efforts: { readonly [backend: string]: Effort } = {
  wasm: { cases: Number.POSITIVE_INFINITY, steps: 50 },
  cpu: { cases: 1, steps: 5 },
  webgl: { cases: 1, steps: 3 },
  webgpu: { cases: 1, steps: 3 }
}

/** A law for one configuration, on the backend in the environment. */
type Law = (tried: Case, row: Row, effort: Effort) => Effect.Effect<void, unknown, Tensors.Tensors | Scope.Scope>

const keepsLayout: Law = Effect.fnUntraced(function* (tried) {
  const transform = tried.make()
  const { params, state } = yield* scoped(begun(transform, tried))
  const grads = yield* owned(() => slopes(tried, 0))
  const next = yield* scoped(Transform.update(transform, grads, state, given(tried, params, 0)))
  assert.deepStrictEqual(layout(next.updates), layout(params))
  assert.deepStrictEqual(layout(next.state), layout(state))
})

const isPure: Law = Effect.fnUntraced(function* (tried) {
  const transform = tried.make()
  const { params, state } = yield* scoped(begun(transform, tried))
  const grads = yield* owned(() => slopes(tried, 0))
  const before = yield* values([params, state, grads])
  yield* scoped(Transform.update(transform, grads, state, given(tried, params, 0)))
  assert.deepStrictEqual(yield* values([params, state, grads]), before)
})

/** Bit for bit: the sum is rounded once, in a kernel of its own as behind the update. */
const appliesUpdates: Law = Effect.fnUntraced(function* (tried) {
  const transform = tried.make()
  let { params, state }: Training = yield* scoped(begun(transform, tried))
  for (let step = 0; step < 4; step++) {
    const grads = yield* owned(() => slopes(tried, step))
    const options = given(tried, params, step)
    const updated = yield* scoped(Transform.update(transform, grads, state, options))
    const added = yield* scoped(Transform.applyUpdates(params, updated.updates))
    const applied = yield* scoped(Transform.apply(transform, grads, state, options))
    const [one, other] = yield* inParallel([applied, { params: added, state: updated.state }], values)
    assert.deepStrictEqual(one, other, `after step ${step}`)
    ;({ params, state } = applied)
  }
})

const donatedIsPure: Law = Effect.fnUntraced(function* (tried) {
  const transform = tried.make()
  const after = (donate: boolean) =>
    Effect.flatMap(begun(transform, tried), (start) => trained(transform, tried, start, { from: 0, to: 5, donate }))
  const pure = yield* values(yield* scoped(after(false)))
  assert.deepStrictEqual(yield* values(yield* scoped(after(true))), pure)
})

const donatedUpdateIsPure: Law = Effect.fnUntraced(function* (tried) {
  const transform = tried.make()
  const { params, state } = yield* scoped(begun(transform, tried))
  const options = given(tried, params, 0)
  const pure = yield* scoped(Transform.update(transform, yield* owned(() => slopes(tried, 0)), state, options))
  const grads = yield* owned(() => slopes(tried, 0))
  const donated = yield* scoped(Transform.update(transform, grads, state, { ...options, donate: true }))
  assert.deepStrictEqual(yield* values(donated), yield* values(pure))
  assert.isTrue(leavesOf(params).every((leaf) => typeof leaf === "number" || !leaf.isDisposed))
})

/** The same numbers in tensors of their own. */
const copied = Effect.fnUntraced(function* (tree: Training) {
  const [leaves, treeDef] = PyTree.flatten(tree)
  const copies = yield* Effect.forEach(leaves, (leaf: unknown) =>
    leaf instanceof tf.Tensor
      ? Effect.map(
          Effect.promise(() => leaf.data()),
          (data) => tf.tensor(data.slice(), leaf.shape, leaf.dtype)
        )
      : Effect.succeed(leaf)
  )
  return PyTree.unflatten<Training, unknown>(treeDef, copies)
})

const resumes: Law = Effect.fnUntraced(function* (tried, _, { steps }) {
  const [transform, another] = [tried.make(), tried.make()]
  const start = yield* begun(transform, tried)
  const middle = yield* scoped(trained(transform, tried, start, { from: 0, to: steps, donate: false }))
  const copy = yield* copied(middle)
  const resumed = yield* scoped(trained(another, tried, copy, { from: steps, to: 2 * steps, donate: true }))
  const whole = yield* Effect.flatMap(begun(transform, tried), (again) =>
    scoped(trained(transform, tried, again, { from: 0, to: 2 * steps, donate: true }))
  )
  assert.deepStrictEqual(yield* values(resumed), yield* values(whole))
})

/** What is held, whether equal tensors share their numbers or not: zeros do where a state begins anew. */
const held = Effect.map(memory, ({ heapBytes, numBytes, numTensors }) => ({ heapBytes, numBytes, numTensors }))

const flatMemory = (donate: boolean): Law =>
  Effect.fnUntraced(function* (tried) {
    const transform = tried.make()
    const start = yield* begun(transform, tried)
    // Each way that the host may decide is taken before it is measured.
    let latest = yield* trained(transform, tried, start, { from: 0, to: 12, donate })
    const before = yield* held
    for (let step = 12; step < 24; step++) {
      latest = yield* advanced(transform, tried, latest, step, donate)
      assert.deepStrictEqual(yield* held, before, `after step ${step}`)
    }
    yield* dispose(latest)
  })

/** A transform that counts how often its rule is run, that is: traced. */
const counting = (transform: Transform.Any) => {
  const traces = { init: 0, update: 0 }
  const counted: Transform.Any = {
    ...transform,
    init: (params) => {
      traces.init += 1
      return transform.init(params)
    },
    update: (updates, state, context) => {
      traces.update += 1
      return transform.update(updates, state, context)
    }
  }
  return { counted, traces }
}

const compilesOnce: Law = Effect.fnUntraced(function* (tried, { branches }) {
  const { counted, traces } = counting(tried.make())
  const start = yield* begun(counted, tried)
  const warm = yield* trained(counted, tried, start, { from: 0, to: 12, donate: false })
  if (branches === undefined) assert.deepStrictEqual(traces, { init: 1, update: 1 })
  else assert.isAbove(traces.update, 1, `${branches}: this does not hold`)
  const settled = { ...traces }
  const more = Effect.gen(function* () {
    const further = yield* trained(counted, tried, warm, { from: 12, to: 24, donate: false })
    const again = yield* begun(counted, tried)
    yield* dispose([further, yield* trained(counted, tried, again, { from: 0, to: 12, donate: false })])
  })
  assert.strictEqual(yield* compiled(more), 0)
  assert.deepStrictEqual(traces, settled)
})

const everyTree: Law = (tried) =>
  forAll(
    problem,
    Effect.fnUntraced(function* (problem) {
      const transform = tried.make()
      const params = yield* owned(() => asTensors(paramsOf(problem)))
      const state: unknown = yield* scoped(Transform.init(transform, params))
      const grads = yield* owned(() => asTensors(gradients(problem, 0)))
      const next = yield* scoped(Transform.update(transform, grads, state, given(tried, params, 0)))
      assert.deepStrictEqual(layout(next.updates), layout(params))
      assert.deepStrictEqual(layout(next.state), layout(state))
    })
  )

/** The tree with tensors in the place of numbers and typed arrays, so that layouts can be compared. */
const asTensors = (tree: unknown): unknown =>
  PyTree.map(tree, (leaf: unknown) => {
    if (leaf instanceof tf.Tensor) return leaf
    return leaf instanceof Float32Array ? tf.tensor1d(leaf) : tf.scalar(Number(leaf))
  })

// --- masks -------------------------------------------------------------------------------------------------------

const masksAll: Law = Effect.fnUntraced(function* (tried) {
  const none: Transform.Any = Transform.masked(tried.make(), false)
  const { params, state } = yield* scoped(begun(none, tried))
  const [paths, held] = [pathsOf(tried.params), tensorsIn(state)]
  // A measurement of no leaf is a number, and all leaves of none as one vector have no element.
  assert.deepStrictEqual(
    held.filter(([path, { size }]) => size > 1 || paths.some((leaf) => path.includes(leaf))),
    []
  )
  const grads = yield* owned(() => slopes(tried, 0))
  const { updates } = yield* scoped(Transform.update(none, grads, state, given(tried, params, 0)))
  assert.deepStrictEqual(yield* values(updates), yield* values(grads))
})

const masksSome: Law = Effect.fnUntraced(function* (tried) {
  const [kept, ...others] = pathsOf(tried.params)
  const mask = PyTree.mapWithPath(tried.params, (path) => KeyPath.keystr(path) === kept, { isLeaf: isArray })
  const transform = tried.make()
  const some: Transform.Any = Transform.masked(transform, mask)
  const { params, state } = yield* scoped(begun(some, tried))
  const own = (tree: unknown) =>
    tensorsIn(tree)
      .filter(([path]) => kept !== undefined && path.includes(kept))
      .map(([, { shape }]) => shape)
  const full: unknown = yield* scoped(Transform.init(transform, params))
  assert.deepStrictEqual(own(state), own(full))
  const strangers = tensorsIn(state).filter(([path]) => others.some((leaf) => path.includes(leaf)))
  assert.deepStrictEqual(strangers, [])
  const grads = yield* owned(() => slopes(tried, 0))
  const { updates } = yield* scoped(Transform.update(some, grads, state, given(tried, params, 0)))
  assert.deepStrictEqual((yield* values(updates)).slice(1), (yield* values(grads)).slice(1))
})

// --- the matrix --------------------------------------------------------------------------------------------------

/** For every configuration. */
const laws: { readonly [law: string]: Law } = {
  "updates have the layout of the parameters, and the state keeps its own": keepsLayout,
  "an update leaves untouched what it is given": isPure,
  "apply is applyUpdates after update, bit for bit": appliesUpdates,
  "donated steps give the numbers of pure ones": donatedIsPure,
  "a donated update gives the numbers of a pure one, and leaves the parameters": donatedUpdateIsPure
}

/** For the configuration with the most options. */
const lawsOfOne: { readonly [law: string]: Law } = {
  "steps, a copy of the state, and as many more are one training": resumes,
  "pure steps make what they return and nothing else": flatMemory(false),
  "donated steps make nothing": flatMemory(true),
  "after the first steps nothing is traced or compiled": compilesOnce,
  "masked everywhere it holds nothing, and updates pass": masksAll,
  "masked but for one leaf it holds what belongs to that leaf": masksSome
}

for (const backend of backends) {
  const effort = efforts[backend.name] ?? { cases: 1, steps: 1 }
  layer(backend.layer)(`laws of transforms on ${backend.name}`, (it) => {
    for (const row of rows) {
      const hold = (check: Law, cases: number) =>
        Effect.forEach(row.cases.slice(0, cases), (tried) => leavesNothing(check(tried, row, effort)))
      describe(`of ${row.name}`, () => {
        for (const [law, check] of Object.entries(laws)) it.effect(law, () => hold(check, effort.cases))
        for (const [law, check] of Object.entries(lawsOfOne)) it.effect(law, () => hold(check, 1))
        const anywhere = row.cases.findLast(({ isOfOneTree }) => !isOfOneTree)
        if (anywhere !== undefined)
          it.effect("trees of every form keep their layout", () => everyTree(anywhere, row, effort))
      })
    }
  })
}
