/**
 * The programme: which contestants meet on which case.
 */
import { Optimizer } from "@optim/core"
import type { Contestant } from "./contestant.ts"
import { adamByHand, adamByHandAnew, trafficOf } from "./contestants/handwritten.ts"
import { adamJitted } from "./contestants/jax.ts"
import { javascript } from "./contestants/javascript.ts"
import { clippedAnew, clippedDonated, donated, pure, type Some } from "./contestants/optim.ts"
import type { Home } from "./contestants/runtime.ts"
import { tfTrain } from "./contestants/tfjs.ts"
import { optimizers, type Row } from "./optimizers.ts"
import { maxNorm, references } from "./reference.ts"
import { composedHeats } from "./transforms.ts"
import { type Case, elementsOf, many, matrix, mlp, type Setting, single } from "./setting.ts"

/** A contestant that is yet to be made, on the case of its heat or on one of its own. */
export interface Entrant {
  readonly on?: Case
  readonly make: (setting: Setting) => Contestant | Promise<Contestant>
}

/** Contestants that are timed against each other. */
export interface Heat {
  readonly optimizer: string
  readonly case: Case
  readonly entrants: ReadonlyArray<Entrant>
}

/** The library with kernels and without. */
export interface Homes {
  readonly fused: Home
  readonly interpreter: Home
}

/** Beyond this a step of tfjs' cpu backend takes longer than all others together. */
const largestForCpu = 100_000

const adamHeat = ({ fused, interpreter }: Homes, at: Case): Heat => {
  const { ours, reference, slots, theirs, loop } = optimizers.adam
  const makers = [
    adamByHand,
    adamByHandAnew,
    trafficOf(slots),
    donated(fused, ours, reference),
    pure(fused, ours, reference),
    pure(interpreter, ours, reference, "optim, interpreter"),
    tfTrain("wasm", theirs.make, reference),
    ...(elementsOf(at) <= largestForCpu ? [tfTrain("cpu", theirs.make, reference)] : []),
    javascript(loop, reference),
    adamJitted("wasm")
  ]
  return { optimizer: "adam", case: at, entrants: makers.map((make) => ({ make })) }
}

/** Many small leaves, and the same elements in one leaf. */
const smallLeaves = (homes: Homes, at: Case): Heat => {
  const heat = adamHeat(homes, at)
  const together = donated(homes.fused, optimizers.adam.ours, optimizers.adam.reference, "optim, donated, one leaf")
  return { ...heat, entrants: [...heat.entrants, { on: single(elementsOf(at)), make: together }] }
}

const ordinaryHeat = ({ fused }: Homes, optimizer: string, row: Row, at: Case): Heat => {
  const { loop, ours, reference, slots, theirs } = row
  const makers = [
    trafficOf(slots),
    donated(fused, ours, reference),
    pure(fused, ours, reference),
    ...(theirs === undefined ? [] : [tfTrain("wasm", theirs.make, theirs.reference ?? reference)]),
    ...(loop === undefined ? [] : [javascript(loop, reference)])
  ]
  return { optimizer, case: at, entrants: makers.map((make) => ({ make })) }
}

const sm3Heat = ({ fused, interpreter }: Homes): Heat => {
  const { adagrad, sm3 } = optimizers
  const makers = [
    donated(fused, adagrad.ours, adagrad.reference, "optim adagrad, donated"),
    donated(fused, sm3.ours, sm3.reference),
    pure(fused, sm3.ours, sm3.reference),
    pure(interpreter, sm3.ours, sm3.reference, "optim, interpreter"),
    trafficOf(sm3.slots)
  ]
  return { optimizer: "sm3", case: matrix(1000, 1000), entrants: makers.map((make) => ({ make })) }
}

const clippedAdam: Some = (use) => optimizers.adam.ours((adam) => use(Optimizer.clipped(adam, { maxNorm })))

const clipHeat = ({ fused }: Homes, at: Case): Heat => ({
  optimizer: "clipGrads+adam",
  case: at,
  entrants: [
    donated(fused, optimizers.adam.ours, optimizers.adam.reference),
    donated(fused, clippedAdam, references["clipGrads+adam"], "optim clipped, donated"),
    clippedDonated(fused),
    clippedAnew(fused)
  ].map((make) => ({ make }))
})

const others = ["sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adamax"] as const

/** All heats. */
export const heatsOf = (homes: Homes): ReadonlyArray<Heat> => [
  ...[many(10, 10), ...[1e3, 1e4, 1e5, 1e6, 1e7].map(single), many(200, 5000), mlp].map((at) => adamHeat(homes, at)),
  smallLeaves(homes, many(1000, 64)),
  ...others.flatMap((name) => [1e4, 1e6, 1e7].map((n) => ordinaryHeat(homes, name, optimizers[name], single(n)))),
  sm3Heat(homes),
  clipHeat(homes, single(1e6)),
  clipHeat(homes, mlp),
  ...composedHeats(homes)
]
