/**
 * Numbers: trajectories of Optax, on every backend.
 *
 * The bound is ten times the deviation that the reference itself shows in float32, for each record, both absolute and
 * relative. What cannot keep it stands in one table, with the reason.
 */
import { Tensors, Transform } from "@optim/core"
import { KeyPath, PyTree } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { it } from "vitest"
import { backends } from "./support/backends.ts"
import { camel, deviation, type Deviation } from "./support/golden.ts"
import {
  flat,
  isArray,
  isThere,
  numbersOf,
  optimizers,
  type OptaxRecord,
  ourPath,
  toTensors,
  transformOfRecord,
  transforms
} from "./support/optax.ts"
import { exceptions } from "./support/optaxExceptions.ts"

const leafNumbers = (tree: unknown): ReadonlyArray<ReadonlyArray<number>> =>
  PyTree.leaves(tree).map((leaf: unknown) =>
    typeof leaf === "number" ? [leaf] : Array.from((leaf as Tensor).dataSync(), Number)
  )

/** Half a unit in the last place of 1: what one rounding costs, which a record in float64 cannot know of. */
const roundoff = 2 ** -24

/** Both numbers are NaN, or the same infinity. */
const same = (a: number, b: number): boolean => Object.is(a, b) || a === b

const within = (
  found: ReadonlyArray<ReadonlyArray<number>>,
  expected: ReadonlyArray<ReadonlyArray<number>>,
  bound: Deviation,
  what: string
): void => {
  assert.deepStrictEqual(
    found.map((leaf) => leaf.length),
    expected.map((leaf) => leaf.length),
    what
  )
  const [a, b] = [found.flat(), expected.flat()]
  const differing = a.map((_, index) => index).filter((index) => !same(a[index] ?? 0, b[index] ?? 0))
  const { max_abs, max_rel } = deviation(
    differing.map((index) => a[index] ?? 0),
    differing.map((index) => b[index] ?? 0)
  )
  assert.isAtMost(max_abs, 10 * Math.max(roundoff, bound.max_abs), `${what}: absolute`)
  assert.isAtMost(max_rel, 10 * Math.max(roundoff, bound.max_rel), `${what}: relative`)
}

const exact: Deviation = { max_abs: 0, max_rel: 0 }

/**
 * Records with NaN or infinite numbers say nothing of float32. Those of them that have something to compute are Adam and
 * descent behind a guard, whose own records show a deviation of at least this.
 */
const withoutFloat32: Deviation = { max_abs: 1e-6, max_rel: 1e-6 }

/** Parameters are rounded once more when an update is added, to the size of the parameter, not of the sum. */
const afterSum = (record: OptaxRecord, bound: Deviation, params: unknown): Deviation => {
  if (record.updates === undefined) return bound
  const largest = Math.max(1, ...flat(params).flat().filter(Number.isFinite).map(Math.abs))
  return { max_abs: Math.max(bound.max_abs, roundoff * largest), max_rel: Number.POSITIVE_INFINITY }
}

const isPlaceholder = (path: string, value: unknown): boolean =>
  exceptions.placeholders.some(({ pattern }) => pattern.test(path)) &&
  isArray(value) &&
  value.shape.join() === "1" &&
  numbersOf(value)[0] === 0

/** The largest number of a slot is the scale at which its float32 form may differ. */
const checkState = (record: OptaxRecord, state: unknown, bound: Deviation): void => {
  const [leaves] = PyTree.flattenWithPath(state)
  const ours = new Map(leaves.map(([path, leaf]) => [KeyPath.keystr(path), leaf]))
  for (const { path, value } of record.extra.final_state ?? []) {
    const reason = exceptions.state.find(({ pattern }) => pattern.test(path))
    if (reason !== undefined) continue
    const found = ours.get(ourPath(path))
    if (found === undefined && isPlaceholder(path, value)) continue
    if (found === undefined) assert.fail(`${record.id}: no ${ourPath(path)} among ${[...ours.keys()].join(" ")}`)
    const [a, b] = [leafNumbers([found]).flat(), numbersOf(value)]
    const scale = Math.max(1, ...b.filter(Number.isFinite).map(Math.abs))
    within(
      [a.map((x) => x / scale)],
      [b.map((x) => x / scale)],
      { max_abs: bound.max_abs, max_rel: 1 },
      `${record.id} ${path}`
    )
  }
}

/** The state with other hyper-parameters, where the record sets them between steps. */
const withHyperparams = (state: unknown, set: { readonly [name: string]: number } | undefined): unknown => {
  if (set === undefined) return state
  const { hyperparams, ...rest } = state as { readonly hyperparams: object }
  const values = Object.entries(set).map(([name, value]) => [camel(name), value])
  return { ...rest, hyperparams: { ...hyperparams, ...Object.fromEntries(values) } }
}

const trajectory = Effect.fnUntraced(function* (record: OptaxRecord) {
  const bound = record.extra.f32 ?? (record.extra.per_step === undefined ? exact : withoutFloat32)
  const transform = transformOfRecord(record)
  let params: unknown = toTensors(record.params0)
  let state: unknown = yield* Transform.init(transform, params)
  for (const [step, grads] of record.grads.entries()) {
    state = withHyperparams(state, record.extra.set_before_step?.[step])
    const given = { params, value: record.extra.values?.[step] ?? 0 }
    const updated = yield* Transform.update(transform, toTensors(grads), state, given)
    if (record.updates !== undefined)
      within(leafNumbers(updated.updates), flat(record.updates[step]), bound, `${record.id} updates ${step}`)
    state = updated.state
    if (record.params === undefined) continue
    params = yield* Transform.applyUpdates(params, updated.updates)
    const ofSum = afterSum(record, bound, record.params[step])
    within(leafNumbers(params), flat(record.params[step]), ofSum, `${record.id} step ${step}`)
  }
  checkState(record, state, bound)
  yield* Tensors.dispose([params, state])
})

/** Are all its parts there? */
const isComplete = (record: OptaxRecord): boolean =>
  isThere(record.name) &&
  [...JSON.stringify(record.kwargs).matchAll(/"\$opt":"(\w+)"/g)].every(([, name = ""]) => isThere(name))

const isTrajectory = (record: OptaxRecord): boolean =>
  record.extra.kind !== "function" && exceptions.records.every(({ pattern }) => !pattern.test(record.id))

const records = [...optimizers, ...transforms].filter((record) => isTrajectory(record) && isComplete(record))

const byName = new Map<string, ReadonlyArray<OptaxRecord>>()
for (const record of records) byName.set(record.name, [...(byName.get(record.name) ?? []), record])

for (const backend of backends) {
  layer(backend.layer)(`records of Optax on ${backend.name}`, (it) => {
    for (const [name, records] of byName) {
      describe(`of ${name}`, () => {
        for (const record of records) it.effect(record.id, () => trajectory(record))
      })
    }
  })
}

describe("the catalogue is complete", () => {
  it("every record has a transform", () => {
    assert.deepStrictEqual(
      [...byName.keys()].filter((name) => !isThere(name)),
      []
    )
  })
})
