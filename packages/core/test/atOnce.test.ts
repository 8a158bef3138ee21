/**
 * Plain code as one operation of a fiber: what it returns, what it throws, and who sees it.
 */
import { DisposedTensor, Optimizer, Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import { assert, layer, vi } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Tracer from "effect/Tracer"
import { atOnce, spanned } from "../src/internal/atOnce.ts"
import { everyInterruption } from "./support/interruption.ts"

const gone = new DisposedTensor({ operation: "test", paths: ["a"] })

/** The spans that a tracer is asked for meanwhile, with how they ended. */
const spansOf = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  yield* Effect.exit(Effect.provideService(effect, Tracer.Tracer, tracer))
  return spans.map(({ name, status }) => [
    name,
    status._tag === "Ended" ? Exit.isSuccess(status.exit) : assert.fail(`${name} does not end`)
  ])
})

layer(Cpu.layer)("at once", (it) => {
  it.effect("plain code has the service of the layer, and what it returns is the result", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* atOnce(({ backend }) => backend), "cpu")
    })
  )

  it.effect("an error of ours is a failure, everything else a defect", () =>
    Effect.gen(function* () {
      const throwing = (error: unknown) =>
        atOnce(() => {
          throw error
        })
      assert.deepStrictEqual(yield* Effect.exit(throwing(gone)), Exit.fail(gone))
      const bug = new Error("a bug")
      assert.deepStrictEqual(yield* Effect.exit(throwing(bug)), Exit.die(bug))
    })
  )

  it.effect("what was consumed reaches whoever goes on, at whatever operation the fiber is interrupted", () =>
    Effect.gen(function* () {
      const held = { state: 0, isConsumed: false }
      const step = Effect.map(
        atOnce(() => {
          held.isConsumed = true
          return held.state + 1
        }),
        (state) => {
          held.state = state
          held.isConsumed = false
        }
      )
      const check = (exit: Exit.Exit<void, unknown>) =>
        Effect.sync(() => {
          assert.isFalse(held.isConsumed)
          if (Exit.isFailure(exit)) assert.isTrue(Cause.hasInterruptsOnly(exit.cause))
        })
      assert.isAtLeast(yield* everyInterruption(step, check), 2)
    })
  )
})

layer(Cpu.layer)("spans", (it) => {
  it.effect("are made for a tracer, also of what fails, and end", () =>
    Effect.gen(function* () {
      const adam = Optimizer.adam({ stepSize: 0.1 })
      const work = Effect.gen(function* () {
        const state = yield* Tensors.scoped(adam.init([1]))
        yield* Tensors.scoped(adam.update(0, [1], state))
        yield* Optimizer.l2Norm([1])
        yield* Tensors.scoped(Optimizer.clipGrads([1], 1))
        yield* adam.update(-1, [1], state)
      })
      assert.deepStrictEqual(yield* spansOf(Effect.scoped(work)), [
        ["Optimizer.init", true],
        ["Optimizer.update", true],
        ["Optimizer.l2Norm", true],
        ["Optimizer.clipGrads", true],
        ["Optimizer.update", false]
      ])
    })
  )

  it.effect("are not made for the default tracer, which shows them to nobody", () =>
    Effect.gen(function* () {
      const unspanned = Effect.succeed(1)
      const { nativeTracer } = Tracer
      const span = vi.spyOn(nativeTracer, "span")
      yield* spanned("nobody sees it", unspanned)
      yield* Effect.provideService(spanned("nor this", unspanned), Tracer.Tracer, nativeTracer)
      yield* Effect.useSpan("but this is made", () => unspanned)
      const made = span.mock.calls.map(([{ name }]) => name)
      span.mockRestore()
      assert.deepStrictEqual(made, ["but this is made"])
    })
  )
})
