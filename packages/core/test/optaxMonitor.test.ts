/** Numbers: measurements, which Optax leaves in the state, after each step and on every backend. */
import { Leaves, Transform } from "@optim/core"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { it } from "vitest"
import { backends } from "./support/backends.ts"
import { values } from "./support/numbers.ts"
import { decoded, type OptaxRecord, toTensors, transforms } from "./support/optax.ts"
import { checkState, exact, within } from "./support/optaxBounds.ts"

/** A transform whose measurements are compared, and where the reference keeps what we keep. */
interface Monitored {
  readonly transform: Transform.Any
  readonly measured: (state: never) => unknown
  readonly expected: (record: OptaxRecord, step: number) => ReadonlyArray<readonly [string, number]>
  readonly pathOf: (path: string) => string
}

const perStep = ({ extra }: OptaxRecord, step: number): ReadonlyArray<readonly [string, number]> =>
  Object.entries(extra.per_step?.[step] as { readonly [name: string]: number })

const monitored: { readonly [name: string]: ((record: OptaxRecord) => Monitored) | undefined } = {
  snapshot: () => ({
    transform: Transform.snapshot("norm", Leaves.globalNorm),
    measured: ({ measurement }: { measurement: unknown }) => measurement,
    expected: perStep,
    pathOf: (path) => path.replace(".measurement", "['measurement']")
  }),
  monitor: () => ({
    transform: Transform.monitor({
      norm: Leaves.globalNorm,
      ema_norm: Transform.measureWithEma(Leaves.globalNorm, { decay: 0.9 })
    }),
    measured: ({ measurements }: { measurements: unknown }) => measurements,
    expected: perStep,
    // What a measure remembers is within a chain there.
    pathOf: (path) =>
      path
        .replace(".measurements", "['measurements']")
        .replace(/\.measure_states\[1\]\[1\]\.(\w+)/, "['measureStates'][1]['$1']")
  }),
  measure_with_ema: ({ kwargs }) => ({
    transform: Transform.monitor({
      norm: Transform.measureWithEma(Leaves.globalNorm, decoded(kwargs) as unknown as Transform.MeasureWithEmaOptions)
    }),
    measured: ({ measurements }: { measurements: unknown }) => measurements,
    // There the measurement is what the transform returns.
    expected: ({ updates }, step) => [["norm", Number(updates?.[step])]],
    pathOf: (path) => path.replace(/\[1\]\.(\w+)/, "['measureStates'][0]['$1']")
  })
}

const trajectory = Effect.fnUntraced(function* (
  record: OptaxRecord,
  { expected, measured, pathOf, transform }: Monitored
) {
  const bound = record.extra.f32 ?? exact
  let state: unknown = yield* Transform.init(transform, toTensors(record.params0))
  for (const [step, grads] of record.grads.entries()) {
    const given = toTensors(grads)
    const updated = yield* Transform.update(transform, given, state, {})
    state = updated.state
    assert.deepStrictEqual(yield* values(updated.updates), yield* values(given), "the updates pass unchanged")
    const found = measured(state as never) as { readonly [name: string]: unknown }
    for (const [name, number] of expected(record, step))
      within(yield* values(found[name]), [[number]], bound, `${record.id} ${name} ${step}`)
  }
  yield* checkState(record, state, bound, pathOf)
})

const records = transforms.filter(({ name }) => monitored[name] !== undefined)

for (const backend of backends) {
  layer(backend.layer)(`measurements of Optax on ${backend.name}`, (it) => {
    for (const record of records) {
      const make = monitored[record.name]
      if (make !== undefined) it.effect(record.id, () => trajectory(record, make(record)))
    }
  })
}

describe("the catalogue is complete", () => {
  it("there is a record for each", () => {
    assert.deepStrictEqual([...new Set(records.map(({ name }) => name))].toSorted(), Object.keys(monitored).toSorted())
  })
})
