/**
 * Numbers: trajectories of Optax, on every backend.
 *
 * The bound is ten times the deviation that the reference itself shows in float32, for each record, both absolute and
 * relative. What cannot keep it stands in one table, with the reason.
 */
import { Tensors, Transform } from "@optim/core"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { it } from "vitest"
import { type Backend, backends } from "./support/backends.ts"
import { inParallel, values } from "./support/numbers.ts"
import { camel, type Deviation } from "./support/golden.ts"
import {
  flat,
  isThere,
  optimizers,
  type OptaxRecord,
  toTensors,
  transformOfRecord,
  transforms
} from "./support/optax.ts"
import { checkState, exact, roundoff, within } from "./support/optaxBounds.ts"
import { exceptions } from "./support/optaxExceptions.ts"
import { leastNormal, precision } from "./support/tolerances.ts"

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

/** The state with other hyper-parameters, where the record sets them between steps. */
const withHyperparams = (state: unknown, set: { readonly [name: string]: number } | undefined): unknown => {
  if (set === undefined) return state
  const { hyperparams, ...rest } = state as { readonly hyperparams: object }
  const values = Object.entries(set).map(([name, value]) => [camel(name), value])
  return { ...rest, hyperparams: { ...hyperparams, ...Object.fromEntries(values) } }
}

/** With the functions of the backend, where a transform has any: the smooth sign of Lion is a tanh. */
const withFunctions = (backend: Backend, { kwargs }: OptaxRecord, bound: Deviation): Deviation => {
  const { functions } = precision[backend.name]
  if (functions === 0 || kwargs["mode"] !== "smooth") return bound
  // Ten times the bound is allowed.
  return { max_abs: Math.max(bound.max_abs, functions / 10), max_rel: Number.POSITIVE_INFINITY }
}

/** The leaves of which some gradient has a norm whose square the backend takes for 0. */
const vanishing = (backend: Backend, { grads, id }: OptaxRecord): ReadonlyArray<boolean> => {
  const isConcerned = exceptions.leafNorms.some(({ pattern }) => pattern.test(id))
  if (!isConcerned || !precision[backend.name].flushesSubnormals) return []
  const squares = grads.map((tree) => flat(tree).map((leaf) => leaf.reduce((sum, g) => sum + g * g, 0)))
  return (squares[0] ?? []).map((_, leaf) =>
    squares.some((step) => step[leaf] !== 0 && (step[leaf] ?? 0) < leastNormal)
  )
}

const trajectory = Effect.fnUntraced(function* (backend: Backend, record: OptaxRecord) {
  const float32 = record.extra.f32 ?? (record.extra.per_step === undefined ? exact : withoutFloat32)
  const bound = withFunctions(backend, record, float32)
  const left = vanishing(backend, record)
  const compared = <A>(leaves: ReadonlyArray<A>): ReadonlyArray<A> => leaves.filter((_, leaf) => !left[leaf])
  const transform = transformOfRecord(record)
  let params: unknown = toTensors(record.params0)
  let state: unknown = yield* Transform.init(transform, params)
  const steps: Array<{ readonly updates: unknown; readonly params: unknown }> = []
  for (const [step, grads] of record.grads.entries()) {
    state = withHyperparams(state, record.extra.set_before_step?.[step])
    const given = { params, value: record.extra.values?.[step] ?? 0 }
    const updated = yield* Transform.update(transform, toTensors(grads), state, given)
    state = updated.state
    if (record.params !== undefined) params = yield* Transform.applyUpdates(params, updated.updates)
    steps.push({ updates: updated.updates, params })
  }
  // Read when all is computed: a device is waited for once.
  const found = yield* inParallel(steps, ({ params, updates }) => inParallel([updates, params], values))
  for (const [step, [updates = [], params = []]] of found.entries()) {
    if (record.updates !== undefined)
      within(compared(updates), compared(flat(record.updates[step])), bound, `${record.id} updates ${step}`)
    if (record.params === undefined) continue
    const ofSum = afterSum(record, bound, record.params[step])
    within(compared(params), compared(flat(record.params[step])), ofSum, `${record.id} step ${step}`)
  }
  if (!left.includes(true)) yield* checkState(record, state, bound)
  yield* Tensors.dispose([steps, state])
})

const isTrajectory = (record: OptaxRecord): boolean =>
  record.extra.kind !== "function" && exceptions.records.every(({ pattern }) => !pattern.test(record.id))

const records = [...optimizers, ...transforms].filter(isTrajectory)

const byName = new Map<string, ReadonlyArray<OptaxRecord>>()
for (const record of records) byName.set(record.name, [...(byName.get(record.name) ?? []), record])

for (const backend of backends) {
  layer(backend.layer)(`records of Optax on ${backend.name}`, (it) => {
    for (const [name, records] of byName) {
      describe(`of ${name}`, () => {
        for (const record of records) it.effect(record.id, () => trajectory(backend, record))
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
