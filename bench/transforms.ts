/**
 * Composed optimizers: chains, groups, gathered gradients, each as one program.
 */
import { Optimizer, Transform } from "@optim/core"
import * as Tensors from "@optim/core/Tensors"
import { trafficOf } from "./contestants/handwritten.ts"
import { donated, type Some, tree, readTree } from "./contestants/optim.ts"
import type { Home } from "./contestants/runtime.ts"
import type { Contestant } from "./contestant.ts"
import type { Entrant, Heat, Homes } from "./heats.ts"
import { b1, b2, elementwise, eps, get, maxNorm, rate, type Reference, rule } from "./reference.ts"
import { type Case, many, matrix, type Setting, single } from "./setting.ts"

const weightDecay = 0.01
const lionB2 = 0.99

const adamwRule = rule((t, g, x, m, v) => {
  const m1 = (1 - b1) * g + b1 * m
  const v1 = (1 - b2) * g * g + b2 * v
  const step = m1 / (1 - b1 ** (t + 1)) / (Math.sqrt(v1 / (1 - b2 ** (t + 1))) + eps)
  return [x - rate * (step + weightDecay * x), m1, v1]
})

const lionRule = rule((_, g, x, m) => [
  x - rate * (Math.sign((1 - b1) * g + b1 * m) + weightDecay * x),
  (1 - lionB2) * g + lionB2 * m
])

const adamw = elementwise(adamwRule)
const lion = elementwise(lionRule)

const normOf = (all: ReadonlyArray<{ readonly g: Float32Array }>): number =>
  Math.sqrt(all.reduce((total, { g }) => g.reduce((sum, each) => sum + each * each, total), 0))

const clippedAdamw: Reference = (leaf, steps, positions, all) => {
  const norm = normOf(all)
  const factor = norm < maxNorm ? 1 : maxNorm / norm
  return adamw({ ...leaf, g: leaf.g.map((g) => g * factor) }, steps, positions, all)
}

/** Every other leaf by Lion. */
const groups: Reference = (leaf, steps, positions, all) =>
  (all.indexOf(leaf) % 2 === 0 ? adamw : lion)(leaf, steps, positions, all)

/** LAMB without decay: Adam's step, as long as the parameter. */
const lamb: Reference = ({ g, x }, steps, positions) => {
  const now = Float64Array.from(x)
  const [m, v, u] = [new Float64Array(x.length), new Float64Array(x.length), new Float64Array(x.length)]
  for (let t = 0; t < steps; t++) {
    let [ofStep, ofParameter] = [0, 0]
    for (let index = 0; index < x.length; index++) {
      m[index] = (1 - b1) * get(g, index) + b1 * get(m, index)
      v[index] = (1 - b2) * get(g, index) ** 2 + b2 * get(v, index)
      u[index] = get(m, index) / (1 - b1 ** (t + 1)) / (Math.sqrt(get(v, index) / (1 - b2 ** (t + 1))) + 1e-6)
      ofStep += get(u, index) ** 2
      ofParameter += get(now, index) ** 2
    }
    const ratio = Math.sqrt(ofParameter / ofStep)
    for (let index = 0; index < x.length; index++) now[index] = get(now, index) - rate * ratio * get(u, index)
  }
  return Float64Array.from(positions, (position) => get(now, position))
}

/** Adafactor on a matrix, factored, with the defaults of Optax and this rate. */
const adafactor: Reference = ({ g, shape: [rows = 1, columns = 1], x }, steps, positions) => {
  const now = Float64Array.from(x)
  const [byRow, byColumn] = [new Float64Array(rows), new Float64Array(columns)]
  for (let t = 0; t < steps; t++) {
    const decay = 1 - (t + 1) ** -0.8
    const [ofRow, ofColumn] = [new Float64Array(rows), new Float64Array(columns)]
    for (let index = 0; index < x.length; index++) {
      const square = get(g, index) ** 2 + 1e-30
      const [row, column] = [Math.floor(index / columns), index % columns]
      ofRow[row] = get(ofRow, row) + square / columns
      ofColumn[column] = get(ofColumn, column) + square / rows
    }
    for (let row = 0; row < rows; row++) byRow[row] = decay * get(byRow, row) + (1 - decay) * get(ofRow, row)
    for (let column = 0; column < columns; column++)
      byColumn[column] = decay * get(byColumn, column) + (1 - decay) * get(ofColumn, column)
    const mean = byRow.reduce((sum, each) => sum + each, 0) / rows
    const update = (index: number) =>
      get(g, index) / Math.sqrt((get(byRow, Math.floor(index / columns)) / mean) * get(byColumn, index % columns))
    let [squares, ofParameter] = [0, 0]
    for (let index = 0; index < x.length; index++) {
      squares += update(index) ** 2
      ofParameter += get(now, index) ** 2
    }
    const clip = Math.max(1, Math.sqrt(squares / x.length))
    const scale = (rate / clip) * Math.max(1e-3, Math.sqrt(ofParameter / x.length))
    for (let index = 0; index < x.length; index++) now[index] = get(now, index) - scale * update(index)
  }
  return Float64Array.from(positions, (position) => get(now, position))
}

const of =
  <S, Needs extends string>(transform: Transform.Transform<S, Needs>): Some =>
  (use) =>
    use(Optimizer.fromTransform(transform as Transform.Transform<S, "params">))

const adamwOf = Transform.adamw({ learningRate: rate, b1, b2, eps, weightDecay })
const lionOf = Transform.lion({ learningRate: rate, b1, b2: lionB2, weightDecay })
const clippedOf = Transform.chain(Transform.clipByGlobalNorm({ maxNorm }), adamwOf)

/** Two groups: leaves at even places by AdamW, the others by Lion. */
const partitioned = ({ run }: Home) =>
  ((setting) => {
    const labels = Object.fromEntries(
      Object.keys(tree(setting, ({ g }) => g)).map((name, index) => [name, index % 2 === 0 ? "adamw" : "lion"])
    )
    return donated({ run } as Home, of(Transform.partition({ adamw: adamwOf, lion: lionOf }, labels)), groups)(setting)
  }) satisfies (setting: Setting) => Contestant

/** One step gathers four gradients, the same one four times. */
const gathered =
  ({ run }: Home) =>
  (setting: Setting): Contestant => {
    const optimizer = Optimizer.fromTransform(Transform.multiSteps(adamwOf, { everyKSchedule: 4 }))
    const grads = tree(setting, ({ g }) => g)
    const params = tree(setting, ({ x }) => x)
    let state = run(optimizer.init(params))
    let t = 0
    return {
      name: "optim, multiSteps(4)",
      reference: adamw,
      step: () => {
        for (let k = 0; k < 4; k++) state = run(optimizer.update(t++, grads, state, { donate: "state" }))
      },
      read: () => readTree(optimizer.params(state)),
      end: () => run(Tensors.dispose([grads, params, state]))
    }
  }

const heat = (optimizer: string, at: Case, makers: ReadonlyArray<Entrant["make"]>): Heat => ({
  optimizer,
  case: at,
  entrants: makers.map((make) => ({ make }))
})

/** The heats of composed optimizers. */
export const composedHeats = ({ fused, interpreter }: Homes): ReadonlyArray<Heat> => {
  const plainAdamw = donated(fused, of(adamwOf), adamw, "optim adamw, donated")
  const large = matrix(1000, 1000)
  return [
    ...[1e6, 1e7].flatMap((n) => [
      heat("adamw", single(n), [trafficOf(2), donated(fused, of(adamwOf), adamw)]),
      heat("lion", single(n), [trafficOf(1), donated(fused, of(lionOf), lion)]),
      heat("clipByGlobalNorm+adamw", single(n), [plainAdamw, donated(fused, of(clippedOf), clippedAdamw)])
    ]),
    heat("lamb", large, [
      trafficOf(2),
      plainAdamw,
      donated(fused, of(Transform.lamb({ learningRate: rate, b1, b2 })), lamb),
      donated(interpreter, of(Transform.lamb({ learningRate: rate, b1, b2 })), lamb, "optim, interpreter")
    ]),
    heat("adafactor", large, [
      trafficOf(0),
      plainAdamw,
      donated(fused, of(Transform.adafactor({ learningRate: rate })), adafactor),
      donated(interpreter, of(Transform.adafactor({ learningRate: rate })), adafactor, "optim, interpreter")
    ]),
    heat("partition", many(200, 5000), [plainAdamw, partitioned(fused)]),
    heat("multiSteps", single(1e6), [plainAdamw, gathered(fused)])
  ]
}
