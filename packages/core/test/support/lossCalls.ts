/** The calls of losses that the reference recorded: which function of ours, on which tensors. */
import { assert } from "@effect/vitest"
import { Losses } from "@optim/core"
import * as tf from "@tensorflow/tfjs-core"
import type { Tensor } from "@tensorflow/tfjs-core"
import json from "../golden/losses.json?raw"
import { backends as all } from "./backends.ts"
import { type CallRecord, callRecords, camel, optionsOf, toTensor } from "./goldenCalls.ts"

/** The backends whose numbers can be read without waiting. */
export const backends = all.filter(({ readsAtOnce }) => readsAtOnce)

type Loss = (...args: ReadonlyArray<unknown>) => Tensor | ReadonlyArray<Tensor>

export const records: ReadonlyArray<CallRecord> = callRecords(json)

// Every loss takes tensors and an object of options; the records say which.
const exported = Losses as unknown as { readonly [name: string]: Loss | undefined }

/** Losses that the reference makes of a maximum, which has no name of its own in a record. */
const made: { readonly [name: string]: Loss } = {
  "make_fenchel_young_loss(logsumexp)": Losses.makeFenchelYoungLoss((scores) => tf.logSumExp(scores, -1)) as Loss,
  "make_fenchel_young_loss(max)": Losses.makeFenchelYoungLoss((scores) => tf.max(scores, -1)) as Loss
}

export const exportOf = ({ name }: CallRecord): string => camel(name.replace(/\(.*\)$/, ""))

const lossOf = (record: CallRecord): Loss => made[record.name] ?? exported[exportOf(record)] ?? assert.fail(record.name)

/** Where labels are classes. */
const takesClasses = /integer_labels|multiclass_(?!generalized)|ctc_loss|ntxent/

const convert = (name: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && "shape" in value
    ? toTensor(value, name === "where" ? "bool" : "float32")
    : value

/** What stands between the first tensor and the options. */
const others = (record: CallRecord, tensors: ReadonlyArray<Tensor>): ReadonlyArray<unknown> => {
  if (record.name === "smooth_labels") return [record.kwargs["alpha"]]
  return tensors.length === 1 && "predictions" in record.args ? [undefined] : tensors.slice(1)
}

export interface Call {
  readonly names: ReadonlyArray<string>
  readonly tensors: ReadonlyArray<Tensor>
  /** The outputs for these tensors, or for others in their place. */
  readonly run: (tensors: ReadonlyArray<Tensor>) => ReadonlyArray<Tensor>
}

/** A call with tensors on the current backend. */
export const callOf = (record: CallRecord): Call => {
  const tensors = Object.entries(record.args).map(([name, value]) =>
    toTensor(value, name === "labels" && takesClasses.test(record.name) ? "int32" : "float32")
  )
  const options = optionsOf(record, convert)
  const run: Call["run"] = (tensors) => [lossOf(record)(tensors[0], ...others(record, tensors), options)].flat()
  return { names: Object.keys(record.args), tensors, run }
}

/** The sum of a call's first output, with another tensor at one position. */
export const totalWith = (record: CallRecord, position: number, x: Tensor): Tensor => {
  const { run, tensors } = callOf(record)
  const [output = assert.fail("every loss returns something")] = run(tensors.with(position, x))
  return tf.sum(output)
}

/** One record of each loss. */
export const samples: ReadonlyArray<CallRecord> = records.filter(
  (record, index) => records.findIndex((other) => exportOf(other) === exportOf(record)) === index
)
