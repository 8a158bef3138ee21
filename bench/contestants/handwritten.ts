/**
 * The references of the benchmark: hand-written kernels on memory of their own, called once per leaf.
 */
import type { Contestant } from "../contestant.ts"
import { adamAnew, adamInPlace, folded } from "../kernels/adam.ts"
import { Arena, arenaBytes } from "../kernels/memory.ts"
import { traffic } from "../kernels/traffic.ts"
import { type Reference, references } from "../reference.ts"
import type { Leaf, Setting } from "../setting.ts"

interface Placed {
  readonly size: number
  readonly x: number
  readonly g: number
}

/** Leaves in an arena that has room for so many arrays of each. */
const placed = ({ leaves }: Setting, arrays: number): readonly [Arena, ReadonlyArray<Placed>] => {
  const arena = new Arena(arenaBytes(leaves.flatMap(({ x }) => Array.from({ length: arrays }, () => x.length))))
  return [arena, leaves.map(({ g, x }: Leaf) => ({ size: x.length, x: arena.array(x), g: arena.array(g) }))]
}

const nothing = (): void => undefined

/** Adam in place. */
export const adamByHand = (setting: Setting): Contestant => {
  const [arena, leaves] = placed(setting, 4)
  const states = leaves.map((leaf) => ({ ...leaf, m: arena.zeros(leaf.size), v: arena.zeros(leaf.size) }))
  const run = arena.link(adamInPlace())
  let t = 0
  return {
    name: "by hand",
    reference: references.adam,
    step: () => {
      const [alpha, epsilon] = folded(t++)
      for (const { g, m, size, v, x } of states) run(x, g, m, v, size, alpha, epsilon)
    },
    read: () => states.map(({ size, x }) => arena.view(x, size)),
    end: nothing
  }
}

interface Version {
  readonly x: number
  readonly m: number
  readonly v: number
}

/** Adam that writes new arrays: those that were current before the last step. */
export const adamByHandAnew = (setting: Setting): Contestant => {
  const [arena, leaves] = placed(setting, 7)
  const zeros = (size: number): number => arena.zeros(size)
  const states = leaves.map(({ g, size, x }) => ({
    g,
    size,
    versions: [
      { x, m: zeros(size), v: zeros(size) },
      { x: zeros(size), m: zeros(size), v: zeros(size) }
    ] as const satisfies ReadonlyArray<Version>
  }))
  const run = arena.link(adamAnew())
  let t = 0
  return {
    name: "by hand, new arrays",
    reference: references.adam,
    step: () => {
      const [alpha, epsilon] = folded(t)
      const odd = t++ % 2 === 1
      for (const { g, size, versions } of states) {
        const from = odd ? versions[1] : versions[0]
        const to = odd ? versions[0] : versions[1]
        run(from.x, g, from.m, from.v, to.x, to.m, to.v, size, alpha, epsilon)
      }
    },
    read: () => states.map(({ size, versions }) => arena.view(versions[t % 2 === 1 ? 1 : 0].x, size)),
    end: nothing
  }
}

const added: Reference = ({ g, x }, steps, positions) =>
  Float64Array.from(positions, (position) => (x[position] ?? Number.NaN) + steps * (g[position] ?? Number.NaN))

/** The traffic of an optimizer with so many slots beside the parameters. */
export const trafficOf =
  (slots: number) =>
  (setting: Setting): Contestant => {
    const [arena, leaves] = placed(setting, slots + 2)
    const states = leaves.map((leaf) => ({
      ...leaf,
      slots: Array.from({ length: slots }, () => arena.zeros(leaf.size))
    }))
    const run = arena.link(traffic(slots))
    const calls = states.map(({ g, size, slots, x }) => [g, x, ...slots, size])
    return {
      name: "traffic",
      reference: added,
      step: () => {
        for (const call of calls) run(...call)
      },
      read: () => states.map(({ size, x }) => arena.view(x, size)),
      end: nothing
    }
  }
