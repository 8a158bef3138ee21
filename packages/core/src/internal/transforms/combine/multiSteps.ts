/** Gradients gathered over several steps. */
import { add, div, type Expr, sub, zerosLike } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import * as Scalar from "../../../Scalar.ts"
import { every } from "../../optimizer/hyperParameters.ts"
import { checked } from "../../transform/hyper.ts"
import { increment, zero } from "../../transform/rules.ts"
import type { Context, Transform } from "../../transform/transform.ts"
import type { SkipRule } from "./skip.ts"

/** What `multiSteps` is made with. */
export interface MultiStepsOptions<M> {
  /** k: over how many steps gradients are gathered, ≥ 1, or a function of the count of updates that came of them. */
  readonly everyKSchedule: number | ((gradientStep: number) => number)
  /** Take the mean of the gradients rather than their sum? Default true. */
  readonly useGradMean?: boolean | undefined
  /** Which gradients are left out. Default none. */
  readonly shouldSkipUpdateFn?: SkipRule<M> | undefined
}

/** What was gathered, and the state of the transform within. */
export interface MultiStepsState<S, M> {
  /** How many gradients are gathered. */
  readonly miniStep: Scalar.Scalar
  /** How many updates came of them. */
  readonly gradientStep: Scalar.Scalar
  readonly innerOptState: S
  readonly accGrads: Leaves.Leaves<Expr>
  /** What the rule that leaves gradients out has measured. */
  readonly skipState: (M & { readonly shouldSkip: Expr }) | null
}

const isDue: Scalar.Compute = (miniStep = Number.NaN, k = Number.NaN) => Number(miniStep >= k - 1)

const zerosOf = (leaves: Leaves.Leaves<Expr>): Leaves.Leaves<Expr> => Leaves.map(leaves, (leaf) => zerosLike(leaf))

const zeroMeasures = <M>(rule: SkipRule<M>, params: Leaves.Leaves<Expr>): M & { readonly shouldSkip: Expr } => {
  const measures = Object.entries(rule.measure(params)).map(([name, value]: [string, Expr]) => [name, zerosLike(value)])
  // The measurements under their own names.
  return Object.fromEntries(measures) as M & { readonly shouldSkip: Expr }
}

/**
 * Gradients gathered over k steps: the transform is given their mean (or sum) at every k-th, and the updates in between
 * are zero.
 *
 *     a ← a + (g − a) / (miniStep + 1)        with the mean; a + g with the sum
 *
 * The host decides whether the transform is due, so the steps in between do none of its work. State: `miniStep`,
 * `gradientStep`, `innerOptState`, `accGrads`, `skipState`. A gradient that the rule `shouldSkipUpdateFn` leaves out changes
 * nothing but `skipState`, and its measurement is read back. Throws `InvalidHyperParameter` unless k is an integer ≥ 1.
 * Source: `optax.MultiSteps`, which computes the inner update at every step.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const steps = Transform.multiSteps(Transform.scale({ stepSize: -1 }), { everyKSchedule: 2 })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(steps, { w: 1 }, yield* Transform.init(steps, { w: 0 }))
 *   const second = yield* Transform.update(steps, { w: 3 }, first.state)
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [0, -2])
 * ```
 */
export const multiSteps = <S, Needs extends string, M = never>(
  inner: Transform<S, Needs>,
  { everyKSchedule, shouldSkipUpdateFn, useGradMean = true }: MultiStepsOptions<M>
): Transform<MultiStepsState<S, M>, Needs> => {
  const name = "multiSteps"
  const kAt: Scalar.Compute = (gradientStep = Number.NaN) => {
    const k = typeof everyKSchedule === "number" ? everyKSchedule : everyKSchedule(gradientStep)
    return checked(name, { everyKSchedule: k }, { everyKSchedule: every }).everyKSchedule
  }
  if (typeof everyKSchedule === "number") kAt(0)

  const gathered = (updates: Leaves.Leaves<Expr>, { accGrads, miniStep }: MultiStepsState<S, M>) =>
    Leaves.map(accGrads, updates, (a, g) => (useGradMean ? add(a, div(sub(g, a), add(miniStep, 1))) : add(a, g)))

  const advance = (updates: Leaves.Leaves<Expr>, state: MultiStepsState<S, M>, context: Context<Needs>) => {
    const accGrads = gathered(updates, state)
    const k = Scalar.apply("everyK", kAt, state.gradientStep)
    if (!context.branch(Scalar.apply("isDue", isDue, state.miniStep, k)))
      return { updates: zerosOf(updates), state: { ...state, miniStep: increment(state.miniStep), accGrads } }
    const step = inner.update(accGrads, state.innerOptState, context)
    const gradientStep = increment(state.gradientStep)
    const reset = { miniStep: zero, gradientStep, innerOptState: step.state, accGrads: zerosOf(updates) }
    return { updates: step.updates, state: { ...state, ...reset } }
  }

  return {
    name: `${name}(${inner.name})`,
    hyperParameters: { ...inner.hyperParameters, everyKSchedule, useGradMean },
    needs: inner.needs,
    init: (params) => ({
      miniStep: zero,
      gradientStep: zero,
      innerOptState: inner.init(params),
      accGrads: zerosOf(params),
      skipState: shouldSkipUpdateFn === undefined ? null : zeroMeasures(shouldSkipUpdateFn, params)
    }),
    update: (updates, state, context) => {
      if (shouldSkipUpdateFn === undefined) return advance(updates, state, context)
      const skipState = shouldSkipUpdateFn.measure(updates)
      return context.branch(skipState.shouldSkip)
        ? { updates: zerosOf(updates), state: { ...state, skipState } }
        : advance(updates, { ...state, skipState }, context)
    }
  }
}
