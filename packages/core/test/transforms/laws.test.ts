/**
 * Laws: what holds for every transform and every alias, on every backend, for each configuration of which there are
 * records.
 *
 * A transform gets all of this for its one export. What a row does otherwise stands in the catalogue, with a reason; a
 * reason that no longer holds fails.
 */
/// <reference types="vite/client" />
import { Optimizer, type Plan, Tensors, Transform } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import { KeyPath, PyTree } from "@optim/pytree"
import { assert, describe, it, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { backends } from "../support/backends.ts"
import { compiled } from "../support/compiled.ts"
import { isArray, toTensors } from "../support/golden.ts"
import { leavesNothing, memory } from "../support/memory.ts"
import { gradients, params as paramsOf, problem } from "../support/problems.ts"
import { forAll } from "../support/property.ts"
import {
  type Case,
  exported,
  nameOf,
  notExported,
  notTransforms,
  type Reach,
  records,
  type Row,
  rows,
  unknownNames,
  withoutRecord
} from "../support/transforms.ts"

const { dispose, scoped } = Tensors

const owned = <A>(make: () => A): Effect.Effect<A, never, Scope.Scope> => scoped(Effect.sync(make))

type Leaf = tf.Tensor | number

const leavesOf = (tree: unknown): ReadonlyArray<Leaf> => PyTree.leaves(tree) as ReadonlyArray<Leaf>

/** Structure, and what stands at each leaf: a number, or a tensor of some shape and dtype. */
const layout = (tree: unknown) => ({
  structure: String(PyTree.structure(tree)),
  leaves: leavesOf(tree).map((leaf) => (typeof leaf === "number" ? "number" : [leaf.dtype, ...leaf.shape]))
})

/** All numbers, those of tensors bit for bit: −0 is not 0, and NaN is NaN. */
const contents = (tree: unknown): ReadonlyArray<number | ReadonlyArray<number>> =>
  leavesOf(tree).map((leaf) => (typeof leaf === "number" ? leaf : Array.from(leaf.dataSync(), Number)))

// --- steps -------------------------------------------------------------------------------------------------------

const slopes = ({ grads }: Case, step: number): unknown => toTensors(grads[step % grads.length])

const given = ({ values }: Case, params: unknown, step: number) => ({
  params,
  value: values[step % Math.max(1, values.length)] ?? 0
})

/** What is trained: the parameters and the state. */
interface Training {
  readonly params: unknown
  readonly state: unknown
}

const begun = Effect.fnUntraced(function* (transform: Transform.Any, { params: tree }: Case) {
  const params = toTensors(tree)
  const state: unknown = yield* Transform.init(transform, params)
  return { params, state } satisfies Training
})

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

/** A law for one configuration, on the backend in the environment. */
type Law = (tried: Case, row: Row, backend: string) => Effect.Effect<void, unknown, Tensors.Tensors | Scope.Scope>

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
  const before = contents([params, state, grads])
  yield* scoped(Transform.update(transform, grads, state, given(tried, params, 0)))
  assert.deepStrictEqual(contents([params, state, grads]), before)
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
    assert.deepStrictEqual(contents(applied.params), contents(added), `parameters after step ${step}`)
    assert.deepStrictEqual(contents(applied.state), contents(updated.state), `state after step ${step}`)
    ;({ params, state } = applied)
  }
})

const donatedIsPure: Law = Effect.fnUntraced(function* (tried) {
  const transform = tried.make()
  const after = (donate: boolean) =>
    Effect.flatMap(begun(transform, tried), (start) => trained(transform, tried, start, { from: 0, to: 5, donate }))
  const pure = contents(yield* scoped(after(false)))
  assert.deepStrictEqual(contents(yield* scoped(after(true))), pure)
})

const donatedUpdateIsPure: Law = Effect.fnUntraced(function* (tried) {
  const transform = tried.make()
  const { params, state } = yield* scoped(begun(transform, tried))
  const options = given(tried, params, 0)
  const pure = yield* scoped(Transform.update(transform, yield* owned(() => slopes(tried, 0)), state, options))
  const grads = yield* owned(() => slopes(tried, 0))
  const donated = yield* scoped(Transform.update(transform, grads, state, { ...options, donate: true }))
  assert.deepStrictEqual(contents(donated), contents(pure))
  assert.isTrue(leavesOf(params).every((leaf) => typeof leaf === "number" || !leaf.isDisposed))
})

/** The same numbers in tensors of their own. */
const copied = <A>(tree: A): A =>
  PyTree.map(tree, (leaf) => {
    const found: unknown = leaf
    return found instanceof tf.Tensor ? tf.tensor(found.dataSync().slice(), found.shape, found.dtype) : leaf
  }) as A

/** The reference interpreter takes fifty times as long as kernels. */
const halves: { readonly [backend: string]: number } = { wasm: 50, cpu: 5 }

const resumes: Law = Effect.fnUntraced(function* (tried, _, backend) {
  const half = halves[backend] ?? 50
  const [transform, another] = [tried.make(), tried.make()]
  const start = yield* begun(transform, tried)
  const middle = yield* scoped(trained(transform, tried, start, { from: 0, to: half, donate: false }))
  const copy = copied(middle)
  const resumed = yield* scoped(trained(another, tried, copy, { from: half, to: 2 * half, donate: true }))
  const whole = yield* Effect.flatMap(begun(transform, tried), (again) =>
    scoped(trained(transform, tried, again, { from: 0, to: 2 * half, donate: true }))
  )
  assert.deepStrictEqual(contents(resumed), contents(whole))
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
  const first = yield* begun(counted, tried)
  const second = yield* trained(counted, tried, first, { from: 0, to: 1, donate: false })
  // `lookahead` may begin its inner state anew: only updates are counted, for a rule without branches.
  const atFirst = { ...traces }
  const third = yield* trained(counted, tried, second, { from: 1, to: 12, donate: false })
  if (branches === undefined) assert.deepStrictEqual(traces, { init: 1, update: 1 })
  else assert.isAbove(traces.update, atFirst.update === 1 ? 1 : 0, branches)
  const settled = { ...traces }
  const more = Effect.gen(function* () {
    const fourth = yield* trained(counted, tried, third, { from: 12, to: 24, donate: false })
    const again = yield* begun(counted, tried)
    yield* dispose([fourth, yield* trained(counted, tried, again, { from: 0, to: 12, donate: false })])
  })
  assert.strictEqual(yield* compiled(more), 0)
  assert.deepStrictEqual(traces, settled)
})

const everyTree: Law = (tried) =>
  forAll(
    problem,
    Effect.fnUntraced(function* (problem) {
      const transform = tried.make()
      const params = yield* owned(() => toUser(paramsOf(problem)))
      const state: unknown = yield* scoped(Transform.init(transform, params))
      const grads = yield* owned(() => toUser(gradients(problem, 0)))
      const next = yield* scoped(Transform.update(transform, grads, state, given(tried, params, 0)))
      assert.deepStrictEqual(layout(next.updates), layout(params))
      assert.deepStrictEqual(layout(next.state), layout(state))
    })
  )

/** The tree with tensors in the place of numbers and typed arrays, so that layouts can be compared. */
const toUser = (tree: unknown): unknown =>
  PyTree.map(tree, (leaf: unknown) => {
    if (leaf instanceof tf.Tensor) return leaf
    return leaf instanceof Float32Array ? tf.tensor1d(leaf) : tf.scalar(Number(leaf))
  })

// --- masks -------------------------------------------------------------------------------------------------------

const pathsOf = (tree: unknown): ReadonlyArray<string> => {
  const [leaves] = PyTree.flattenWithPath(tree, { isLeaf: isArray })
  return leaves.map(([path]) => KeyPath.keystr(path))
}

/** The tensors of a state with their paths. */
const tensorsIn = (state: unknown): ReadonlyArray<readonly [string, tf.Tensor]> => {
  const [leaves] = PyTree.flattenWithPath(state)
  return leaves.flatMap(([path, leaf]): ReadonlyArray<readonly [string, tf.Tensor]> => {
    const found: unknown = leaf
    return found instanceof tf.Tensor ? [[KeyPath.keystr(path), found]] : []
  })
}

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
  assert.deepStrictEqual(contents(updates), contents(grads))
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
  assert.deepStrictEqual(contents(updates).slice(1), contents(grads).slice(1))
})

// --- NaN ---------------------------------------------------------------------------------------------------------

/** An element of a leaf, or of a tensor of the state that belongs to the leaf. */
interface Place {
  readonly path: string
  readonly shape: ReadonlyArray<number>
  readonly index: number
}

const rowLength = ({ shape }: Place): number => shape.slice(1).reduce((product, size) => product * size, 1)

const reaches: { readonly [R in Reach]: (place: Place, from: Place) => boolean } = {
  nowhere: () => false,
  element: (place, from) => place.path === from.path && place.index === from.index,
  row: (place, from) =>
    place.path === from.path && Math.floor(place.index / rowLength(place)) === Math.floor(from.index / rowLength(from)),
  column: (place, from) => place.path === from.path && place.index % rowLength(place) === from.index % rowLength(from),
  leaf: (place, from) => place.path === from.path,
  tree: () => true
}

const shapeOf = (leaf: unknown): ReadonlyArray<number> => (isArray(leaf) ? leaf.shape : [])

const map = (tree: unknown, f: (leaf: unknown, path: string) => unknown): unknown =>
  PyTree.mapWithPath(tree, (path, leaf: unknown) => f(leaf, KeyPath.keystr(path)), { isLeaf: isArray })

const withNumbers = (leaf: unknown, f: (value: number, index: number) => number): unknown =>
  isArray(leaf)
    ? { shape: leaf.shape, data: leaf.data.map((value, index) => f(Number(value), index)) }
    : f(Number(leaf), 0)

/** The second element of the first matrix. */
const poisonedIn = ({ params }: Case): Place => {
  const [leaves] = PyTree.flattenWithPath(params, { isLeaf: isArray })
  const [path, leaf] = leaves.find(([, leaf]) => shapeOf(leaf).length === 2) ?? assert.fail("no matrix")
  return { path: KeyPath.keystr(path), shape: shapeOf(leaf), index: 1 }
}

const finite = (tried: Case): Case => ({
  ...tried,
  grads: tried.grads.map((tree) =>
    map(tree, (leaf) => withNumbers(leaf, (value) => (Number.isFinite(value) ? value : 1)))
  )
})

/** The step in which the gradient has NaN. */
const poisonedStep = 3

const poisoned = (tried: Case, place: Place): Case => ({
  ...tried,
  grads: tried.grads.map((tree, step) =>
    step !== poisonedStep
      ? tree
      : map(tree, (leaf, path) =>
          path === place.path ? withNumbers(leaf, (value, index) => (index === place.index ? Number.NaN : value)) : leaf
        )
  )
})

/** Every element of the updates of each step, and of the tensors of the state in the end, with the same parameters. */
const observed = Effect.fnUntraced(function* (tried: Case) {
  const transform = tried.make()
  const start = yield* scoped(begun(transform, tried))
  const updates: Array<ReadonlyArray<readonly [Place, number]>> = []
  let state: unknown = start.state
  for (let step = 0; step < 8; step++) {
    const grads = yield* owned(() => slopes(tried, step))
    const next = yield* scoped(Transform.update(transform, grads, state, given(tried, start.params, step)))
    updates.push(elements(next.updates))
    state = next.state
  }
  return { updates, state: elements(state) }
})

const elements = (tree: unknown): ReadonlyArray<readonly [Place, number]> =>
  tensorsIn(tree).flatMap(([path, tensor]) =>
    Array.from(tensor.dataSync(), (value, index) => [{ path, shape: tensor.shape, index }, Number(value)] as const)
  )

const print = ({ index, path }: Place): string => `${path}[${index}]`

/** The leaf that a tensor of the state belongs to, if it belongs to one, as the place of its elements. */
const inLeaf = (place: Place, leaves: ReadonlyArray<string>): Place | undefined => {
  const path = leaves.find((leaf) => place.path.includes(leaf))
  return path === undefined ? undefined : { ...place, path }
}

const spreadsNaN: Law = Effect.fnUntraced(function* (tried, { reach, spread }) {
  const from = poisonedIn(tried)
  const clean = yield* observed(finite(tried))
  const found = yield* observed(poisoned(finite(tried), from))
  const isNew = (step: number) =>
    (found.updates[step] ?? []).filter(
      ([, value], index) => Number.isNaN(value) && !Number.isNaN(clean.updates[step]?.[index]?.[1])
    )
  const steps = found.updates.map((_, step) => isNew(step).map(([place]) => print(place)))
  const firstSeen = steps.find((places) => places.length > 0) ?? []
  const expected = (found.updates[0] ?? []).map(([place]) => place).filter((place) => reaches[reach](place, from))
  assert.deepStrictEqual(firstSeen, expected.map(print))
  assert.deepStrictEqual(steps.slice(0, poisonedStep).flat(), [])
  const leaves = pathsOf(tried.params)
  const changed = [...found.updates.flat(), ...found.state].flatMap(([place, value], index) => {
    const [, before] = [...clean.updates.flat(), ...clean.state][index] ?? []
    const own = inLeaf(place, leaves)
    if (own === undefined || Object.is(before, value)) return []
    // What has another shape than its leaf stands for more than an element.
    if (own.shape.join() !== from.shape.join() && own.path === from.path) return []
    return reaches[spread](own, from) ? [] : [print(place)]
  })
  assert.deepStrictEqual(changed, [])
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
  "masked but for one leaf it holds what belongs to that leaf": masksSome,
  "NaN goes where the reference sends it, and nowhere else": spreadsNaN
}

for (const backend of backends) {
  layer(backend.layer)(`laws of transforms on ${backend.name}`, (it) => {
    for (const row of rows) {
      describe(`of ${row.name}`, () => {
        for (const [law, check] of Object.entries(laws))
          it.effect(law, () => Effect.forEach(row.cases, (tried) => leavesNothing(check(tried, row, backend.name))))
        for (const [law, check] of Object.entries(lawsOfOne))
          it.effect(law, () =>
            Effect.forEach(row.cases.slice(0, 1), (tried) => leavesNothing(check(tried, row, backend.name)))
          )
        const anywhere = row.cases.findLast(({ isOfOneTree }) => !isOfOneTree)
        if (anywhere !== undefined)
          it.effect("trees of every form keep their layout", () => everyTree(anywhere, row, backend.name))
      })
    }
  })
}

// --- plans -------------------------------------------------------------------------------------------------------

const planOf = Effect.fnUntraced(function* (tried: Case) {
  const params = yield* owned(() => toTensors(tried.params))
  const { treeDef, update } = yield* Optimizer.fromTransform(tried.make()).trace(params)
  return { plan: update, leaves: treeDef.leafCount }
})

const isOneKernelPerLeaf = ({ leaves, plan }: { readonly plan: Plan.Plan; readonly leaves: number }): boolean =>
  plan.steps.length === leaves && plan.steps.every(({ _tag }) => _tag === "Fused")

const hasLibrarySteps = ({ plan }: { readonly plan: Plan.Plan }): boolean =>
  plan.steps.some(({ _tag }) => _tag === "Library")

layer(Cpu.layer)("plans of transforms", (it) => {
  for (const row of rows) {
    it.effect(`${row.name} is ${row.severalKernels === undefined ? "" : "not "}one kernel for each leaf`, () =>
      Effect.gen(function* () {
        const plans = yield* Effect.forEach(row.cases, planOf)
        const [several, left] = [
          row.cases.filter((_, index) => !plans.map(isOneKernelPerLeaf)[index]),
          row.cases.filter((_, index) => plans.map(hasLibrarySteps)[index])
        ].map((cases) => cases.map(({ id }) => id))
        if (row.severalKernels === undefined && row.library === undefined) assert.deepStrictEqual(several, [])
        else assert.isAbove(several?.length ?? 0, 0, "the reason does not hold")
        if (row.library === undefined) assert.deepStrictEqual(left, [])
        else assert.isAbove(left?.length ?? 0, 0, "the reason does not hold")
      }).pipe(Effect.scoped)
    )
  }
})

// --- the catalogue -----------------------------------------------------------------------------------------------

const files = import.meta.glob<object>("../../src/internal/{transforms,aliases}/**/*.ts", { eager: true })

/** Files of words that several transforms share. */
const parts: { readonly [file: string]: string } = {
  "transforms/combine/finite.ts": "counts what is not finite, for applyIfFinite and the rules that skip"
}

describe("the catalogue of transforms is complete", () => {
  const ours = new Set<unknown>(Object.values(Transform))

  it("every file has an export", () => {
    const silent = Object.entries(files)
      .filter(([, module]) => !Object.values(module).some((value) => ours.has(value)))
      .map(([file]) => file.replace("../../src/internal/", ""))
    assert.deepStrictEqual(silent, Object.keys(parts))
  })

  it("every export has a record, or a reason to have none", () => {
    const found = new Set(rows.map(({ name }) => name))
    assert.deepStrictEqual(
      exported.filter((name) => !found.has(name)),
      Object.keys(withoutRecord)
    )
  })

  it("every name of the records has an export, or a reason to have none", () => {
    const missing = new Set(records.map(nameOf).filter((name) => !(name in Transform)))
    assert.deepStrictEqual([...missing], Object.keys(notExported))
  })

  it("there are no reasons for what is not there", () => {
    assert.deepStrictEqual(unknownNames(), [])
    assert.deepStrictEqual(
      Object.keys(notTransforms).filter((name) => !(name in Transform)),
      []
    )
  })
})
