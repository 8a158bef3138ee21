/**
 * Migrations: how data that was saved under an earlier schema becomes data of the current one.
 *
 * A chain of schemas, each with a pure function from the data of the one before it. What is saved is of the last schema
 * and bears its version, the number of schemas before it; what is read is decoded by the schema of its version and taken
 * through the functions behind it.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Result from "effect/Result"
 * import * as Schema from "effect/Schema"
 * import { Migrations } from "@optim/serialize"
 *
 * const settings = Migrations.from(Schema.Struct({ epoch: Schema.Int })).pipe(
 *   Migrations.to(Schema.Struct({ epoch: Schema.Int, fold: Schema.Int }), ({ epoch }) => ({ epoch, fold: 0 })),
 *   Migrations.to(Schema.Struct({ epoch: Schema.Int, folds: Schema.Array(Schema.Int) }), ({ epoch, fold }) => ({
 *     epoch,
 *     folds: [fold]
 *   }))
 * )
 * assert.strictEqual(Migrations.version(settings), 2)
 * assert.deepStrictEqual(Migrations.decode(settings, 0, { epoch: 3 }), Result.succeed({ epoch: 3, folds: [0] }))
 * assert.deepStrictEqual(Migrations.encode(settings, { epoch: 3, folds: [0] }), Result.succeed({ epoch: 3, folds: [0] }))
 * ```
 */
import { dual } from "effect/Function"
import * as Pipeable from "effect/Pipeable"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { fromIssue } from "./internal/faults.ts"
import type { Fault } from "./internal/show.ts"

/** A codec that needs nothing. */
type Plain<A> = Schema.Codec<A, unknown>

/** What is wrong with data: the place, what is expected there, what was found. */
export type { Fault } from "./internal/show.ts"

/** Data of type `A`, with all that it once was. */
export class Migrations<in out A> extends Pipeable.Class {
  readonly #schema: Plain<A>
  readonly #earlier: Earlier<A> | undefined
  /** How many schemas there were before. */
  readonly version: number

  constructor(schema: Plain<A>, version: number, earlier: Earlier<A> | undefined) {
    super()
    this.#schema = Schema.toCodecJson(schema)
    this.version = version
    this.#earlier = earlier
  }

  /** Data of some version, as data of this one. */
  decode(version: number, json: unknown): Result.Result<A, ReadonlyArray<Fault>> {
    if (version < this.version && this.#earlier !== undefined) return this.#earlier(version, json)
    if (version !== this.version) {
      return Result.fail([{ path: "version", expected: `at most ${this.version}`, found: String(version) }])
    }
    const decoded = Schema.decodeUnknownResult(this.#schema, { errors: "all" })(json)
    return Result.mapError(decoded, ({ issue }) => fromIssue("", issue, json))
  }

  /** Data as JSON. */
  encode(value: A): Result.Result<Schema.Json, ReadonlyArray<Fault>> {
    const encoded = Schema.encodeUnknownResult(this.#schema, { errors: "all" })(value)
    return Result.mapBoth(encoded, {
      onSuccess: (json) => json as Schema.Json, // a codec to JSON
      onFailure: ({ issue }) => fromIssue("", issue, value)
    })
  }
}

/** From data of an earlier version to data of this one. */
type Earlier<A> = (version: number, json: unknown) => Result.Result<A, ReadonlyArray<Fault>>

/** The first schema, of version 0. */
export const from = <A, I>(schema: Schema.Codec<A, I>): Migrations<A> => new Migrations(schema, 0, undefined)

/** The next schema, and how data of the former one becomes data of it. `migrate` must be pure. */
export const to: {
  <A, B, I>(schema: Schema.Codec<B, I>, migrate: (earlier: A) => B): (self: Migrations<A>) => Migrations<B>
  <A, B, I>(self: Migrations<A>, schema: Schema.Codec<B, I>, migrate: (earlier: A) => B): Migrations<B>
} = dual(
  3,
  <A, B, I>(self: Migrations<A>, schema: Schema.Codec<B, I>, migrate: (earlier: A) => B): Migrations<B> =>
    new Migrations(schema, self.version + 1, (version, json) => Result.map(self.decode(version, json), migrate))
)

/** The version that is written. */
export const version = <A>(self: Migrations<A>): number => self.version

/** Data that was saved under a version, as current data; or everything that is wrong with it. */
export const decode = <A>(
  self: Migrations<A>,
  version: number,
  json: unknown
): Result.Result<A, ReadonlyArray<Fault>> => self.decode(version, json)

/** Current data as JSON; or everything that is wrong with it. */
export const encode = <A>(self: Migrations<A>, value: A): Result.Result<Schema.Json, ReadonlyArray<Fault>> =>
  self.encode(value)
