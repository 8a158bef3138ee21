/** Programs: equal work once, nothing that no output needs, in the order of dependence. */
import { assert, describe, it } from "@effect/vitest"
import { Expr, Optimizer, Program, Scalar, Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { randomProgram } from "./support/randomProgram.ts"

const runs = { seed: 31, numRuns: 300 } as const

const spec = { shape: [3], dtype: "float32" } as const
const [x, y] = [Expr.input(0, spec), Expr.input(1, spec)]

const program = (...outputs: ReadonlyArray<Expr.Expr>): Program.Program => Program.make([spec, spec], outputs)

const ops = ({ nodes }: Program.Program): ReadonlyArray<Expr.Op> => nodes.map(({ operation }) => operation.op)

/** The nodes that some output needs. */
const needed = ({ nodes, outputs }: Program.Program): ReadonlySet<number> => {
  const reached = new Set(outputs)
  for (const id of [...nodes.keys()].toReversed())
    if (reached.has(id)) for (const arg of nodes[id]?.args ?? []) if (arg._tag === "Node") reached.add(arg.id)
  return reached
}

/** The programs that an effect has executed. */
const executed = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const tensors = yield* Tensors.Tensors
  const programs: Array<Program.Program> = []
  const executeUnsafe: typeof tensors.executeUnsafe = (execution) => {
    programs.push(execution.plan.program)
    return tensors.executeUnsafe(execution)
  }
  yield* Effect.provideService(effect, Tensors.Tensors, { ...tensors, executeUnsafe })
  return programs
})

/** The first leaf is a number, the second a vector; in the state stand m, v and x of each. */
const adamUpdate = `s0 = 1
s1 = 0.9
s2 = sub(s0, s1)
s3 = 0.999
s4 = sub(s0, s3)
s5 = step
s6 = stepSize(s5)
s7 = add(s5, s0)
s8 = pow(s3, s7)
s9 = sub(s0, s8)
s10 = sqrt(s9)
s11 = pow(s1, s7)
s12 = sub(s0, s11)
s13 = div(s10, s12)
s14 = mul(s6, s13)
s15 = 1e-8
s16 = mul(s10, s15)
%0: float32 [] = input(index=0)
%1: float32 [] = mul(s2, %0)
%2: float32 [] = input(index=2)
%3: float32 [] = mul(s1, %2)
%4: float32 [] = add(%1, %3)
%5: float32 [] = mul(%0, %0)
%6: float32 [] = mul(s4, %5)
%7: float32 [] = input(index=3)
%8: float32 [] = mul(s3, %7)
%9: float32 [] = add(%6, %8)
%10: float32 [] = input(index=4)
%11: float32 [] = mul(s14, %4)
%12: float32 [] = sqrt(%9)
%13: float32 [] = add(%12, s16)
%14: float32 [] = div(%11, %13)
%15: float32 [] = sub(%10, %14)
%16: float32 [2] = input(index=1)
%17: float32 [2] = mul(s2, %16)
%18: float32 [2] = input(index=5)
%19: float32 [2] = mul(s1, %18)
%20: float32 [2] = add(%17, %19)
%21: float32 [2] = mul(%16, %16)
%22: float32 [2] = mul(s4, %21)
%23: float32 [2] = input(index=6)
%24: float32 [2] = mul(s3, %23)
%25: float32 [2] = add(%22, %24)
%26: float32 [2] = input(index=7)
%27: float32 [2] = mul(s14, %20)
%28: float32 [2] = sqrt(%25)
%29: float32 [2] = add(%28, s16)
%30: float32 [2] = div(%27, %29)
%31: float32 [2] = sub(%26, %30)
return %4, %9, %15, %20, %25, %31`

describe("laws", () => {
  it("a program has no fault", () =>
    fc.assert(
      fc.property(randomProgram(), ({ program }) => assert.deepStrictEqual(Program.verify(program), [])),
      runs
    ))

  it("no two nodes and no two scalars are equal", () =>
    fc.assert(
      fc.property(randomProgram(), ({ program }) => {
        const lines = Program.print(program)
          .split("\n")
          .slice(0, -1)
          .map((line) => line.replace(/^[%s]\d+/, ""))
        assert.strictEqual(new Set(lines).size, lines.length, Program.print(program))
      }),
      runs
    ))

  it("every node is needed by an output", () =>
    fc.assert(
      fc.property(randomProgram(), ({ program }) => assert.strictEqual(needed(program).size, program.nodes.length)),
      runs
    ))

  it("making it twice gives the same program", () =>
    fc.assert(
      fc.property(fc.double(), (rate) => {
        const make = () => program(Expr.sub(x, Expr.mul(rate, y)))
        assert.deepStrictEqual(make(), make())
      }),
      runs
    ))
})

describe("cases: equal work", () => {
  it("equal operations on equal arguments stand once, also when made apart", () => {
    const twice = Expr.add(Expr.sqrt(Expr.square(x)), Expr.sqrt(Expr.square(Expr.input(0, spec))))
    assert.deepStrictEqual(ops(program(twice)), ["input", "mul", "sqrt", "add"])
  })

  it("operations that differ in an attribute, a shape or a dtype do not", () => {
    const matrix = Expr.input(0, { shape: [2, 3], dtype: "float32" })
    const reductions = [
      Expr.sum(matrix, { axes: [0] }),
      Expr.sum(matrix, { axes: [1] }),
      Expr.max(matrix, { axes: [0] })
    ]
    const shapes = [Expr.reshape(matrix, [6]), Expr.reshape(matrix, [3, 2]), Expr.transpose(matrix)]
    const casts = [Expr.cast(matrix, "bool"), Expr.cast(matrix, "int32")]
    const made = Program.make([matrix], [...reductions, ...shapes, ...casts])
    assert.strictEqual(made.nodes.length, 1 + 8)
  })

  it("the order of arguments counts", () => {
    assert.deepStrictEqual(ops(program(Expr.add(x, y), Expr.add(y, x))), ["input", "input", "add", "add"])
  })

  it("a scalar is not the node of its number", () => {
    // s0 is 5, %0 is x
    assert.deepStrictEqual(ops(program(Expr.mul(x, 5), Expr.mul(x, x))), ["input", "mul", "mul"])
  })

  it("constants are equal when their bits are: 0 and −0 differ, NaN is NaN", () => {
    const values = [0, -0, Number.NaN, Number.NaN, 1, 1]
    const { scalars } = program(...values.map((value) => Expr.fullLike(spec, value)))
    assert.deepStrictEqual(
      scalars.map((scalar) => scalar._tag === "Constant" && scalar.value),
      [0, -0, Number.NaN, 1]
    )
  })

  it("equal functions of equal scalars stand once, other functions do not", () => {
    const step = Scalar.input("step", 0)
    const [double, triple] = [(t = 0) => 2 * t, (t = 0) => 3 * t]
    const rates = [double, double, triple].map((compute) => Scalar.apply("rate", compute, step))
    const made = program(...rates.map((rate) => Expr.mul(rate, x)))
    assert.strictEqual(made.scalars.length, 3)
    assert.deepStrictEqual(ops(made), ["input", "mul", "mul"])
    assert.deepStrictEqual([...Program.evaluateScalars(made, [5])], [5, 10, 15])
  })

  it("an output that is asked for twice stands once and comes out twice", () => {
    const made = program(Expr.exp(x), Expr.exp(x), x)
    assert.deepStrictEqual(ops(made), ["input", "exp"])
    assert.deepStrictEqual(made.outputs, [1, 1, 0])
  })

  it("what no output needs is left out, inputs too", () => {
    Expr.exp(x)
    const made = program(Expr.log(y))
    assert.deepStrictEqual(ops(made), ["input", "log"])
    assert.strictEqual(made.inputs.length, 2)
  })
})

describe("cases: size", () => {
  it("100,000 nodes deep does not overflow the stack", () => {
    let deep: Expr.Expr = x
    for (let level = 0; level < 100_000; level++) deep = Expr.add(deep, y)
    const made = program(deep)
    assert.strictEqual(made.nodes.length, 100_002)
    assert.deepStrictEqual(Program.verify(made), [])
  })

  it("a graph with more paths than atoms is small", () => {
    let doubled: Expr.Expr = x
    for (let level = 0; level < 300; level++) doubled = Expr.add(doubled, doubled)
    assert.strictEqual(program(doubled).nodes.length, 301)
  })
})

describe("cases: print", () => {
  it.effect("an update of adam: two leaves share their scalars", () =>
    Effect.gen(function* () {
      const adam = Optimizer.adam({ stepSize: (step) => 1 / (1 + step) })
      const programs = yield* executed(
        Effect.gen(function* () {
          const state = yield* Tensors.scoped(adam.init([1, Float32Array.of(2, 3)]))
          yield* Tensors.scoped(adam.update(0, [1, Float32Array.of(1, 1)], state))
        })
      )
      assert.strictEqual(programs.map(Program.print).at(-1), adamUpdate)
    }).pipe(Effect.provide(Cpu.layer))
  )

  it("attributes stand after arguments", () => {
    const matrix = Expr.input(0, { shape: [2, 3], dtype: "float32" })
    const made = Program.make([matrix], [Expr.max(Expr.transpose(matrix), { axes: [0] })])
    assert.strictEqual(
      Program.print(made),
      [
        "%0: float32 [2, 3] = input(index=0)",
        "%1: float32 [3, 2] = transpose(%0, permutation=[1,0])",
        "%2: float32 [2] = max(%1, axes=[0])",
        "return %2"
      ].join("\n")
    )
  })
})

describe("cases: faults", () => {
  const sum = program(Expr.add(x, Expr.mul(Expr.add(Scalar.input("a", 0), 1), y)))
  const node = (id: number): Program.Argument => ({ _tag: "Node", id })
  const scalar = (id: number): Program.Argument => ({ _tag: "Scalar", id })

  /** The sum with the arguments of its last node changed. */
  const withArgs = (...args: ReadonlyArray<Program.Argument>): Program.Program => ({
    ...sum,
    nodes: sum.nodes.map((made, id) => (id === sum.nodes.length - 1 ? { ...made, args } : made))
  })

  it("there are none in a program that was made", () => assert.deepStrictEqual(Program.verify(sum), []))

  it("a node that uses itself, a later one, or one that is not there", () => {
    assert.deepStrictEqual(Program.verify(withArgs(node(3), node(4), node(-1))), [
      "%3 uses %3, which does not come before it",
      "%3 uses %4, which does not come before it",
      "%3 uses %-1, which does not come before it"
    ])
  })

  it("a scalar that is not there", () => {
    assert.deepStrictEqual(Program.verify(withArgs(scalar(2), scalar(3))), [
      "%3 uses s3, which does not come before it"
    ])
  })

  it("a scalar that uses itself, a later one, or one that is not there", () => {
    const identity = (value = 0): number => value
    const apply = (args: ReadonlyArray<number>): Program.ScalarNode => ({
      _tag: "Apply",
      name: "f",
      compute: identity,
      args
    })
    assert.deepStrictEqual(Program.verify({ ...sum, scalars: [apply([0]), apply([0, 2]), apply([-1])] }), [
      "s0 uses s0, which does not come before it",
      "s1 uses s2, which does not come before it",
      "s2 uses s-1, which does not come before it"
    ])
  })

  it("an input that is not there, or of another kind", () => {
    const other = { shape: [3], dtype: "int32" } as const
    assert.deepStrictEqual(Program.verify({ ...sum, inputs: [other] }), [
      "%0 reads input 0 as float32 [3], which is int32 [3]",
      "%1 reads input 1 of 1"
    ])
  })

  it("an output that is not a node", () => {
    assert.deepStrictEqual(Program.verify({ ...sum, outputs: [3, 4] }), ["output %4 is not a node"])
  })

  it("all at once", () => {
    const broken = { ...withArgs(node(7)), inputs: [], outputs: [9] }
    assert.strictEqual(Program.verify(broken).length, 4)
  })
})
