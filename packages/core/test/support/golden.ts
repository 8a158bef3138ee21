/// <reference types="vite/client" />
/** Records made by the reference, decoded: arrays become flat numbers with shapes, schedules become ours. */
import { PyTree } from "@optim/pytree"
import * as Schedules from "@optim/schedules"
import * as tf from "@tensorflow/tfjs-core"
import json from "../golden/jax.json?raw"

export interface Deviation {
  readonly max_abs: number
  readonly max_rel: number
}

interface SlotState {
  readonly param: string
  readonly leaves: ReadonlyArray<unknown>
}

export interface GoldenRecord {
  readonly id: string
  readonly name: string
  readonly kwargs: { readonly [name: string]: unknown }
  readonly params0: unknown
  readonly grads: ReadonlyArray<unknown>
  readonly params: ReadonlyArray<unknown>
  readonly output: unknown
  readonly extra?: { readonly f32: Deviation; readonly final_state: ReadonlyArray<SlotState> }
}

export const records: ReadonlyArray<GoldenRecord> = JSON.parse(json).records

interface GoldenArray {
  readonly shape: Array<number>
  readonly data: ReadonlyArray<number | string>
}

export const isArray = (node: unknown): node is GoldenArray =>
  typeof node === "object" && node !== null && "shape" in node && "data" in node

/** The tree with float32 tensors for its arrays and numbers. */
export const toTensors = (tree: unknown): unknown =>
  PyTree.map(
    tree,
    (leaf: unknown) =>
      isArray(leaf) ? tf.tensor(leaf.data.map(Number), leaf.shape, "float32") : tf.scalar(Number(leaf)),
    {
      isLeaf: isArray
    }
  )

/** The numbers of one leaf. */
export const numbersOf = (leaf: unknown): ReadonlyArray<number> =>
  isArray(leaf) ? leaf.data.map(Number) : [Number(leaf)]

/** The numbers of each leaf, in the order of the tree. */
export const numbers = (tree: unknown): ReadonlyArray<ReadonlyArray<number>> =>
  PyTree.leaves(tree, { isLeaf: isArray }).map((leaf: unknown) => numbersOf(leaf))

export const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

export const optimizerName = ({ name }: GoldenRecord): string => camel(name)

const camelKeys = (record: object): { [name: string]: unknown } =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [camel(name), value]))

const schedule = ({ $schedule, ...options }: { readonly [name: string]: unknown }): Schedules.StepSize => {
  // The reference's keyword arguments are our options in another spelling.
  const make = (Schedules as unknown as { readonly [name: string]: (options: object) => Schedules.StepSize })[
    camel(String($schedule))
  ]
  if (make === undefined) throw new Error(`no schedule ${String($schedule)}`)
  return make(camelKeys(options))
}

/** The keyword arguments of the reference as our options. */
export const optionsOf = ({ kwargs }: GoldenRecord): { readonly [name: string]: unknown } =>
  Object.fromEntries(
    Object.entries(camelKeys(kwargs)).map(([name, value]) => [
      name,
      typeof value === "object" && value !== null && "$schedule" in value
        ? schedule(value as { [name: string]: unknown })
        : value
    ])
  )

/** The largest absolute and relative deviation; the denominator is max(|x|, 1e-3), as in the records. */
export const deviation = (found: ReadonlyArray<number>, expected: ReadonlyArray<number>): Deviation => {
  if (found.length !== expected.length) throw new Error(`${found.length} numbers, expected ${expected.length}`)
  const absolute = found.map((value, index) => Math.abs(value - (expected[index] ?? Number.NaN)))
  const relative = absolute.map(
    (difference, index) => difference / Math.max(Math.abs(expected[index] ?? Number.NaN), 1e-3)
  )
  return { max_abs: Math.max(0, ...absolute), max_rel: Math.max(0, ...relative) }
}
