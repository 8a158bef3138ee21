/**
 * Optimizers by name, with their options, and chains of transforms.
 *
 *     --optimizer adamw --options '{"weightDecay":0.01}'
 *     --chain '[{"clipByGlobalNorm":{"maxNorm":1}},{"adamw":{"weightDecay":0.01}}]'
 *
 * What there is and what each can be made with stands in the table (`optimizers/table.ts`).
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { names, optimizerNamed } from "./optimizers/names.ts"
import { BadOptimizer, checked, optimizerOf, type Options, type Part } from "./optimizers/part.ts"
import { filled, type Supply } from "./optimizers/rates.ts"
import type { AnyOptimizer } from "./optimizers/row.ts"

export { BadOptimizer, names }
export { read as chain } from "./optimizers/chain.ts"
export { isOpen, rateOf, ratesOf, restOf } from "./optimizers/rates.ts"
export { chainFlag, inWords, namesOf, partFlags, ratesInWords } from "./optimizers/words.ts"
export type { AnyOptimizer, Part, Supply }

const Plain: Schema.Codec<Part> = Schema.Struct({
  name: Schema.String,
  options: Schema.Record(Schema.String, Schema.Json),
  inner: Schema.optionalKey(Schema.Array(Schema.suspend(() => Plain)))
})

/** The codec of optimizers as data; what no optimizer can be made of is refused. */
export const Parts: Schema.Codec<ReadonlyArray<Part>> = Schema.Array(Plain).check(
  Schema.makeFilter((parts) => Result.match(optimizerOf(parts), { onSuccess: () => true, onFailure: (issue) => issue }))
)

const decode = Schema.decodeEffect(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json)))

/** The optimizer of a name, with options as JSON text; a step size may be missing. */
export const part = Effect.fnUntraced(function* (asked: string, text = "{}"): Effect.fn.Return<Part, BadOptimizer> {
  const name = optimizerNamed(asked)
  if (name === undefined) {
    const reason = `there is no such optimizer; there are ${names.join(", ")}`
    return yield* new BadOptimizer({ place: `--optimizer ${asked}`, reason })
  }
  const refuse = () => new BadOptimizer({ place: `--options ${text}`, reason: "expected a JSON object" })
  return { name, options: yield* Effect.mapError(decode(text), refuse) }
})

/** The parts with step sizes where those were left open. Fails for parts of which no optimizer can be made. */
export const complete = Effect.fnUntraced(function* <E>(
  place: string,
  parts: ReadonlyArray<Part>,
  supply: Supply<E>
): Effect.fn.Return<ReadonlyArray<Part>, E | BadOptimizer> {
  const whole = checked(yield* filled(parts, supply))
  return yield* Effect.mapError(Effect.fromResult(whole), (reason) => new BadOptimizer({ place, reason }))
})

/** The optimizer of an optimizer's name alone, with what is said of it besides. */
export const one = (name: string, options: Options = {}): Effect.Effect<ReadonlyArray<Part>, BadOptimizer> =>
  complete(`--optimizer ${name}`, [{ name, options }], (own) => Effect.succeed(own))

/** The only part, if there is one that can be asked for by its name. */
export const single = ([first, ...others]: ReadonlyArray<Part>): Part | undefined =>
  first !== undefined && others.length === 0 && optimizerNamed(first.name) !== undefined ? first : undefined

/** The optimizer that consists of parts which are complete. */
export const make = (parts: ReadonlyArray<Part>): AnyOptimizer =>
  Result.getOrThrowWith(optimizerOf(parts), (reason) => new Error(reason))
