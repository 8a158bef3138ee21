/**
 * Numbers: every loss of the reference and its derivative, on every backend.
 *
 * The bound of a value is ten times the deviation that the reference itself shows in float32, for each record. Of the
 * derivatives there is no float32 run: their bound is ten roundings, or ten times the record's own deviation if that is
 * more, of the largest one. Where functions are less exact than the C library's, their own slack comes on top.
 */
import { Autodiff, Losses, Tensors } from "@optim/core"
import { assert, describe, layer } from "@effect/vitest"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { it } from "vitest"
import { type Backend, backends } from "./support/backends.ts"
import { numbersOf } from "./support/golden.ts"
import { assertNear, type CallRecord } from "./support/goldenCalls.ts"
import { callOf, exportOf, records, totalWith } from "./support/lossCalls.ts"
import { values } from "./support/numbers.ts"
import { precision } from "./support/tolerances.ts"

const outputsOf = ({ output }: CallRecord): ReadonlyArray<unknown> => (Array.isArray(output) ? output : [output])

const value = Effect.fnUntraced(function* (backend: Backend["name"], record: CallRecord) {
  const { run } = yield* Tensors.Tensors
  const outputs = yield* run(() => {
    const call = callOf(record)
    return call.run(call.tensors)
  })
  const expected = outputsOf(record).flatMap(numbersOf)
  const { functions } = precision[backend]
  assertNear((yield* values(outputs)).flat(), expected, record.extra.f32, `${backend}: ${record.id}`, functions)
  yield* Tensors.dispose(outputs)
})

const roundoff = 2 ** -24

const derivative = Effect.fnUntraced(function* (
  backend: Backend["name"],
  record: CallRecord,
  expected: ReadonlyArray<number>
) {
  const { run } = yield* Tensors.Tensors
  const point = yield* run(() => callOf(record).tensors[0] ?? assert.fail("every loss has an argument"))
  const gradient = yield* Autodiff.grad((x: Tensor) => totalWith(record, 0, x))(point)
  const largest = Math.max(...expected.map(Math.abs))
  const bound = { max_abs: Math.max(roundoff, record.extra.f32.max_rel) * largest, max_rel: Number.POSITIVE_INFINITY }
  const { functions } = precision[backend]
  assertNear((yield* values(gradient)).flat(), expected, bound, `${backend}: ${record.id}`, functions)
  yield* Tensors.dispose([point, gradient])
})

for (const backend of backends) {
  layer(backend.layer)(`golden losses on ${backend.name}`, (it) => {
    for (const record of records) {
      it.effect(record.id, () => value(backend.name, record))
      const gradient = record.extra.grad_of_sum
      if (gradient !== undefined)
        it.effect(`derivative of ${record.id}`, () => derivative(backend.name, record, numbersOf(gradient.value)))
    }
  })
}

describe("the records are complete", () => {
  it("every loss has records, and every record a loss", () =>
    assert.deepStrictEqual([...new Set(records.map(exportOf))].toSorted(), Object.keys(Losses).toSorted()))
})
