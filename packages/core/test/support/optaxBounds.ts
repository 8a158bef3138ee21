/** How far numbers may be from those of Optax: of updates, and of states. */
import { KeyPath, PyTree } from "@optim/pytree"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { deviation, type Deviation } from "./golden.ts"
import { values } from "./numbers.ts"
import { flat, isArray, numbersOf, type OptaxRecord, ourPath } from "./optax.ts"
import { exceptions } from "./optaxExceptions.ts"

/** Half a unit in the last place of 1: what one rounding costs, which a record in float64 cannot know of. */
export const roundoff = 2 ** -24

/** Both numbers are NaN, or the same infinity. */
const same = (a: number, b: number): boolean => Object.is(a, b) || a === b

/** Fails unless all numbers are within ten times the bound, or ten roundings. */
export const within = (
  found: ReadonlyArray<ReadonlyArray<number>>,
  expected: ReadonlyArray<ReadonlyArray<number>>,
  bound: Deviation,
  what: string
): void => {
  assert.deepStrictEqual(
    found.map((leaf) => leaf.length),
    expected.map((leaf) => leaf.length),
    what
  )
  const [a, b] = [found.flat(), expected.flat()]
  const differing = a.map((_, index) => index).filter((index) => !same(a[index] ?? 0, b[index] ?? 0))
  const { max_abs, max_rel } = deviation(
    differing.map((index) => a[index] ?? 0),
    differing.map((index) => b[index] ?? 0)
  )
  assert.isAtMost(max_abs, 10 * Math.max(roundoff, bound.max_abs), `${what}: absolute`)
  assert.isAtMost(max_rel, 10 * Math.max(roundoff, bound.max_rel), `${what}: relative`)
}

/** No deviation but by rounding. */
export const exact: Deviation = { max_abs: 0, max_rel: 0 }

const isPlaceholder = (path: string, value: unknown): boolean =>
  exceptions.placeholders.some(({ pattern }) => pattern.test(path)) &&
  isArray(value) &&
  value.shape.join() === "1" &&
  numbersOf(value)[0] === 0

/** The largest number of a slot is the scale at which its float32 form may differ. */
export const checkState = Effect.fnUntraced(function* (
  record: OptaxRecord,
  state: unknown,
  bound: Deviation,
  pathOf: (path: string) => string = ourPath
) {
  const [leaves] = PyTree.flattenWithPath(state)
  const ours = new Map(leaves.map(([path, leaf]) => [KeyPath.keystr(path), leaf]))
  for (const { path, value } of record.extra.final_state ?? []) {
    const reason = exceptions.state.find(({ pattern }) => pattern.test(path))
    if (reason !== undefined) continue
    const found = ours.get(pathOf(path))
    if (found === undefined && isPlaceholder(path, value)) continue
    if (found === undefined) assert.fail(`${record.id}: no ${pathOf(path)} among ${[...ours.keys()].join(" ")}`)
    const [a, b] = [(yield* values([found])).flat(), numbersOf(value)]
    const scale = Math.max(1, ...b.filter(Number.isFinite).map(Math.abs))
    within(
      [a.map((x) => x / scale)],
      [b.map((x) => x / scale)],
      { max_abs: bound.max_abs, max_rel: 1 },
      `${record.id} ${path}`
    )
  }
})

/** What a sum in float32 may deviate where no float32 run of the reference says it: it is rounded at the size of its parts. */
export const ofSum = (parts: ReadonlyArray<unknown>, largest = Number.POSITIVE_INFINITY): Deviation => {
  const sizes = parts.flatMap((tree) => flat(tree).flat()).map(Math.abs)
  return { max_abs: roundoff * Math.min(largest, Math.max(...sizes)), max_rel: Number.POSITIVE_INFINITY }
}
