/** Hyper-parameters as state. */
import * as Schedules from "@optim/schedules"
import { InvalidHyperParameter } from "../../../OptimError.ts"
import * as Scalar from "../../../Scalar.ts"
import type { HyperParameter } from "../../optimizer/hyperParameters.ts"
import { type Rate, rateAt } from "../../transform/hyper.ts"
import { increment, zero } from "../../transform/rules.ts"
import type { Any, Transform } from "../../transform/transform.ts"

/** The names of the options that may be symbols. */
type Injectable<O> = {
  [K in keyof O]-?: [NonNullable<O[K]>] extends [Rate] ? (Scalar.Scalar extends O[K] ? K : never) : never
}[keyof O] &
  string

/** The hyper-parameters as numbers, and the state of the transform that is made with them. */
export interface InjectHyperparamsState<O, S> {
  readonly count: Scalar.Scalar
  readonly hyperparams: { readonly [K in Injectable<O>]: Scalar.Scalar }
  readonly innerState: S
}

/** A number that stays what the state says, or a schedule that is looked up at each count. */
type Source = number | Exclude<Schedules.StepSize, number>

/** Is this option a number or a schedule? A function is one if the transform counts it among its hyper-parameters. */
const isSource = (value: unknown, known: HyperParameter | undefined): value is Source =>
  typeof value === "number" || Schedules.isSchedule(value) || (typeof value === "function" && value === known)

/** What `injectHyperparams` is told beside the options. */
export interface InjectHyperparamsOptions<Name extends string> {
  /** Options that stay as they are, because the maker needs them as numbers or functions. Default none. */
  readonly staticArgs?: ReadonlyArray<Name> | undefined
}

const quoted = (names: ReadonlyArray<string>): string => names.map((name) => JSON.stringify(name)).join(", ")

/** Throws unless there are such names. */
const checkStatic = (names: ReadonlyArray<string>, known: ReadonlyArray<string>): void => {
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new InvalidHyperParameter({
      optimizer: "injectHyperparams",
      parameter: "staticArgs",
      value: quoted([unknown]),
      expected: `names among ${quoted(known)}`
    })
}

/** Options with the first number of each schedule, which may stand where the maker takes numbers alone. */
const atZero = <O extends object>(options: O): O => {
  const entries = Object.entries(options).map(([name, value]: [string, unknown]) => [
    name,
    Schedules.isSchedule(value) ? Schedules.at(value, 0) : value
  ])
  // The same options, of the same types: a number may stand wherever a schedule may.
  return Object.fromEntries(entries) as O
}

type Sources = ReadonlyArray<readonly [name: string, source: Source]>

/** The numbers and schedules of the options, and where they say nothing, of the transform's defaults. */
const candidates = (
  { fixed = [], hyperParameters }: Any,
  options: object,
  staticArgs: ReadonlyArray<string>
): Sources => {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const all: ReadonlyArray<[string, unknown]> = Object.entries({ ...hyperParameters, ...Object.fromEntries(given) })
  checkStatic(
    staticArgs,
    all.map(([name]) => name)
  )
  return all.filter(
    (entry): entry is [string, Source] =>
      !fixed.includes(entry[0]) && !staticArgs.includes(entry[0]) && isSource(entry[1], hyperParameters[entry[0]])
  )
}

/** A symbol for each, where it begins. */
const firstSymbols = (sources: Sources): { readonly [name: string]: Scalar.Scalar } =>
  Object.fromEntries(sources.map(([name, source]) => [name, rateAt(source)(zero)]))

/** Those that a maker takes from its options: a number that is still there with symbols for all was not among them. */
const taken = <O extends object>(make: (options: O) => Any, options: O, sources: Sources): Sources => {
  const { hyperParameters } = make({ ...options, ...firstSymbols(sources) })
  return sources.filter(([name]) => name in options || !(name in hyperParameters))
}

/**
 * A transform whose hyper-parameters are part of its state: readable, settable, and saved with it.
 *
 * `make` is the maker of a transform and `options` what it is made with. Every option that is a number, those that are left
 * to their defaults included, becomes a number of the state that can be set to another between updates
 * (`Transform.set`); every one that is a schedule is looked up at the count of updates and put there to be read. Flags,
 * masks and whatever else there is stay as they are, and so does what `staticArgs` names. Another value compiles nothing.
 * An option that has neither a value nor a default is not there (`momentum` of `sgd`).
 *
 * A maker of your own hands its options on, or computes with them in words of `Scalar`: it is given symbols for those that
 * are injected. State: `count`, `hyperparams`, `innerState`. Needs what the transform needs. A value out of its range makes
 * the update fail with `InvalidHyperParameter`, which is also thrown for a static argument that is no option.
 * Source: `optax.inject_hyperparams`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const descent = Transform.injectHyperparams(Transform.scaleByLearningRate, { learningRate: 0.5 })
 * const program = Effect.gen(function*() {
 *   const first = yield* Transform.update(descent, { w: 1 }, yield* Transform.init(descent, { w: 0 }))
 *   const second = yield* Transform.update(descent, { w: 1 }, Transform.set(first.state, { learningRate: 0.25 }))
 *   return [first, second].map(({ updates }) => updates.w.dataSync()[0])
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-0.5, -0.25])
 * ```
 */
export const injectHyperparams = <
  // The options of a maker that can be called without any.
  O extends object | undefined,
  S,
  Needs extends string,
  const Static extends keyof NonNullable<O> & string = never
>(
  make: (options: O) => Transform<S, Needs>,
  options: NoInfer<NonNullable<O>>,
  { staticArgs = [] }: InjectHyperparamsOptions<Static> = {}
): Transform<InjectHyperparamsState<Omit<NonNullable<O>, Static>, S>, Needs> => {
  type Symbols = InjectHyperparamsState<Omit<NonNullable<O>, Static>, S>["hyperparams"]
  const plain = make(atZero(options))
  const sources = taken<NonNullable<O>>(make, options, candidates(plain, options, staticArgs))
  // A symbol for every number and schedule among the options.
  const each = (symbolOf: (name: string, source: Source) => Scalar.Scalar): Symbols =>
    Object.fromEntries(sources.map(([name, source]) => [name, symbolOf(name, source)])) as Symbols
  const withSymbols = (hyperparams: Symbols): Transform<S, Needs> => make({ ...options, ...hyperparams })
  return {
    name: `injectHyperparams(${plain.name})`,
    hyperParameters: { ...plain.hyperParameters, ...Object.fromEntries(sources) },
    needs: plain.needs,
    init: (params) => {
      const hyperparams = each((_, source) => rateAt(source)(zero))
      return { count: zero, hyperparams, innerState: withSymbols(hyperparams).init(params) }
    },
    update: (updates, state, context) => {
      const held: { readonly [name: string]: Scalar.Scalar } = state.hyperparams
      const hyperparams = each((name, source) =>
        typeof source === "number" ? (held[name] ?? Scalar.constant(source)) : rateAt(source)(state.count)
      )
      const step = withSymbols(hyperparams).update(updates, state.innerState, context)
      return { updates: step.updates, state: { count: increment(state.count), hyperparams, innerState: step.state } }
    }
  }
}
