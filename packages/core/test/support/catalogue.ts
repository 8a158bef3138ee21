/**
 * All optimizers of the library, derived from its exports: an export that takes a `stepSize` and gives a triple.
 *
 * Rows that some law does not fit say so here, with a reason; the laws know no names.
 */
import { Optimizer } from "@optim/core"
import { optionsOf, records, type GoldenRecord, optimizerName } from "./golden.ts"

type AnyOptimizer = Optimizer.Optimizer<unknown>

const notOptimizers = new Set(["fromTransform", "leafwise", "clipGrads", "clipped", "explain", "l2Norm"])

export interface Row {
  readonly name: string
  readonly make: (options: object) => AnyOptimizer
  readonly records: ReadonlyArray<GoldenRecord>
}

export const exported: ReadonlyArray<string> = Object.keys(Optimizer).filter((name) => !notOptimizers.has(name))

// Every optimizer takes one object of options; the golden records say which.
const makers = Optimizer as unknown as { readonly [name: string]: Row["make"] | undefined }

const missing = (name: string): never => {
  throw new Error(`no export ${name}`)
}

export const catalogue: ReadonlyArray<Row> = exported.map((name) => ({
  name,
  make: makers[name] ?? missing(name),
  records: records.filter((record) => optimizerName(record) === name)
}))

/** An optimizer of each row, with the options of its first record. */
export const typical = (row: Row): AnyOptimizer => {
  const [first] = row.records
  if (first === undefined) throw new Error(`${row.name} has no golden record`)
  return row.make(optionsOf(first))
}
