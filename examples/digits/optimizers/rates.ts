/**
 * The step sizes of optimizers: where they stand, and how those that were left open are filled in.
 */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { rowOf } from "./names.ts"
import type { Options, Part } from "./part.ts"

/** What a part has for a step size where its own, if it has one, is this. */
export type Supply<E> = (own: number | undefined) => Effect.Effect<Schema.Json | undefined, E>

const fieldOf = ({ name }: Part): string | undefined => rowOf(name)?.rate?.field

/** The step size of a part, where it has one. */
export const rateOf = (part: Part): Schema.Json | undefined => part.options[fieldOf(part) ?? ""]

/** Its other options. */
export const restOf = (part: Part): Options =>
  Object.fromEntries(Object.entries(part.options).filter(([name]) => name !== fieldOf(part)))

/** All step sizes of some parts. */
export const ratesOf = (parts: ReadonlyArray<Part>): ReadonlyArray<Schema.Json> =>
  parts.flatMap((part) => [...[rateOf(part)].filter((rate) => rate !== undefined), ...ratesOf(part.inner ?? [])])

/** Does one of them leave its step size open? */
export const isOpen = (parts: ReadonlyArray<Part>): boolean =>
  parts.some((part) => (fieldOf(part) !== undefined && rateOf(part) === undefined) || isOpen(part.inner ?? []))

/** The parts with every step size that was left open. */
export const filled = <E>(parts: ReadonlyArray<Part>, supply: Supply<E>): Effect.Effect<ReadonlyArray<Part>, E> =>
  Effect.forEach(parts, (part) => filledPart(part, supply))

const filledPart = <E>(part: Part, supply: Supply<E>): Effect.Effect<Part, E> =>
  Effect.gen(function* () {
    const { inner, name } = part
    const rate = rowOf(name)?.rate
    const supplied = rate === undefined || rateOf(part) !== undefined ? undefined : yield* supply(rate.stepSize)
    const own = rate === undefined || supplied === undefined ? {} : { [rate.field]: supplied }
    const within = inner === undefined ? {} : { inner: yield* filled(inner, supply) }
    return { name, options: { ...own, ...part.options }, ...within }
  })
