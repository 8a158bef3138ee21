/**
 * NaN in one element of a gradient goes where the reference sends it, and nowhere else: into its own element, its row, its
 * leaf, or the whole tree. What is not reached is the same bit for bit as without it.
 */
import { Tensors, Transform } from "@optim/core"
import { KeyPath, PyTree } from "@optim/pytree"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { backends } from "../support/backends.ts"
import { isArray } from "../support/golden.ts"
import { leavesNothing } from "../support/memory.ts"
import { inParallel, read } from "../support/numbers.ts"
import { begun, given, owned, pathsOf, slopes, tensorsIn } from "../support/stepping.ts"
import { type Case, type Reach, type Row, rows } from "../support/transforms.ts"

const { scoped } = Tensors

/** An element of a leaf, or of a tensor of the state that belongs to the leaf. */
interface Place {
  readonly path: string
  readonly shape: ReadonlyArray<number>
  readonly index: number
}

const rowLength = ({ shape }: Place): number => shape.slice(1).reduce((product, size) => product * size, 1)

const reaches: { readonly [R in Reach]: (place: Place, from: Place) => boolean } = {
  nowhere: () => false,
  element: (place, from) => place.path === from.path && place.index === from.index,
  row: (place, from) =>
    place.path === from.path && Math.floor(place.index / rowLength(place)) === Math.floor(from.index / rowLength(from)),
  column: (place, from) => place.path === from.path && place.index % rowLength(place) === from.index % rowLength(from),
  leaf: (place, from) => place.path === from.path,
  tree: () => true
}

const shapeOf = (leaf: unknown): ReadonlyArray<number> => (isArray(leaf) ? leaf.shape : [])

const map = (tree: unknown, f: (leaf: unknown, path: string) => unknown): unknown =>
  PyTree.mapWithPath(tree, (path, leaf: unknown) => f(leaf, KeyPath.keystr(path)), { isLeaf: isArray })

const withNumbers = (leaf: unknown, f: (value: number, index: number) => number): unknown =>
  isArray(leaf)
    ? { shape: leaf.shape, data: leaf.data.map((value, index) => f(Number(value), index)) }
    : f(Number(leaf), 0)

/** The second element of the first matrix. */
const poisonedIn = ({ params }: Case): Place => {
  const [leaves] = PyTree.flattenWithPath(params, { isLeaf: isArray })
  const [path, leaf] = leaves.find(([, leaf]) => shapeOf(leaf).length === 2) ?? assert.fail("no matrix")
  return { path: KeyPath.keystr(path), shape: shapeOf(leaf), index: 1 }
}

/** How many steps are looked at. */
const observedSteps = 8

const finite = (tried: Case): Case => ({
  ...tried,
  grads: Array.from({ length: observedSteps }, (_, step) =>
    map(tried.grads[step % tried.grads.length], (leaf) =>
      withNumbers(leaf, (value) => (Number.isFinite(value) ? value : 1))
    )
  )
})

/** The step in which the gradient has NaN. */
const poisonedStep = 3

const poisoned = (tried: Case, place: Place): Case => ({
  ...tried,
  grads: tried.grads.map((tree, step) =>
    step !== poisonedStep
      ? tree
      : map(tree, (leaf, path) =>
          path === place.path ? withNumbers(leaf, (value, index) => (index === place.index ? Number.NaN : value)) : leaf
        )
  )
})

type Element = readonly [place: Place, value: number]

const elements = Effect.fnUntraced(function* (tree: unknown) {
  const found = yield* inParallel(tensorsIn(tree), ([path, tensor]) =>
    Effect.map(read(tensor), (data) =>
      data.map((value, index): Element => [{ path, shape: tensor.shape, index }, value])
    )
  )
  return found.flat()
})

/** The updates of each step, always with the same parameters, and the state in the end. */
const observed = Effect.fnUntraced(function* (tried: Case) {
  const transform = tried.make()
  const start = yield* scoped(begun(transform, tried))
  const updates: Array<unknown> = []
  let state: unknown = start.state
  for (let step = 0; step < observedSteps; step++) {
    const grads = yield* owned(() => slopes(tried, step))
    const next = yield* scoped(Transform.update(transform, grads, state, given(tried, start.params, step)))
    updates.push(next.updates)
    state = next.state
  }
  return { updates: yield* inParallel(updates, elements), state: yield* elements(state) }
})

type Observed = Effect.Success<ReturnType<typeof observed>>

const print = ({ index, path }: Place): string => `${path}[${index}]`

/** In each step, the elements of the update that are NaN now and were not before. */
const newNaN = (clean: Observed, found: Observed): ReadonlyArray<ReadonlyArray<string>> =>
  found.updates.map((updates, step) =>
    updates
      .filter(([, value], index) => Number.isNaN(value) && !Number.isNaN(clean.updates[step]?.[index]?.[1]))
      .map(([place]) => print(place))
  )

/** All elements of updates and state that differ, as elements of the leaf that their tensor belongs to. */
const changes = ({ params }: Case, clean: Observed, found: Observed): ReadonlyArray<Place> => {
  const before = [...clean.updates.flat(), ...clean.state]
  const leaves = pathsOf(params)
  return [...found.updates.flat(), ...found.state].flatMap(([place, value], index) => {
    const path = leaves.find((leaf) => place.path.includes(leaf))
    return path === undefined || Object.is(before[index]?.[1], value) ? [] : [{ ...place, path }]
  })
}

/** Does a tensor of the leaf itself have another shape, so that its elements stand for several? */
const standsForSeveral = (place: Place, { path, shape }: Place): boolean =>
  place.path === path && place.shape.join() !== shape.join()

const spreadsNaN = Effect.fnUntraced(function* (tried: Case, { reach, spread }: Row) {
  const from = poisonedIn(tried)
  const clean = yield* observed(finite(tried))
  const found = yield* observed(poisoned(finite(tried), from))
  const steps = newNaN(clean, found)
  assert.deepStrictEqual(steps.slice(0, poisonedStep).flat(), [])
  const places = (clean.updates[0] ?? []).map(([place]) => place)
  assert.deepStrictEqual(
    steps.find((step) => step.length > 0) ?? [],
    places.filter((place) => reaches[reach](place, from)).map(print)
  )
  const tooFar = changes(tried, clean, found).filter(
    (place) => !standsForSeveral(place, from) && !reaches[spread](place, from)
  )
  assert.deepStrictEqual(tooFar.map(print), [])
})

for (const backend of backends) {
  layer(backend.layer)(`NaN on ${backend.name}`, (it) => {
    for (const row of rows) {
      it.effect(`in ${row.name} is seen: ${row.reach}; changes: ${row.spread}`, () =>
        Effect.forEach(row.cases.slice(0, 1), (tried) => leavesNothing(spreadsNaN(tried, row)))
      )
    }
  })
}
