/**
 * Transforms as a monoid: its laws hold in what can be observed, the updates, over several steps on random gradients.
 */
import { Tensors, Transform } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as T from "@optim/core/fp-ts"
import { assert, describe, it, layer } from "@effect/vitest"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as fc from "fast-check"
import { either as E, function as F, monoid } from "fp-ts"
import { backends } from "./support/backends.ts"
import { leavesNothing } from "./support/memory.ts"
import { values } from "./support/numbers.ts"
import { forAll } from "./support/property.ts"

type Composable = T.Composable<"params">

const M = T.getMonoid<"params">()

/** Transforms of all sorts: with and without state, of single leaves and of the whole tree, with and without needs. */
const members: ReadonlyArray<() => Composable> = [
  () => Transform.scale({ stepSize: -0.3 }),
  () => Transform.clipByGlobalNorm({ maxNorm: 1 }),
  () => Transform.trace({ decay: 0.9 }),
  () => Transform.scaleByAdam({ b1: 0.5 }),
  () => Transform.addDecayedWeights({ weightDecay: 0.1 }),
  () =>
    Transform.masked(Transform.scaleByLearningRate({ learningRate: (count) => 1 / (1 + count) }), {
      w: true,
      b: false
    }),
  () => Transform.multiSteps(Transform.trace({ decay: 0.5 }), { everyKSchedule: 2 }),
  () => M.empty
]

const member: fc.Arbitrary<Composable> = fc.constantFrom(...members).map((make) => make())

const float = fc.float({ min: -100, max: 100, noNaN: true })

const tree = fc.record({
  w: fc.array(float, { minLength: 3, maxLength: 3 }).map((w) => Float32Array.from(w)),
  b: float
})

type Tree = typeof tree extends fc.Arbitrary<infer A> ? A : never

const steps = fc.array(tree, { minLength: 1, maxLength: 4 })

/** All updates that a transform makes of these gradients, the parameters standing still. */
const updatesOf = Effect.fnUntraced(function* (transform: Composable, params: Tree, grads: ReadonlyArray<Tree>) {
  const { scoped } = Tensors
  let state: unknown = yield* scoped(Transform.init(transform, params))
  const seen: Array<unknown> = []
  for (const g of grads) {
    const next: { updates: unknown; state: unknown } = yield* scoped(Transform.update(transform, g, state, { params }))
    seen.push(yield* values(next.updates))
    state = next.state
  }
  return seen
})

const same = (params: Tree, grads: ReadonlyArray<Tree>, ...transforms: ReadonlyArray<Composable>) =>
  Effect.gen(function* () {
    const [first, ...others] = yield* Effect.forEach(transforms, (transform) => updatesOf(transform, params, grads))
    for (const other of others) assert.deepStrictEqual(other, first)
  })

for (const backend of backends) {
  layer(backend.layer)(`transforms as a monoid on ${backend.name}`, (it) => {
    it.effect("concat is associative", () =>
      forAll(fc.tuple(member, member, member, tree, steps), ([a, b, c, params, grads]) =>
        same(params, grads, M.concat(M.concat(a, b), c), M.concat(a, M.concat(b, c)), Transform.chain(a, b, c))
      )
    )

    it.effect("empty is the identity on both sides", () =>
      forAll(fc.tuple(member, tree, steps), ([a, params, grads]) =>
        same(params, grads, a, M.concat(M.empty, a), M.concat(a, M.empty))
      )
    )

    it.effect("concatAll is chain, and the first comes first", () =>
      forAll(fc.tuple(fc.array(member, { maxLength: 5 }), tree, steps), ([all, params, grads]) =>
        same(params, grads, monoid.concatAll(M)(all), Transform.chain(...all))
      )
    )

    it.effect("is not commutative: clipping last is not clipping first", () =>
      leavesNothing(
        Effect.gen(function* () {
          const [scale, clip] = [Transform.scale({ stepSize: 10 }), Transform.clipByGlobalNorm({ maxNorm: 1 })]
          const grads = { w: Float32Array.of(0, 0, 0), b: 7 }
          const [clippedLast] = yield* updatesOf(M.concat(scale, clip), grads, [grads])
          const [clippedFirst] = yield* updatesOf(M.concat(clip, scale), grads, [grads])
          assert.deepStrictEqual(
            [clippedLast, clippedFirst],
            [
              [[1], [0, 0, 0]],
              [[10], [0, 0, 0]]
            ]
          )
        })
      )
    )

    it.effect("andThen chains, and knows both states", () =>
      leavesNothing(
        Effect.gen(function* () {
          const both = F.pipe(Transform.scaleByAdam(), T.andThen(Transform.trace({ decay: 0.5 })))
          const [adam, momentum] = yield* Tensors.scoped(Transform.init(both, { w: 1 }))
          const names: ReadonlyArray<Tensor> = [adam.mu.w, momentum.trace.w]
          assert.deepStrictEqual(yield* values(names), [[0], [0]])
        })
      )
    )

    it.effect("combinators with the transform last are those with the transform first", () =>
      leavesNothing(
        Effect.gen(function* () {
          const inner = Transform.trace({ decay: 0.5 })
          const isEven = (count: number) => count % 2 === 0
          const params = { w: Float32Array.of(1, -2, 3), b: 4 }
          const grads = [params, { w: Float32Array.of(Number.NaN, 1, 1), b: 1 }, params, params]
          const mask = { w: true, b: false }
          const pairs: ReadonlyArray<readonly [Composable, Composable]> = [
            [F.pipe(inner, T.masked(mask)), Transform.masked(inner, mask)],
            [F.pipe(inner, T.multiSteps({ everyKSchedule: 2 })), Transform.multiSteps(inner, { everyKSchedule: 2 })],
            [
              F.pipe(inner, T.lookahead({ syncPeriod: 2, slowStepSize: 0.5 })),
              Transform.lookahead(inner, { syncPeriod: 2, slowStepSize: 0.5 })
            ],
            [
              F.pipe(inner, T.applyIfFinite({ maxConsecutiveErrors: 2 })),
              Transform.applyIfFinite(inner, { maxConsecutiveErrors: 2 })
            ],
            [
              F.pipe(inner, T.selectiveTransform({ freezeMask: mask })),
              Transform.selectiveTransform(inner, { freezeMask: mask })
            ],
            [F.pipe(inner, T.conditionallyTransform(isEven)), Transform.conditionallyTransform(inner, isEven)],
            [F.pipe(inner, T.conditionallyMask(isEven)), Transform.conditionallyMask(inner, isEven)]
          ]
          const plain = yield* updatesOf(inner, params, grads)
          for (const [last, first] of pairs) {
            yield* same(params, grads, last, first)
            assert.notDeepEqual(yield* updatesOf(last, params, grads), plain, last.name)
          }
        })
      )
    )
  })
}

describe("task-eithers", () => {
  it("succeed to the right and fail to the left, layers included", async () => {
    const runtime = ManagedRuntime.make(Cpu.layer)
    const run = T.toTaskEither(runtime)
    assert.deepStrictEqual(await run(Effect.map(Tensors.Tensors, ({ backend }) => backend))(), E.right("cpu"))
    assert.deepStrictEqual(await run(Effect.fail("no"))(), E.left("no"))
    await runtime.dispose()
    const broken = ManagedRuntime.make(Layer.effect(Tensors.Tensors, Effect.fail("no backend")))
    assert.deepStrictEqual(await T.toTaskEither(broken)(Effect.succeed(1))(), E.left("no backend"))
    await broken.dispose()
  })

  it("build the layers once, and only when they run", async () => {
    let built = 0
    const layer = Layer.effectDiscard(Effect.sync(() => built++))
    const runtime = ManagedRuntime.make(layer)
    const task = T.toTaskEither(runtime)(Effect.succeed(1))
    assert.strictEqual(built, 0)
    assert.deepStrictEqual([await task(), await task()], [E.right(1), E.right(1)])
    assert.strictEqual(built, 1)
    await runtime.dispose()
  })

  it("reject for a defect", async () => {
    const runtime = ManagedRuntime.make(Layer.empty)
    const outcome = await T.toTaskEither(runtime)(Effect.die("a mistake"))().catch(String)
    assert.include(outcome, "a mistake")
    await runtime.dispose()
  })
})
