/** Numbers: functions of Optax that are no transforms, on every backend. */
import { type Tensors, Transform } from "@optim/core"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { backends } from "./support/backends.ts"
import { values } from "./support/numbers.ts"
import { decoded, flat, type OptaxRecord, toTensors, transforms } from "./support/optax.ts"
import { ofSum, within } from "./support/optaxBounds.ts"

interface Result {
  readonly output: unknown
  readonly numClipped?: unknown
}

type Call = (record: OptaxRecord) => Effect.Effect<Result, Error, Tensors.Tensors>

const optionsOf = <O>({ kwargs }: OptaxRecord): O => decoded(kwargs) as O

const clipped = ({ clippedSum, numClipped }: { clippedSum: unknown; numClipped: unknown }): Result => ({
  output: clippedSum,
  numClipped
})

/** A function of the new and the old tensors of a record. */
const ofTwo =
  <O>(f: (fresh: unknown, old: never, options: O) => ReturnType<typeof Transform.incrementalUpdate<unknown>>): Call =>
  (record) => {
    const { new_tensors, old_tensors } = record.inputs as { readonly [name: string]: unknown }
    return Effect.map(f(toTensors(new_tensors), toTensors(old_tensors) as never, optionsOf(record)), (output) => ({
      output
    }))
  }

const calls: { readonly [name: string]: Call | undefined } = {
  per_example_global_norm_clip: (record) =>
    Effect.map(Transform.perExampleGlobalNormClip(toTensors(record.grads[0]), optionsOf(record)), clipped),
  per_example_layer_norm_clip: (record) =>
    Effect.map(
      Transform.perExampleLayerNormClip(toTensors(record.grads[0]), {
        globalL2NormClip: Number(record.kwargs["global_l2_norm_clip"]),
        uniform: record.kwargs["uniform"] === true
      }),
      clipped
    ),
  incremental_update: ofTwo(Transform.incrementalUpdate),
  periodic_update: ofTwo(Transform.periodicUpdate)
}

const records = transforms.filter(({ extra }) => extra.kind === "function")

const check = Effect.fnUntraced(function* (record: OptaxRecord, call: Call) {
  const { numClipped, output } = yield* call(record)
  // No part of a sum of clipped gradients is greater than the norm to which they are clipped.
  const largest = Object.entries(record.kwargs).find(([name]) => name.endsWith("l2_norm_clip"))?.[1]
  const bound = ofSum([record.grads ?? Object.values(record.inputs as object)], largest as number | undefined)
  within(yield* values(output), flat(record.output), bound, record.id)
  if (record.extra.num_clipped === undefined) return
  assert.deepStrictEqual(yield* values(numClipped), flat(record.extra.num_clipped), record.id)
})

for (const backend of backends) {
  layer(backend.layer)(`functions of Optax on ${backend.name}`, (it) => {
    for (const record of records) {
      const call = calls[record.name]
      if (call !== undefined) it.effect(record.id, () => check(record, call))
    }
  })
}

describe("the catalogue is complete", () => {
  it("every function that is recorded is called", () => {
    const names = new Set(records.map(({ name }) => name))
    assert.deepStrictEqual([...names].toSorted(), Object.keys(calls).toSorted())
  })
})
