/**
 * jax-js in its best form: the whole update one jitted function, what depends on the step alone computed on the host.
 *
 * Its arrays are consumed by what they are given to; `ref` keeps one. A step is forced, as it is when a loss is read.
 */
import { type Array as JaxArray, blockUntilReady, defaultDevice, init, jit, numpy as np } from "@jax-js/jax"
import type { Contestant } from "../contestant.ts"
import { folded } from "../kernels/adam.ts"
import { b1, b2, references } from "../reference.ts"
import type { Leaf, Setting } from "../setting.ts"

type Arrays = Array<JaxArray>

const update = (
  x: Arrays,
  m: Arrays,
  v: Arrays,
  g: Arrays,
  alpha: JaxArray,
  epsilon: JaxArray
): [Arrays, Arrays, Arrays] => {
  const next: [Arrays, Arrays, Arrays] = [[], [], []]
  x.forEach((parameter, index) => {
    const [gradient, mean, square] = [g[index], m[index], v[index]]
    if (!gradient || !mean || !square) throw new Error("the trees of an update are equal")
    const mean1 = mean.mul(b1).add(gradient.ref.mul(1 - b1))
    const square1 = square.mul(b2).add(gradient.ref.mul(gradient).mul(1 - b2))
    const step = alpha.ref.mul(mean1.ref).div(np.sqrt(square1.ref).add(epsilon.ref))
    next[0].push(parameter.sub(step))
    next[1].push(mean1)
    next[2].push(square1)
  })
  alpha.dispose()
  epsilon.dispose()
  return next
}

/** Where it computes. */
type Device = "wasm" | "webgpu"

const array = (device: Device, numbers: Float32Array, { shape }: Leaf): JaxArray =>
  np.array(Float32Array.from(numbers), { shape: [...shape], dtype: np.float32, device })

const release = (arrays: Arrays): void => {
  for (const array of arrays) array.dispose()
}

/** Adam; throws where the device is not there. */
export const adamJitted =
  (device: Device) =>
  async ({ leaves }: Setting): Promise<Contestant> => {
    if (!(await init(device)).includes(device)) throw new Error(`jax-js has no ${device} here`)
    defaultDevice(device)
    const run = jit(update)
    const zeros = (leaf: Leaf): JaxArray => array(device, new Float32Array(leaf.x.length), leaf)
    const g = leaves.map((leaf) => array(device, leaf.g, leaf))
    let x = leaves.map((leaf) => array(device, leaf.x, leaf))
    let m = leaves.map(zeros)
    let v = leaves.map(zeros)
    let t = 0
    return {
      name: "jax-js",
      reference: references.adam,
      step: async () => {
        const [alpha, epsilon] = folded(t++)
        const gradients = g.map((gradient) => gradient.ref)
        ;[x, m, v] = run(x, m, v, gradients, np.array(alpha, { device }), np.array(epsilon, { device }))
        // Every output holds all kernels of its call, so one speaks for all; asking all is quadratic.
        await blockUntilReady(x.slice(-1))
      },
      read: () => Promise.all(x.map(async (parameter) => Float32Array.from(await parameter.ref.data()))),
      end: () => {
        for (const arrays of [x, m, v, g]) release(arrays)
        run.dispose()
      }
    }
  }
