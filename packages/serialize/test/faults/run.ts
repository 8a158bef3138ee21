/** A run whose state follows from its step, so that whoever restores it knows what it must be. */
import { Tensors } from "@optim/core"
import { Item } from "@optim/serialize"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

const length = 120_000

const numbersAt = (step: number, count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, index) => Math.imul(step + 1, 0x9e3779b1) + Math.imul(index, 40_503))

/** The state after some steps. */
export const valuesAt = (step: number) => ({
  tree: { w: numbersAt(step, length), b: numbersAt(-step, 17), count: step / 3 },
  note: { epoch: step, text: `step ${step}` }
})

const { tree } = valuesAt(0)

/** The items of the run; its tree is divided into three files. */
export const items = {
  tree: Item.tree(tree),
  note: Item.json(Schema.Struct({ epoch: Schema.Int, text: Schema.String }))
}

/** The largest file. */
export const shardSize = 100_000

/** How long a lease lives: a child that was killed is succeeded soon. */
export const lease = "250 millis" as const

const unused = (): never => {
  throw new Error("arrays need no tensors")
}

/** Arrays need no tensors. */
export const noTensors = Layer.mock(Tensors.Tensors, {
  backend: "none",
  execution: "none",
  makeUnsafe: unused,
  executeUnsafe: unused
})
