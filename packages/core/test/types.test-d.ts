/** What the compiler knows: the types that users see without writing one. */
import {
  Autodiff,
  type AutodiffError,
  type BackendUnavailable,
  Expr,
  Optimizer,
  type OptimError,
  OptimizerState,
  Scalar,
  type Tensors,
  Train
} from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as Wasm from "@optim/core/wasm"
import type { JoinPoint } from "@optim/pytree"
import * as Schedules from "@optim/schedules"
import type * as tf from "@tensorflow/tfjs-core"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { describe, expectTypeOf, it } from "vitest"

interface Params {
  readonly w: tf.Tensor2D
  readonly b: Array<tf.Tensor>
}

declare const params: Params
declare const loss: (params: Params) => tf.Scalar
declare const batchLoss: (params: Params, images: tf.Tensor2D, rate: number) => tf.Scalar

type State<S> = OptimizerState.OptimizerState<Params, S>

interface Adam {
  x: tf.Tensor
  m: tf.Tensor
  v: tf.Tensor
}

const adam = Optimizer.adam({ stepSize: 0.1 })
const sgd = Optimizer.sgd({ stepSize: 0.1 })
const momentum = Optimizer.momentum({ stepSize: 0.1, mass: 0.9 })

declare const adamState: State<Adam>
declare const sgdState: State<tf.Tensor>

describe("what a user writes", () => {
  const optimizer = Optimizer.adam({
    stepSize: Schedules.exponentialDecay({ stepSize: 1e-2, decaySteps: 100, decayRate: 0.9 })
  })
  const program = Effect.gen(function* () {
    let state = yield* optimizer.init(params)
    for (let step = 0; step < 100; step++) {
      const { grads, value } = yield* Autodiff.valueAndGrad(loss)(optimizer.params(state))
      expectTypeOf(value).toEqualTypeOf<number>()
      expectTypeOf(grads).toEqualTypeOf<Params>()
      state = yield* optimizer.update(step, grads, state, { donate: true })
    }
    return optimizer.params(state)
  })

  it("compiles, with the user's own tree", () => {
    expectTypeOf(program).toEqualTypeOf<Effect.Effect<Params, OptimError | AutodiffError, Tensors.Tensors>>()
  })

  it("needs a layer and nothing else", () => {
    const provided = program.pipe(Effect.provide(Wasm.layer))
    expectTypeOf(provided).toEqualTypeOf<Effect.Effect<Params, OptimError | AutodiffError | BackendUnavailable>>()
    expectTypeOf(Wasm.layer).toEqualTypeOf<Layer.Layer<Tensors.Tensors, BackendUnavailable>>()
    expectTypeOf(Cpu.layer).toEqualTypeOf<typeof Wasm.layer>()
  })
})

describe("parameters", () => {
  const paramsOf = <P>(given: P) => Effect.map(adam.init(given), (state) => adam.params(state))
  type ParamsOf<P> = Optimizer.Promoted<P>

  it("trees of tensors stay what they are", () => {
    expectTypeOf(paramsOf({} as { w: tf.Tensor2D; b: Array<tf.Tensor> })).toEqualTypeOf<
      Effect.Effect<{ w: tf.Tensor2D; b: Array<tf.Tensor> }, OptimError, Tensors.Tensors>
    >()
    expectTypeOf<ParamsOf<Params>>().toEqualTypeOf<Params>()
    expectTypeOf<ParamsOf<readonly [tf.Tensor1D, { readonly a?: tf.Scalar }]>>().toEqualTypeOf<
      readonly [tf.Tensor1D, { readonly a?: tf.Scalar }]
    >()
    expectTypeOf<ParamsOf<tf.Tensor3D>>().toEqualTypeOf<tf.Tensor3D>()
    expectTypeOf<ParamsOf<tf.Variable>>().toEqualTypeOf<tf.Variable>()
  })

  it("numbers become scalars, typed arrays vectors", () => {
    expectTypeOf<ParamsOf<number>>().toEqualTypeOf<tf.Scalar>()
    expectTypeOf<ParamsOf<0.5>>().toEqualTypeOf<tf.Scalar>()
    expectTypeOf<ParamsOf<Float32Array>>().toEqualTypeOf<tf.Tensor1D>()
    expectTypeOf<ParamsOf<Int32Array>>().toEqualTypeOf<tf.Tensor1D>()
    expectTypeOf<ParamsOf<{ w: Float32Array; b: number }>>().toEqualTypeOf<{ w: tf.Tensor1D; b: tf.Scalar }>()
    expectTypeOf<ParamsOf<number | tf.Tensor2D>>().toEqualTypeOf<tf.Scalar | tf.Tensor2D>()
  })

  it("tuples, arrays, readonly and optional are kept", () => {
    expectTypeOf<ParamsOf<[number, [Float32Array, number]]>>().toEqualTypeOf<[tf.Scalar, [tf.Tensor1D, tf.Scalar]]>()
    expectTypeOf<ParamsOf<ReadonlyArray<number>>>().toEqualTypeOf<ReadonlyArray<tf.Scalar>>()
    expectTypeOf<ParamsOf<Array<{ readonly a: number; b?: Float32Array }>>>().toEqualTypeOf<
      Array<{ readonly a: tf.Scalar; b?: tf.Tensor1D }>
    >()
    expectTypeOf<ParamsOf<{ readonly [name: string]: number }>>().toEqualTypeOf<{
      readonly [name: string]: tf.Scalar
    }>()
  })

  it("nothing is null, as in trees", () => {
    expectTypeOf<ParamsOf<{ a: null; b: undefined; c: number | null }>>().toEqualTypeOf<{
      a: null
      b: null
      c: tf.Scalar | null
    }>()
  })

  it("containers of effect are containers", () => {
    expectTypeOf<ParamsOf<{ a: Option.Option<number> }>>().toEqualTypeOf<{ a: Option.Option<tf.Scalar> }>()
    expectTypeOf<ParamsOf<Chunk.Chunk<[number]>>>().toEqualTypeOf<Chunk.Chunk<[tf.Scalar]>>()
    expectTypeOf<ParamsOf<{ a: Option.Option<tf.Scalar> }>>().toEqualTypeOf<{ a: Option.Option<tf.Scalar> }>()
  })

  it("of an unknown tree nothing is known", () => {
    expectTypeOf<ParamsOf<unknown>>().toEqualTypeOf<unknown>()
  })

  it("recursive types are no riddle", () => {
    type Recursive = number | ReadonlyArray<Recursive> | { readonly [key: string]: Recursive }
    const recursive = null as unknown as Recursive
    expectTypeOf(adam.init(recursive)).toEqualTypeOf<
      Effect.Effect<OptimizerState.OptimizerState<ParamsOf<Recursive>, Adam>, OptimError, Tensors.Tensors>
    >()
  })
})

describe("gradients", () => {
  it("are the tree of the parameters, also of numbers and typed arrays", () => {
    expectTypeOf(adam.update(0, params, adamState))
    expectTypeOf(adam.update(0, { w: new Float32Array(1), b: [1, 2] }, adamState))
  })

  it("of another tree do not compile", () => {
    // @ts-expect-error b is missing
    expectTypeOf(adam.update(0, { w: params.w }, adamState))
    // @ts-expect-error c is too many
    expectTypeOf(adam.update(0, { w: params.w, b: params.b, c: params.w }, adamState))
    // @ts-expect-error b is an array
    expectTypeOf(adam.update(0, { w: params.w, b: params.w }, adamState))
    // @ts-expect-error w is a tensor
    expectTypeOf(adam.update(0, { w: "0", b: [] }, adamState))
    // @ts-expect-error not a tree at all
    expectTypeOf(adam.update(0, params.w, adamState))
  })

  it("of a tuple have its length", () => {
    const pair = null as unknown as OptimizerState.OptimizerState<[tf.Scalar, tf.Scalar], Adam>
    expectTypeOf(adam.update(0, [1, 2], pair))
    // @ts-expect-error two are wanted
    expectTypeOf(adam.update(0, [1], pair))
  })

  it("the step and the options are what they are", () => {
    // @ts-expect-error a step is a number
    expectTypeOf(adam.update("0", params, adamState))
    // @ts-expect-error a misspelt option
    expectTypeOf(adam.update(0, params, adamState, { donated: true }))
  })
})

describe("states", () => {
  it("have the slots of their optimizer", () => {
    const slots = <S>(optimizer: Optimizer.Optimizer<S>): S => optimizer as never
    const options = { stepSize: 0.1 }
    expectTypeOf(slots(sgd)).toEqualTypeOf<tf.Tensor>()
    expectTypeOf(slots(momentum)).toEqualTypeOf<{ x: tf.Tensor; v: tf.Tensor }>()
    expectTypeOf(slots(Optimizer.nesterov({ ...options, mass: 0 }))).toEqualTypeOf<{ x: tf.Tensor; v: tf.Tensor }>()
    expectTypeOf(slots(Optimizer.adagrad(options))).toEqualTypeOf<{ x: tf.Tensor; s: tf.Tensor; m: tf.Tensor }>()
    expectTypeOf(slots(Optimizer.rmsprop(options))).toEqualTypeOf<{ x: tf.Tensor; a: tf.Tensor }>()
    expectTypeOf(slots(Optimizer.rmspropMomentum(options))).toEqualTypeOf<{
      x: tf.Tensor
      a: tf.Tensor
      v: tf.Tensor
    }>()
    expectTypeOf(slots(adam)).toEqualTypeOf<{ x: tf.Tensor; m: tf.Tensor; v: tf.Tensor }>()
    expectTypeOf(slots(Optimizer.adamax(options))).toEqualTypeOf<{ x: tf.Tensor; m: tf.Tensor; u: tf.Tensor }>()
    expectTypeOf(slots(Optimizer.sm3(options))).toEqualTypeOf<{ x: tf.Tensor; m: tf.Tensor; v: Array<tf.Tensor> }>()
  })

  it("of another optimizer do not compile", () => {
    // @ts-expect-error the bare parameter is no state of adam
    expectTypeOf(adam.update(0, params, sgdState))
    // @ts-expect-error nor is the state of adam a bare parameter
    expectTypeOf(sgd.update(0, params, adamState))
    // @ts-expect-error nor a state of rmsprop
    expectTypeOf(Optimizer.rmsprop({ stepSize: 0.1 }).params(adamState))
    // @ts-expect-error a state of adam has a slot more than one of momentum
    expectTypeOf(momentum.update(0, params, adamState))
  })

  it("come apart into join points and together again", () => {
    const unpacked = OptimizerState.unpack(adamState)
    expectTypeOf(unpacked).toEqualTypeOf<{
      readonly w: JoinPoint.JoinPoint<Adam>
      readonly b: Array<JoinPoint.JoinPoint<Adam>>
    }>()
    expectTypeOf(unpacked.w.subtree.m).toEqualTypeOf<tf.Tensor>()
    expectTypeOf(OptimizerState.pack<Params, Adam>(unpacked)).toEqualTypeOf<State<Adam>>()
    // @ts-expect-error a tree without join points is nothing that could be packed
    OptimizerState.pack<Params, Adam>(params)
  })
})

describe("optimizers", () => {
  it("check their options", () => {
    // @ts-expect-error the step size is missing
    expectTypeOf(Optimizer.adam({}))
    // @ts-expect-error so are all options
    expectTypeOf(Optimizer.sgd())
    // @ts-expect-error mass has no default
    expectTypeOf(Optimizer.momentum({ stepSize: 0.1 }))
    // @ts-expect-error a misspelt option
    expectTypeOf(Optimizer.adam({ stepSize: 0.1, beta1: 0.9 }))
    // @ts-expect-error a string is no step size
    expectTypeOf(Optimizer.adam({ stepSize: "0.1" }))
    expectTypeOf(Optimizer.adam({ stepSize: (step) => 1 / step, b1: undefined }))
  })

  it("are triples by position and by name", () => {
    const [init, update, paramsOf] = adam
    expectTypeOf(init).toEqualTypeOf(adam.init)
    expectTypeOf(update).toEqualTypeOf(adam.update)
    expectTypeOf(paramsOf).toEqualTypeOf(adam.params)
    expectTypeOf(init(params)).toEqualTypeOf<Effect.Effect<State<Adam>, OptimError, Tensors.Tensors>>()
    expectTypeOf(update(0, params, adamState)).toEqualTypeOf<Effect.Effect<State<Adam>, OptimError, Tensors.Tensors>>()
    expectTypeOf(paramsOf(adamState)).toEqualTypeOf<Params>()
    expectTypeOf(adam.length).toEqualTypeOf<3>()
  })

  it("leafwise infers the state from a rule without annotations", () => {
    const own = Optimizer.leafwise((rate: number, scale: number) => ({
      init: (x) => ({
        x,
        moments: [Expr.zerosLike(x), Expr.zerosLike(x)] as const,
        count: { steps: Expr.zerosLike(x) }
      }),
      update: (step, g, { count, moments, x }) => {
        expectTypeOf(step).toEqualTypeOf<Scalar.Scalar>()
        expectTypeOf(g).toEqualTypeOf<Expr.Expr>()
        expectTypeOf(moments).toEqualTypeOf<readonly [Expr.Expr, Expr.Expr]>()
        return { x: Expr.sub(x, Expr.mul(rate * scale, g)), moments, count }
      },
      params: ({ x }) => x
    }))
    expectTypeOf(own).parameters.toEqualTypeOf<[rate: number, scale: number]>()
    expectTypeOf(own(1, 2)).toEqualTypeOf<
      Optimizer.Optimizer<{
        x: tf.Tensor
        moments: readonly [tf.Tensor, tf.Tensor]
        count: { steps: tf.Tensor }
      }>
    >()
  })

  it("leafwise refuses rules that do not keep their state", () => {
    Optimizer.leafwise(() => ({
      init: (x) => ({ x, v: x }),
      // @ts-expect-error v is missing
      update: (_, g, { x }) => ({ x: Expr.sub(x, g) }),
      params: ({ x }) => x
    }))
    Optimizer.leafwise(() => ({
      init: (x) => ({ x }),
      update: (_, __, state) => state,
      // @ts-expect-error parameters are one tensor
      params: (state) => state
    }))
  })
})

describe("derivatives", () => {
  it("take the arguments of the loss after its parameters", () => {
    const derivative = Autodiff.valueAndGrad(batchLoss)
    expectTypeOf(derivative(params, params.w, 0.5)).toEqualTypeOf<
      Effect.Effect<{ readonly value: number; readonly grads: Params }, AutodiffError, Tensors.Tensors>
    >()
    // @ts-expect-error an argument is missing
    expectTypeOf(derivative(params, params.w))
    // @ts-expect-error arguments in another order
    expectTypeOf(derivative(params, 0.5, params.w))
    expectTypeOf(derivative({ w: params.w, b: [1, new Float32Array(2)] }, params.w, 0.5))
  })

  it("grad gives the gradients alone", () => {
    expectTypeOf(Autodiff.grad(loss)(params)).toEqualTypeOf<Effect.Effect<Params, AutodiffError, Tensors.Tensors>>()
  })

  it("with hasAux the loss is a pair, whose second part comes out", () => {
    const pair = (_: Params, n: number): readonly [tf.Scalar, { accuracy: tf.Tensor; n: number }] => n as never
    expectTypeOf(Autodiff.valueAndGrad(pair, { hasAux: true })(params, 1)).toEqualTypeOf<
      Effect.Effect<
        Autodiff.ValueAndGrads<Params> & Autodiff.WithAux<{ accuracy: tf.Tensor; n: number }>,
        AutodiffError,
        Tensors.Tensors
      >
    >()
    expectTypeOf(Autodiff.grad(pair, { hasAux: true })(params, 1)).toEqualTypeOf<
      Effect.Effect<
        { readonly grads: Params } & Autodiff.WithAux<{ accuracy: tf.Tensor; n: number }>,
        AutodiffError,
        Tensors.Tensors
      >
    >()
    // @ts-expect-error a pair without hasAux
    expectTypeOf(Autodiff.valueAndGrad(pair))
    // @ts-expect-error hasAux without a pair
    expectTypeOf(Autodiff.valueAndGrad(loss, { hasAux: true }))
  })

  it("a loss is a tensor", () => {
    // @ts-expect-error a number is not
    expectTypeOf(Autodiff.valueAndGrad((given: Params) => given.b.length))
  })
})

describe("norms", () => {
  it("a norm is a number, clipped gradients are tensors", () => {
    expectTypeOf(Optimizer.l2Norm(params)).toEqualTypeOf<Effect.Effect<number, OptimError, Tensors.Tensors>>()
    expectTypeOf(Optimizer.clipGrads({ a: 1, b: params.w }, 1)).toEqualTypeOf<
      Effect.Effect<{ a: tf.Scalar; b: tf.Tensor2D }, OptimError, Tensors.Tensors>
    >()
    expectTypeOf(Effect.succeed(params).pipe(Effect.flatMap(Optimizer.clipGrads(1, { donate: true })))).toEqualTypeOf<
      Effect.Effect<Params, OptimError, Tensors.Tensors>
    >()
  })
})

describe("training", () => {
  const batches = Stream.fromIterable<number>([]).pipe(Stream.mapError(() => "no more" as const))

  it("infers the parameters, the batches and what can go wrong", () => {
    const trainer = Train.make({
      optimizer: adam,
      params: { w: 1 },
      loss: ({ w }, batch) => {
        expectTypeOf(w).toEqualTypeOf<tf.Scalar>()
        expectTypeOf(batch).toEqualTypeOf<number>()
        return w
      },
      batches
    })
    expectTypeOf(trainer).toEqualTypeOf<
      Effect.Effect<Train.Trainer<{ w: tf.Scalar }, Adam, "no more", never>, OptimError, Tensors.Tensors | Scope.Scope>
    >()
    type Trainer = Effect.Success<typeof trainer>
    expectTypeOf<Trainer["steps"]>().toEqualTypeOf<
      Stream.Stream<Train.TrainStep, "no more" | OptimError | AutodiffError, Tensors.Tensors>
    >()
    expectTypeOf<Trainer["params"]>().toEqualTypeOf<Effect.Effect<{ w: tf.Scalar }>>()
  })

  it("goes on from a state and a step", () => {
    expectTypeOf(Train.make({ optimizer: adam, state: adamState, step: 3, loss, batches }))
    // @ts-expect-error the step is missing
    expectTypeOf(Train.make({ optimizer: adam, state: adamState, loss, batches }))
    // @ts-expect-error a state of another optimizer
    expectTypeOf(Train.make({ optimizer: adam, state: sgdState, step: 3, loss, batches }))
  })
})

describe("words", () => {
  const x = Expr.input(0, { shape: [], dtype: "float32" })

  it("numbers and scalars make scalars, an expression makes an expression", () => {
    expectTypeOf(Expr.add(1, 2)).toEqualTypeOf<Scalar.Scalar>()
    expectTypeOf(Expr.add(Scalar.constant(1), 2)).toEqualTypeOf<Scalar.Scalar>()
    expectTypeOf(Expr.add(x, 2)).toEqualTypeOf<Expr.Expr>()
    expectTypeOf(Expr.add(2, x)).toEqualTypeOf<Expr.Expr>()
    expectTypeOf(Expr.sqrt(2)).toEqualTypeOf<Scalar.Scalar>()
    expectTypeOf(Expr.sqrt(x)).toEqualTypeOf<Expr.Expr>()
    expectTypeOf(Expr.add(x as Expr.Operand, 2 as Expr.Operand)).toEqualTypeOf<Expr.Expr | Scalar.Scalar>()
    // @ts-expect-error tensors of tfjs are no expressions
    Expr.add(params.w, 1)
  })
})
