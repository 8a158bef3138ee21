/**
 * The first update of a fresh optimizer: trace, plan, compile, run. A process of its own, so the first sample meets an
 * engine that has compiled nothing yet; the others a fresh layer and a fresh optimizer in a warm engine.
 *
 *     node --conditions=source-ts bench/first.ts "mlp" 5      prints milliseconds as JSON
 */
import { Optimizer, Tensors } from "@optim/core"
import * as tf from "@tensorflow/tfjs-core"
import { openFused } from "./contestants/runtime.ts"
import { type Case, many, mlp } from "./setting.ts"

/** Milliseconds of one sample. */
export interface First {
  readonly init: number
  readonly update: number
  readonly next: number
}

const cases: ReadonlyArray<Case> = [mlp, many(1000, 64), many(10, 10)]

const sample = async ({ shapes }: Case): Promise<First> => {
  const { close, run } = await openFused()
  const adam = Optimizer.adam({ stepSize: 1e-3 })
  const params: ReadonlyArray<tf.Tensor> = shapes.map((shape) => tf.keep(tf.ones([...shape])))
  const grads = shapes.map((shape) => tf.keep(tf.ones([...shape])))
  const times = [performance.now()]
  const first = run(adam.init(params))
  times.push(performance.now())
  const second = run(adam.update(0, grads, first, { donate: "state" }))
  times.push(performance.now())
  const third = run(adam.update(1, grads, second, { donate: "state" }))
  times.push(performance.now())
  run(Tensors.dispose([params, grads, third]))
  await close()
  const [init = 0, update = 0, next = 0] = times.slice(1).map((time, index) => time - (times[index] ?? time))
  return { init, update, next }
}

const [, file, name, count = "1"] = process.argv
if (file === import.meta.filename) {
  const found = cases.find((each) => each.name === name)
  if (found === undefined) throw new Error(`no case ${name}`)
  const samples: Array<First> = []
  for (let index = 0; index < Number(count); index++) samples.push(await sample(found))
  console.log(JSON.stringify(samples))
}
