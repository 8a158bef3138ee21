/** What an effect executes. */
import { type Plan, Tensors } from "@optim/core"
import * as Effect from "effect/Effect"

/** The plans that are executed within an effect. */
export const plansOf = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const service = yield* Tensors.Tensors
  const plans: Array<Plan.Plan> = []
  const recording: typeof service = {
    ...service,
    executeUnsafe: (execution) => {
      plans.push(execution.plan)
      return service.executeUnsafe(execution)
    },
    execute: (execution) => {
      plans.push(execution.plan)
      return service.execute(execution)
    }
  }
  yield* Effect.provideService(effect, Tensors.Tensors, recording)
  return plans
})
