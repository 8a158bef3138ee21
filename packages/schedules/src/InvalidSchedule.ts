/**
 * The one error of this package: a schedule was given something it cannot use.
 *
 * Constructors, combinators and `make` throw it; nothing is clamped, rounded or repaired on the way. Decoding
 * reports the same facts as a `SchemaError`, because a codec speaks of paths in the encoded value.
 */
import * as Schema from "effect/Schema"
import { print } from "./internal/Fault.ts"

/**
 * A schedule was made from a value that it does not allow.
 *
 * - `schedule`: the function that refused, such as `exponentialDecay`
 * - `field`: the path of the value, such as `decaySteps` or `schedules[1].decayRate`
 * - `value`: what was found there
 * - `expected`: what is allowed there
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Schedules from "@optim/schedules"
 *
 * assert.throws(
 *   () => Schedules.exponentialDecay({ stepSize: 0.1, decaySteps: 0, decayRate: 0.5 }),
 *   (error) => error instanceof Schedules.InvalidSchedule && error.field === "decaySteps" && error.value === 0
 * )
 * ```
 */
export class InvalidSchedule extends Schema.TaggedError<InvalidSchedule>()("InvalidSchedule", {
  schedule: Schema.String,
  field: Schema.String,
  value: Schema.Unknown,
  expected: Schema.String
}) {
  override get message(): string {
    return [
      `${this.schedule} got a value that it cannot use`,
      `  ${this.field}   expected ${this.expected}   found ${print(this.value)}`,
      "Pass a value that is allowed; a schedule repairs nothing."
    ].join("\n")
  }
}
