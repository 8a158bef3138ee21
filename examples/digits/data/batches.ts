/**
 * Batches: the rows of a table, shuffled anew in every epoch, a few at a time.
 *
 * The order of an epoch follows from the seed and the number of the epoch alone. So step k brings the same rows
 * whether the run came there from step 0 or was resumed, and nothing of the generator has to be saved.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { select, type Table } from "./table.ts"

/** What is drawn from. */
export interface BatchOptions {
  /** Rows per batch. The last batch of an epoch has what is left. */
  readonly size: number
  /** How often each row comes. `Infinity` never ends. */
  readonly epochs: number
  readonly seed: number
  /** The step at which the stream begins. Default 0. */
  readonly from?: number | undefined
}

/** The rows of one step. Steps and epochs are counted from 0. */
export interface Batch extends Table {
  readonly step: number
  readonly epoch: number
}

/** A number that batches cannot be made with. */
export class InvalidBatches extends Schema.TaggedError<InvalidBatches>()("InvalidBatches", {
  field: Schema.String,
  // @effect-diagnostics-next-line schemaNumber:off
  value: Schema.Number,
  expected: Schema.String
}) {
  override get message(): string {
    return `batches: expected ${this.field} to be ${this.expected}, found ${this.value}`
  }
}

/** The number of batches in an epoch. */
export const stepsPerEpoch = (rows: number, size: number): number => Math.ceil(rows / size)

/** The batches from step `from` to the end of the last epoch: none when they have all been seen. */
export const make = (table: Table, options: BatchOptions): Stream.Stream<Batch, InvalidBatches> => {
  const invalid = validate(table, options)
  return invalid === undefined ? epochs(table, options) : Stream.fail(invalid)
}

const validate = ({ rows }: Table, { epochs, from = 0, seed, size }: BatchOptions): InvalidBatches | undefined => {
  const refuse = (field: string, value: number, expected: string) => new InvalidBatches({ field, value, expected })
  if (!(Number.isInteger(size) && size > 0)) return refuse("size", size, "a positive integer")
  if (!((Number.isInteger(epochs) && epochs >= 0) || epochs === Infinity)) {
    return refuse("epochs", epochs, "a non-negative integer or Infinity")
  }
  if (!(Number.isInteger(from) && from >= 0)) return refuse("from", from, "a non-negative integer")
  if (!Number.isFinite(seed)) return refuse("seed", seed, "a finite number")
  return rows > 0 ? undefined : refuse("rows", rows, "at least 1")
}

const epochs = (table: Table, { epochs, from = 0, seed, size }: BatchOptions): Stream.Stream<Batch> => {
  const steps = stepsPerEpoch(table.rows, size)
  const first = Math.floor(from / steps)
  return Stream.unfold(first, (epoch) =>
    Effect.succeed(epoch < epochs ? ([epoch, epoch + 1] as const) : undefined)
  ).pipe(
    Stream.flatMap((epoch) =>
      Stream.unwrap(
        Effect.map(orderOf(table.rows, seed, epoch), (order) =>
          batchesOf(table, order, { epoch, size, start: epoch * steps, from: Math.max(from, epoch * steps) })
        )
      )
    )
  )
}

/** The order of the rows in an epoch. */
const orderOf = (rows: number, seed: number, epoch: number): Effect.Effect<Array<number>> =>
  Random.shuffle(Array.from({ length: rows }, (_, row) => row)).pipe(Random.withSeed(`batches ${seed} epoch ${epoch}`))

interface Slice {
  readonly epoch: number
  readonly size: number
  readonly start: number
  readonly from: number
}

// unfold gathers the rows of a batch when it is asked for it, and not before
const batchesOf = (
  table: Table,
  order: ReadonlyArray<number>,
  { epoch, from, size, start }: Slice
): Stream.Stream<Batch> =>
  Stream.unfold(from, (step) => {
    const rows = order.slice((step - start) * size, (step - start + 1) * size)
    return Effect.succeed(rows.length > 0 ? ([{ ...select(table, rows), step, epoch }, step + 1] as const) : undefined)
  })
