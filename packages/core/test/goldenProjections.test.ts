/**
 * Numbers: every projection of the reference, on every backend.
 *
 * The bound is ten times the deviation that the reference itself shows in float32, for each record; exceptions stand in
 * one table, beside `assertNear`.
 */
import { Projections, type Tensors } from "@optim/core"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { it } from "vitest"
import json from "./golden/projections.json?raw"
import { backends } from "./support/backends.ts"
import { numbers, toTensors } from "./support/golden.ts"
import { assertNear, type CallRecord, callRecords, camel } from "./support/goldenCalls.ts"
import { values } from "./support/numbers.ts"

type Projection = (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown, Tensors.Tensors>

const records = callRecords(json)

// Every projection takes trees and numbers, in the order of the reference.
const exported = Projections as unknown as { readonly [name: string]: Projection | undefined }

const argumentOf = (value: unknown): unknown => (typeof value === "number" ? value : toTensors(value))

const projected = Effect.fnUntraced(function* (backend: string, record: CallRecord) {
  const project = exported[camel(record.name)] ?? assert.fail(record.name)
  const [tree, ...others] = [...Object.values(record.args), ...Object.values(record.kwargs)]
  const result = yield* project(toTensors(tree), ...others.map(argumentOf))
  assertNear(
    (yield* values(result)).flat(),
    numbers(record.output).flat(),
    record.extra.f32,
    `${backend}: ${record.id}`
  )
})

for (const backend of backends) {
  layer(backend.layer)(`golden projections on ${backend.name}`, (it) => {
    for (const record of records) it.effect(record.id, () => projected(backend.name, record))
  })
}

describe("the records are complete", () => {
  it("every projection has records, and every record a projection", () => {
    const recorded = new Set(records.map(({ name }) => camel(name)))
    assert.deepStrictEqual([...recorded].toSorted(), Object.keys(Projections).toSorted())
  })
})
