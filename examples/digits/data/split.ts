/**
 * Splitting: some rows of a table kept aside for testing, when there is no table of their own for it.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { select, type Table } from "./table.ts"

/**
 * The rows in two tables, drawn at random with the seed: a share of `test`, rounded to whole rows, and the rest. Each
 * keeps at least one row when there are two.
 */
export const split = (
  table: Table,
  { seed, test }: { readonly seed: number; readonly test: number }
): Effect.Effect<{ readonly train: Table; readonly test: Table }> =>
  Random.shuffle(Array.from({ length: table.rows }, (_, row) => row)).pipe(
    Random.withSeed(`split ${seed}`),
    Effect.map((order) => {
      const aside = Math.min(Math.max(Math.round(table.rows * test), 1), table.rows - 1)
      return { train: select(table, order.slice(aside)), test: select(table, order.slice(0, aside)) }
    })
  )
