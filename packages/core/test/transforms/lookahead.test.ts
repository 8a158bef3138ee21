/**
 * Numbers: the records of lookahead. There the parameters are a pair of fast and slow ones; here the slow ones are state.
 */
import { Tensors, Transform } from "@optim/core"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { values } from "../support/numbers.ts"
import { decoded, flat, type OptaxRecord, toTensors, transformOf, transforms } from "../support/optax.ts"

interface Pair {
  readonly fast: unknown
  readonly slow: unknown
}

const records = transforms.filter(({ name }) => name === "lookahead")

const closeTo = Effect.fnUntraced(function* (found: unknown, expected: unknown, record: OptaxRecord, what: string) {
  const [numbers, wanted] = [(yield* values(found)).flat(), flat(expected).flat()]
  numbers.forEach((value, index) => {
    const bound = 10 * (record.extra.f32?.max_abs ?? 0)
    assert.closeTo(value, wanted[index] ?? Number.NaN, bound, `${record.id} ${what}`)
  })
  assert.strictEqual(numbers.length, wanted.length)
})

const run = Effect.fnUntraced(function* (record: OptaxRecord) {
  const { fast_optimizer, ...options } = record.kwargs
  const lookahead: Transform.Any = Transform.lookahead(transformOf(fast_optimizer as object), decoded(options) as never)
  let params: unknown = toTensors((record.params0 as Pair).fast)
  let state: unknown = yield* Transform.init(lookahead, params)
  for (const [step, grads] of record.grads.entries()) {
    const applied = yield* Transform.apply(lookahead, toTensors(grads), state, { params })
    params = applied.params
    state = applied.state
    const expected = record.params?.[step] as Pair
    yield* closeTo(params, expected.fast, record, `fast parameters after step ${step}`)
    yield* closeTo((state as Pair).slow, expected.slow, record, `slow parameters after step ${step}`)
  }
  yield* Tensors.dispose([params, state])
})

for (const backend of backends) {
  layer(backend.layer)(`lookahead on ${backend.name}`, (it) => {
    for (const record of records) it.effect(record.id, () => run(record))
  })
}
