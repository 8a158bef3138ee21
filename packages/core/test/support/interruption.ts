/**
 * A fiber that something happens to at its n-th operation, for every n.
 *
 * A fiber gives way where its scheduler says so, and only there can another one interrupt it. This scheduler lets it
 * give way once, at a chosen operation.
 */
import * as Effect from "effect/Effect"
import { effort } from "./property.ts"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

type Idle = (fiber: Fiber.Fiber<unknown, unknown>) => void

class GiveWayAt extends Scheduler.MixedScheduler {
  readonly #at: number
  readonly #meanwhile: Idle
  #operations = 0

  constructor(at: number, meanwhile: Idle) {
    super()
    this.#at = at
    this.#meanwhile = meanwhile
  }

  get reached(): boolean {
    return this.#operations >= this.#at
  }

  override shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    this.#operations += 1
    if (this.#operations !== this.#at) return false
    // The fiber is resumed by a macrotask, so it is idle when this runs.
    queueMicrotask(() => this.#meanwhile(fiber))
    return true
  }
}

/** One run in which something happens at the n-th operation: how it ended, and whether it had so many operations. */
export const happeningAt = Effect.fnUntraced(function* <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  at: number,
  meanwhile: Idle
) {
  const scheduler = new GiveWayAt(at, meanwhile)
  const fiber = yield* Effect.forkChild(Effect.provideService(effect, Scheduler.Scheduler, scheduler))
  const exit = yield* Fiber.await(fiber)
  return { exit, reached: scheduler.reached }
})

/** One run, interrupted at its n-th operation. */
export const interruptedAt = <A, E, R>(effect: Effect.Effect<A, E, R>, at: number) =>
  happeningAt(effect, at, (fiber) => fiber.interruptUnsafe())

/** Interrupts `effect` at each of its operations (in a browser at some) and checks every end; gives their number. */
export const everyInterruption = Effect.fnUntraced(function* <A, E, R, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  check: (exit: Exit.Exit<A, E>, at: number) => Effect.Effect<void, E2, R2>
) {
  const stride = Math.round(1 / (yield* effort))
  for (let at = 1; ; at += stride) {
    const { exit, reached } = yield* interruptedAt(effect, at)
    yield* check(exit, at)
    if (!reached) return at - 1
  }
})
