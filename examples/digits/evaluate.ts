/**
 * How good a model is.
 */
import * as Effect from "effect/Effect"
import type { Table } from "./data/table.ts"
import { type Params, predict } from "./model.ts"

/** The share of rows whose class the model gets right. */
export const accuracy = (params: Params, table: Table): Effect.Effect<number> =>
  Effect.sync(() => {
    const predicted = predict(params, table)
    return table.labels.filter((label, row) => label === predicted[row]).length / table.rows
  })
