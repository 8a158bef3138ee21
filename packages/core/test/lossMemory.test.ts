/** What losses leave behind: nothing, with all the memory that they ask for and without. */
import { Autodiff, type OutOfMemory, Tensors } from "@optim/core"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Allocator from "./support/allocator.ts"
import { backends } from "./support/backends.ts"
import type { CallRecord } from "./support/goldenCalls.ts"
import { callOf, exportOf, samples, totalWith } from "./support/lossCalls.ts"
import { leavesNothing, memory } from "./support/memory.ts"

/** The numbers of a loss, which has to make no more tensors than it returns. */
const value = (record: CallRecord) =>
  Effect.flatMap(Tensors.Tensors, ({ run }) =>
    run(() => {
      const call = callOf(record)
      const before = tf.memory().numTensors
      const outputs = call.run(call.tensors)
      assert.strictEqual(tf.memory().numTensors, before + outputs.length)
      return outputs.length
    })
  )

const derivative = Effect.fnUntraced(function* (record: CallRecord) {
  const { run } = yield* Tensors.Tensors
  const point = yield* run(() => callOf(record).tensors[0] ?? assert.fail("every loss has an argument"))
  const total = (x: Tensor): Tensor => totalWith(record, 0, x)
  return yield* Effect.ensuring(Autodiff.grad(total)(point), Tensors.dispose(point))
})

for (const backend of backends) {
  layer(backend.layer)(`losses leave nothing behind on ${backend.name}`, (it) => {
    for (const record of samples) {
      it.effect(exportOf(record), () => leavesNothing(value(record)))
      it.effect(`${exportOf(record)}, differentiated`, () =>
        leavesNothing(Effect.flatMap(derivative(record), Tensors.dispose))
      )
    }
  })
}

const counts = Effect.map(memory, (memory) => ({ ...memory, allocations: Allocator.allocations() }))

/** Fails at the first allocation, at the second, and so on until nothing fails; every failure must be clean. */
const refused = Effect.fnUntraced(function* <A, E extends { readonly _tag: string }, R>(
  operation: Effect.Effect<A, E | OutOfMemory, R>
) {
  for (let n = 0; ; n++) {
    const before = yield* counts
    const exit = yield* Effect.exit(Allocator.refusingAfter(n, operation))
    if (Exit.isSuccess(exit)) return yield* Tensors.dispose(exit.value)
    assert.strictEqual((yield* Effect.flip(exit))._tag, "OutOfMemory", `refused after ${n} allocations`)
    assert.deepStrictEqual(yield* counts, before, `refused after ${n} allocations`)
  }
})

/** What tfjs 4.22 itself loses when it is refused memory. */
const leaky: { readonly [loss: string]: string } = {
  ntxent: "BatchMatMul counts a reference to each argument before it asks for its result, and never takes it back"
}

layer(Allocator.layer)("losses out of memory", (it) => {
  for (const record of samples.filter((record) => !(exportOf(record) in leaky))) {
    it.effect(exportOf(record), () =>
      Effect.gen(function* () {
        yield* Effect.flatMap(derivative(record), Tensors.dispose)
        yield* refused(derivative(record))
      })
    )
  }
})
