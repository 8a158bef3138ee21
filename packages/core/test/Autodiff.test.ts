import { Autodiff, Tensors } from "@optim/core"
import { PyTree } from "@optim/pytree"
import { assert, layer } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import type { Scalar, Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as fc from "fast-check"
import { onBackend } from "../src/internal/tfjs/backend.ts"
import { backends } from "./support/backends.ts"
import { leavesNothing } from "./support/memory.ts"
import { tensorsOf, values } from "./support/numbers.ts"
import { expected, params, problem } from "./support/problems.ts"
import { forAll } from "./support/property.ts"

const { grad, valueAndGrad } = Autodiff
const { dispose, scoped } = Tensors

const owned = <A>(make: () => A) => scoped(Effect.sync(make))

// --- laws --------------------------------------------------------------------------------------------------------

interface Point {
  readonly w: Tensor2D
  readonly b: Tensor1D
}

const labels = (): Tensor => tf.tensor2d([0, 1, 0, 0, 0, 1], [2, 3])

const inputs = (): Tensor2D => tf.tensor2d([0.5, -1, 2, 0.25], [2, 2])

const logits = ({ b, w }: Point): Tensor => tf.add(tf.matMul(inputs(), w), b)

/** Losses of a matrix [2, 3] and a vector [3], smooth where they are tried. */
const losses: { readonly [name: string]: (point: Point) => Tensor } = {
  "a product of matrices": ({ b, w }) => tf.sum(tf.square(tf.matMul(w, tf.reshape(b, [3, 1])))),
  "softmax cross entropy": (point) => {
    const z = logits(point)
    const logSum = tf.log(tf.sum(tf.exp(z), 1))
    return tf.mean(tf.sub(logSum, tf.sum(tf.mul(z, labels()), 1)))
  },
  "relu away from its corner": ({ b, w }) => tf.sum(tf.mul(tf.relu(w), tf.add(tf.relu(b), 1))),
  "broadcasting over rows and columns": ({ b, w }) =>
    tf.mean(tf.mul(tf.add(w, b), tf.sub(tf.sum(w, 1, true), tf.mul(b, 0.5)))),
  "slices, transposes and joins": ({ b, w }) => {
    const joined = tf.concat([tf.slice(w, [0, 1], [2, 2]), tf.transpose(tf.reshape(tf.slice(b, 1, 2), [1, 2]))], 1)
    return tf.sum(tf.mul(joined, joined))
  },
  "tanh, sigmoid and a norm": ({ b, w }) => tf.add(tf.norm(tf.tanh(w)), tf.sum(tf.sigmoid(b)))
}

/** Numbers between −2 and 2, at least 1/16 away from 0. */
const coordinate = fc.integer({ min: -16, max: 15 }).map((n) => n / 8 + 1 / 16)

const coordinates = fc.array(coordinate, { minLength: 9, maxLength: 9 })

const pointOf = (numbers: ReadonlyArray<number>): Point => ({
  w: tf.tensor2d(numbers.slice(0, 6), [2, 3]),
  b: tf.tensor1d(numbers.slice(6))
})

/** (f(x + h) − f(x − h)) / 2h in each coordinate; the error is of order h², and of 1e-7/h by rounding. */
const differences = (loss: (point: Point) => Tensor, numbers: ReadonlyArray<number>): ReadonlyArray<number> => {
  const h = 1 / 64
  const at = (index: number, shift: number): number =>
    onBackend("cpu", () =>
      tf.tidy(
        () => loss(pointOf(numbers.map((x, other) => (other === index ? x + shift : x)))).dataSync()[0] ?? Number.NaN
      )
    )
  return numbers.map((_, index) => (at(index, h) - at(index, -h)) / (2 * h))
}

for (const backend of backends) {
  layer(backend.layer)(`laws on ${backend.name}`, (it) => {
    for (const [name, loss] of Object.entries(losses)) {
      it.effect(`the gradient of ${name} is its central difference`, () =>
        forAll(
          coordinates,
          Effect.fnUntraced(function* (numbers) {
            const point = yield* owned(() => pointOf(numbers))
            const { grads, value } = yield* valueAndGrad(loss)(point)
            const found = (yield* values([grads.w, grads.b])).flat()
            yield* dispose(grads)
            differences(loss, numbers).forEach((slope, index) =>
              assert.approximately(found[index] ?? Number.NaN, slope, 2e-3 * (1 + Math.abs(slope)))
            )
            const { run } = yield* Tensors.Tensors
            const [[direct = Number.NaN] = []] = yield* values(yield* scoped(run(() => loss(point))))
            assert.approximately(value, direct, 1e-6 * (1 + Math.abs(direct)))
          })
        )
      )
    }

    it.effect("gradients have the tree of the parameters, and grad agrees with valueAndGrad", () => {
      const loss = (tree: unknown): Tensor => {
        const flat = tensorsOf(tree).map((tensor) => tf.reshape(tensor, [-1]))
        return tf.sum(tf.square(tf.concat([tf.tensor1d([0]), ...flat])))
      }
      return forAll(
        problem,
        Effect.fnUntraced(function* (problem) {
          const given = yield* owned(() => params(problem))
          const { grads, value } = yield* scoped(valueAndGrad(loss)(given))
          const alone = yield* scoped(grad(loss)(given))
          assert.isTrue(Equal.equals(PyTree.structure(grads), PyTree.structure(given)))
          const doubled = expected(problem).map((numbers) => numbers.map((x) => Math.fround(2 * x)))
          assert.deepStrictEqual(yield* values(grads), doubled)
          assert.deepStrictEqual(yield* values(alone), doubled)
          const squares = expected(problem).flatMap((numbers) => numbers.map((x) => x ** 2))
          const total = squares.reduce((sum, square) => sum + square, 0)
          if (total < 1e30) assert.approximately(value, total, 1e-6 * (1 + total))
        })
      )
    })
  })
}

// --- cases -------------------------------------------------------------------------------------------------------

const square = (x: Scalar): Tensor => tf.square(x)

const squares = (x: Tensor): Tensor => tf.sum(tf.square(x))

for (const backend of backends) {
  layer(backend.layer)(`cases on ${backend.name}`, (it) => {
    it.effect("numbers and typed arrays are promoted, further arguments are passed as they are", () =>
      leavesNothing(
        Effect.gen(function* () {
          const seen: Array<unknown> = []
          const batch = { xs: [1, 2], label: "first" }
          const loss = ({ a, b }: { readonly a: Scalar; readonly b: Tensor1D }, ...rest: [typeof batch, number]) => {
            seen.push(a.shape, b.shape, b.dtype, rest[0] === batch)
            return tf.sum(tf.mul(tf.mul(a, b), rest[1]))
          }
          const point = { a: 2, b: Int32Array.of(3, 5) }
          const { grads, value } = yield* scoped(valueAndGrad(loss)(point, batch, 10))
          assert.deepStrictEqual([value, ...(yield* values(grads))], [160, [80], [20, 20]])
          assert.deepStrictEqual(seen, [[], [2], "float32", true])
        })
      )
    )

    it.effect("one tensor at two leaves has two gradients", () =>
      leavesNothing(
        Effect.gen(function* () {
          const shared = yield* owned(() => tf.scalar(3))
          const loss = ({ a, b }: { readonly a: Scalar; readonly b: Scalar }) => tf.mul(tf.square(a), b)
          const grads = yield* scoped(grad(loss)({ a: shared, b: shared }))
          assert.deepStrictEqual(yield* values([grads.a, grads.b]), [[18], [9]])
        })
      )
    )

    it.effect("a tree without leaves has a value and no gradients", () =>
      leavesNothing(
        Effect.gen(function* () {
          const loss = (_: null, x: number) => [tf.scalar(x), tf.scalar(2 * x)] as const
          const { aux, grads, value } = yield* valueAndGrad(loss, { hasAux: true })(null, 4)
          assert.deepStrictEqual([value, grads, ...(yield* values(aux))], [4, null, [8]])
          yield* dispose(aux)
        })
      )
    )

    it.effect("aux may be any tree, and its tensors are the caller's own", () =>
      leavesNothing(
        Effect.gen(function* () {
          const x = yield* owned(() => tf.scalar(3))
          const auxOf = Effect.fnUntraced(function* <Aux>(make: (x: Scalar, value: Tensor) => Aux) {
            const loss = (x: Scalar) => {
              const value = square(x)
              return [value, make(x, value)] as const
            }
            const { aux, grads, value } = yield* valueAndGrad(loss, { hasAux: true })(x)
            assert.deepStrictEqual([value, yield* values(grads)], [9, [[6]]])
            yield* dispose(grads)
            return aux
          })
          for (const aux of [undefined, null, 7, "text", true, [], { b: [1, undefined], a: null }]) {
            assert.strictEqual(yield* auxOf(() => aux), aux)
          }
          const [own, again, value] = yield* auxOf((x, value) => [x, x, value] as const)
          own.dispose()
          assert.deepStrictEqual(yield* values([again, value]), [[3], [9]])
          yield* dispose([again, value])
          assert.isFalse(x.isDisposed)
          const { made } = yield* auxOf((x) => ({ made: tf.mul(x, 2), name: "twice" }))
          assert.deepStrictEqual(yield* values(made), [[6]])
          yield* dispose(made)
        })
      )
    )

    it.effect("grad with aux gives both, without aux the gradients alone", () =>
      leavesNothing(
        Effect.gen(function* () {
          const withAux = (x: Scalar) => [square(x), "aux"] as const
          const { aux, grads } = yield* scoped(grad(withAux, { hasAux: true })(3))
          assert.deepStrictEqual([aux, yield* values(grads)], ["aux", [[6]]])
          assert.deepStrictEqual(yield* values(yield* scoped(grad(square)(3))), [[6]])
        })
      )
    )

    it.effect("a loss may be the parameter, dispose its arguments, tidy, and take derivatives of its own", () =>
      leavesNothing(
        Effect.gen(function* () {
          const x = yield* owned(() => tf.scalar(3))
          const disposing = (x: Scalar): Tensor => {
            const value = square(x)
            x.dispose()
            return value
          }
          const tidying = (x: Scalar): Tensor => tf.tidy(() => tf.mul(square(x), x))
          const slope = (x: Scalar): Tensor => tf.grad((y) => tf.mul(square(y as Scalar), y))(x)
          for (const [loss, expected] of [
            [(x: Scalar): Tensor => x, 1],
            [disposing, 6],
            [tidying, 27],
            [slope, 18]
          ] as const) {
            assert.deepStrictEqual(yield* values(yield* scoped(grad(loss)(x))), [[expected]])
            assert.deepStrictEqual(yield* values(x), [[3]])
          }
        })
      )
    )

    // Such an effect cannot wait for the number of its loss.
    it.effect.runIf(backend.readsAtOnce)(
      "an effect run within a loss gives its numbers, and is not part of the derivative",
      () =>
        leavesNothing(
          Effect.gen(function* () {
            const runSync = Effect.runSyncWith(yield* Effect.context<Tensors.Tensors>())
            const nested = (x: Scalar): Tensor => {
              const { grads, value } = runSync(valueAndGrad(square)(x))
              const outer = tf.mul(x, value)
              grads.dispose()
              return outer
            }
            const { grads, value } = yield* scoped(valueAndGrad(nested)(3))
            assert.deepStrictEqual([value, ...(yield* values(grads))], [27, [9]])
          })
        )
    )

    it.effect.runIf(backend.readsAtOnce)(
      "an effect that fails within a loss leaves the derivative around it alone",
      () =>
        leavesNothing(
          Effect.gen(function* () {
            const runSync = Effect.runSyncWith(yield* Effect.context<Tensors.Tensors>())
            const vector = (x: Scalar): Tensor => tf.mul(x, tf.tensor1d([1, 2]))
            const careful = (x: Scalar): Tensor => {
              const cube = tf.mul(square(x), x)
              runSync(Effect.flip(valueAndGrad(vector)(x)))
              return cube
            }
            assert.deepStrictEqual(yield* values(yield* scoped(grad(careful)(3))), [[27]])
          })
        )
    )

    it.effect("tfjs' engine is afterwards what it was before", () =>
      Effect.gen(function* () {
        const engine = tf.engine()
        const inside = () => [
          Reflect.get(engine, "saveTensorsForBackwardMode"),
          engine.state.gradientDepth,
          engine.state.scopeStack.length
        ]
        const before = inside()
        yield* scoped(grad(square)(3))
        yield* Effect.flip(grad(() => assert.fail("no loss"))(3))
        assert.deepStrictEqual(inside(), before)
      })
    )

    it.effect("infinite and undefined numbers are numbers", () =>
      Effect.gen(function* () {
        assert.deepInclude(yield* scoped(valueAndGrad((x: Scalar) => tf.div(1, x))(0)), { value: Infinity })
        const { grads, value } = yield* scoped(valueAndGrad((x: Scalar) => tf.log(x))(-1))
        assert.deepStrictEqual([value, yield* values(grads)], [NaN, [[-1]]])
      })
    )
  })
}

const other = backends.map(({ name }) => name)

for (const backend of backends) {
  layer(backend.layer)(`tfjs' current backend and ${backend.name}`, (it) => {
    for (const current of other) {
      it.effect(`parameters of ${current}, which is the current backend and stays it`, () =>
        leavesNothing(
          Effect.gen(function* () {
            const before = tf.getBackend()
            yield* Effect.addFinalizer(() => Effect.promise(() => tf.setBackend(before)))
            yield* Effect.promise(() => tf.setBackend(current))
            const x = yield* owned(() => tf.tensor1d([1, 2, 3]))
            let within = ""
            const loss = (x: Tensor1D): Tensor => {
              within = tf.getBackend()
              return squares(x)
            }
            const { grads, value } = yield* scoped(valueAndGrad(loss)(x))
            assert.deepStrictEqual([value, within, tf.getBackend()], [14, backend.name, current])
            assert.deepStrictEqual(yield* values([grads, x]), [
              [2, 4, 6],
              [1, 2, 3]
            ])
            yield* Effect.flip(valueAndGrad((): Tensor => assert.fail("no loss"))(x))
            assert.strictEqual(tf.getBackend(), current)
          })
        )
      )
    }
  })
}
