/**
 * The assembler: tiny modules, run, and compared with numbers.
 *
 * No bytes are compared but those of numbers: what a module does is what it is. Float arithmetic is JavaScript's own,
 * rounded once, which is exact for + − × ÷ √.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Assembler, moduleBytes, signed, unsigned } from "../src/internal/wasm/assembler.ts"
import { forms } from "../src/internal/wasm/forms.ts"
import { instructions, type Name, type ValueType } from "../src/internal/wasm/instructions.ts"
import type { BodyOp } from "../src/internal/plan/kernel.ts"
import { float32 } from "./support/randomProgram.ts"

type Tuple = ReadonlyArray<number>

const instantiate = (assembler: Assembler, shared = false) => {
  const memory = new WebAssembly.Memory(shared ? { initial: 1, maximum: 65536, shared } : { initial: 1 })
  const module = new WebAssembly.Module(moduleBytes(assembler, shared))
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  // The one export of the module, whose parameters are those of the assembler.
  const run = exports["run"] as (...args: Tuple) => void
  return { run, ints: new Int32Array(memory.buffer), floats: new Float32Array(memory.buffer) }
}

// --- numbers in code ---------------------------------------------------------------------------------------------

/** What bytes in LEB128 say, with the arithmetic of big integers. */
const decode = (bytes: Tuple, isSigned: boolean): number => {
  const size = BigInt(7 * bytes.length)
  const bits = bytes.reduce((sum, byte, index) => sum + (BigInt(byte & 0x7f) << BigInt(7 * index)), 0n)
  return Number(isSigned ? BigInt.asIntN(Number(size), bits) : bits)
}

const isOneNumber = (bytes: Tuple): boolean =>
  bytes.every((byte, index) => byte < 256 && byte >= 128 === index < bytes.length - 1)

const powers = Array.from({ length: 32 }, (_, exponent) => 2 ** exponent)

describe("numbers in LEB128", () => {
  it("are those of the specification and of its examples", () => {
    const examples: ReadonlyArray<readonly [Tuple, Tuple]> = [
      [unsigned(0), [0]],
      [unsigned(127), [0x7f]],
      [unsigned(128), [0x80, 0x01]],
      [unsigned(16383), [0xff, 0x7f]],
      [unsigned(16384), [0x80, 0x80, 0x01]],
      [unsigned(624485), [0xe5, 0x8e, 0x26]],
      [unsigned(2 ** 32 - 1), [0xff, 0xff, 0xff, 0xff, 0x0f]],
      [signed(0), [0]],
      [signed(-1), [0x7f]],
      [signed(63), [0x3f]],
      [signed(64), [0xc0, 0x00]],
      [signed(-64), [0x40]],
      [signed(-65), [0xbf, 0x7f]],
      [signed(-123456), [0xc0, 0xbb, 0x78]],
      [signed(2 ** 31 - 1), [0xff, 0xff, 0xff, 0xff, 0x07]],
      [signed(-(2 ** 31)), [0x80, 0x80, 0x80, 0x80, 0x78]]
    ]
    for (const [found, expected] of examples) assert.deepStrictEqual(found, expected)
  })

  it("can be read back", () => {
    const check = (n: number): void => {
      assert.isTrue(isOneNumber(unsigned(n)) && isOneNumber(signed(n)))
      assert.strictEqual(decode(unsigned(n), false), n >>> 0)
      assert.strictEqual(decode(signed(n), true), n | 0)
    }
    for (const power of powers) for (const n of [power - 1, power, power + 1, -power - 1, -power, 1 - power]) check(n)
    fc.assert(fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }), check))
  })
})

// --- instructions ------------------------------------------------------------------------------------------------

/** Numbers to try for an operand, and how they lie in memory. */
interface Domain {
  readonly kind: "ints" | "floats"
  readonly numbers: Tuple
}

const greatest = 2 ** 128 - 2 ** 104

const float: Domain = {
  kind: "floats",
  numbers: [
    ...[0, 0.5, 1, 1.5, 2, 3, 16777215, 2 ** 31, greatest, Number.POSITIVE_INFINITY].flatMap((x) => [x, -x]),
    ...[2 ** -149, 1e-40, 2 ** -126].map(Math.fround).flatMap((x) => [x, -x]),
    Number.NaN,
    ...fc.sample(float32, { seed: 3, numRuns: 20 })
  ]
}

const int: Domain = {
  kind: "ints",
  numbers: [0, 1, -1, 2, 31, 32, 33, 65535, 0x55555555, 2 ** 31 - 1, -(2 ** 31)]
}

/** A condition in a lane: all bits set or none. */
const mask: Domain = { kind: "ints", numbers: [0, -1] }

/** A condition as a number. */
const flag: Domain = { kind: "ints", numbers: [0, 1] }

/** How code is fed and what it must give. */
interface Case {
  readonly takes: ReadonlyArray<ValueType>
  readonly gives: ValueType
  readonly from: ReadonlyArray<Domain>
  readonly result: Domain["kind"]
  readonly emit: (asm: Assembler, operands: ReadonlyArray<() => void>) => void
  readonly of: (...args: Tuple) => number
}

/** A function that loads the operands from its parameters and stores what the code gives at its last. */
const assemble = ({ emit, gives, takes }: Case): Assembler => {
  const asm = new Assembler([...takes, "i32"].map(() => "i32"))
  const load = { i32: () => asm.loadI32(0), f32: () => asm.loadF32(0), v128: () => asm.loadV128(0) }
  const operands = takes.map((type, index) => () => {
    asm.get(asm.param(index))
    load[type]()
  })
  asm.get(asm.param(takes.length))
  emit(asm, operands)
  if (gives === "i32") asm.op("i32x4.splat")
  return gives === "f32" ? asm.storeF32(0) : asm.storeV128(0)
}

const bitsOf = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0] ?? 0

const combinations = (domains: ReadonlyArray<Domain>): ReadonlyArray<Tuple> =>
  domains.reduce<ReadonlyArray<Tuple>>(
    (all, { numbers }) => all.flatMap((some) => numbers.map((x) => [...some, x])),
    [[]]
  )

const lanes = 4
const wordBytes = 4
const resultWord = 64

/** Runs code on all combinations of numbers, four at a time; vectors have each in a lane of its own. */
const check = (name: string, code: Case): void => {
  const { run, ...memory } = instantiate(assemble(code))
  const all = combinations(code.from)
  const results = memory[code.result]
  /** The numbers in all lanes that start at this one. */
  const runAt = (lane: number): Tuple => {
    run(...code.takes.map((_, operand) => wordBytes * (operand * lanes + lane)), wordBytes * resultWord)
    return [...results.subarray(resultWord, resultWord + lanes)]
  }
  for (let first = 0; first < all.length; first += lanes) {
    const group = Array.from({ length: lanes }, (_, lane) => all[(first + lane) % all.length] ?? [])
    group.forEach((args, lane) =>
      code.from.forEach(({ kind }, operand) => (memory[kind][operand * lanes + lane] = args[operand] ?? 0))
    )
    const found = code.takes.includes("v128") ? runAt(0) : group.map((_, lane) => runAt(lane)[lane % splatLanes(code)])
    group.forEach((args, lane) =>
      assert.deepStrictEqual([...args, found[lane]], [...args, code.of(...args)], `${name}: operands and result`)
    )
  }
}

/** In how many lanes of the result a number must stand. */
const splatLanes = ({ gives }: Case): number => (gives === "f32" ? 1 : lanes)

type Meaning = Pick<Case, "from" | "result" | "of">

const over =
  (domain: Domain, result: Domain["kind"]) =>
  (of: (a: number, b: number) => number): Meaning => ({
    from: Array.from({ length: of.length }, () => domain),
    result,
    of
  })

const onInts = over(int, "ints")
const onFloats = (of: (a: number, b: number) => number): Meaning => ({
  ...over(float, "floats")(of),
  of: (a = 0, b = 0) => Math.fround(of(a, b))
})
const compares = (holds: (a: number, b: number) => boolean): Meaning =>
  over(float, "ints")((a, b) => Number(holds(a, b)))
/** Lanes of set bits where the condition holds. */
const masks = (holds: (a: number, b: number) => boolean): Meaning =>
  over(float, "ints")((a, b) => (holds(a, b) ? -1 : 0))

/** The meaning of every instruction: a new one does not compile without it. */
const meanings: { readonly [N in Name]: Meaning } = {
  "i32.eqz": onInts((a) => Number(a === 0)),
  "i32.eq": onInts((a, b) => Number(a === b)),
  "i32.ne": onInts((a, b) => Number(a !== b)),
  "i32.lt_s": onInts((a, b) => Number(a < b)),
  "i32.lt_u": onInts((a, b) => Number(a >>> 0 < b >>> 0)),
  "i32.gt_s": onInts((a, b) => Number(a > b)),
  "i32.le_s": onInts((a, b) => Number(a <= b)),
  "i32.ge_s": onInts((a, b) => Number(a >= b)),
  "i32.ge_u": onInts((a, b) => Number(a >>> 0 >= b >>> 0)),
  "i32.add": onInts((a, b) => (a + b) | 0),
  "i32.sub": onInts((a, b) => (a - b) | 0),
  "i32.mul": onInts((a, b) => Math.imul(a, b)),
  "i32.and": onInts((a, b) => a & b),
  "i32.or": onInts((a, b) => a | b),
  "i32.shl": onInts((a, b) => a << b),
  "f32.eq": compares((a, b) => a === b),
  "f32.ne": compares((a, b) => a !== b),
  "f32.lt": compares((a, b) => a < b),
  "f32.gt": compares((a, b) => a > b),
  "f32.le": compares((a, b) => a <= b),
  "f32.ge": compares((a, b) => a >= b),
  "f32.abs": onFloats((a) => Math.abs(a)),
  "f32.neg": onFloats((a) => -a),
  "f32.floor": onFloats((a) => Math.floor(a)),
  "f32.sqrt": onFloats((a) => Math.sqrt(a)),
  "f32.add": onFloats((a, b) => a + b),
  "f32.sub": onFloats((a, b) => a - b),
  "f32.mul": onFloats((a, b) => a * b),
  "f32.div": onFloats((a, b) => a / b),
  "f32.min": onFloats((a, b) => Math.min(a, b)),
  "f32.max": onFloats((a, b) => Math.max(a, b)),
  "f32.convert_i32_s": { from: [int], result: "floats", of: (a = 0) => Math.fround(a) },
  "i32x4.splat": onInts((a) => a),
  "f32x4.splat": onFloats((a) => a),
  "f32x4.eq": masks((a, b) => a === b),
  "f32x4.ne": masks((a, b) => a !== b),
  "f32x4.lt": masks((a, b) => a < b),
  "f32x4.gt": masks((a, b) => a > b),
  "f32x4.le": masks((a, b) => a <= b),
  "f32x4.ge": masks((a, b) => a >= b),
  "v128.not": onInts((a) => ~a),
  "v128.and": onInts((a, b) => a & b),
  "v128.or": onInts((a, b) => a | b),
  "v128.xor": onInts((a, b) => a ^ b),
  "v128.bitselect": {
    from: [int, int, int],
    result: "ints",
    of: (a = 0, b = 0, chosen = 0) => (a & chosen) | (b & ~chosen)
  },
  "f32x4.floor": onFloats((a) => Math.floor(a)),
  "f32x4.abs": onFloats((a) => Math.abs(a)),
  "f32x4.neg": onFloats((a) => -a),
  "f32x4.sqrt": onFloats((a) => Math.sqrt(a)),
  "f32x4.add": onFloats((a, b) => a + b),
  "f32x4.sub": onFloats((a, b) => a - b),
  "f32x4.mul": onFloats((a, b) => a * b),
  "f32x4.div": onFloats((a, b) => a / b),
  "f32x4.pmin": onFloats((a, b) => (b < a ? b : a)),
  "f32x4.pmax": onFloats((a, b) => (a < b ? b : a))
}

const typed = Object.keys(meanings) as ReadonlyArray<Name>

describe("instructions", () => {
  for (const name of typed) {
    it(`computes ${name}`, () => {
      const { gives, takes } = instructions[name]
      const emit: Case["emit"] = (asm, operands) => {
        for (const push of operands) push()
        asm.op(name)
      }
      check(name, { ...meanings[name], takes, gives: gives[0] ?? "i32", emit })
    })
  }
})

// --- forms -------------------------------------------------------------------------------------------------------

/** What an operation of a kernel does with numbers (x) and conditions (c). */
interface Operation {
  readonly signature: "x→x" | "xx→x" | "xx→c" | "c→c" | "cc→c" | "cxx→x" | "c→x"
  readonly of: (...args: Tuple) => number | boolean
}

const unary = (of: (x: number) => number): Operation => ({ signature: "x→x", of: (x = 0) => of(x) })
const binary = (of: (a: number, b: number) => number): Operation => ({
  signature: "xx→x",
  of: (a = 0, b = 0) => of(a, b)
})
const compare = (of: (a: number, b: number) => boolean): Operation => ({
  signature: "xx→c",
  of: (a = 0, b = 0) => of(a, b)
})

const operations: { readonly [O in BodyOp]: Operation } = {
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  sqrt: unary(Math.sqrt),
  floor: unary(Math.floor),
  sign: unary(Math.sign),
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  minimum: binary(Math.min),
  maximum: binary(Math.max),
  less: compare((a, b) => a < b),
  lessEqual: compare((a, b) => a <= b),
  greater: compare((a, b) => a > b),
  greaterEqual: compare((a, b) => a >= b),
  equal: compare((a, b) => a === b),
  notEqual: compare((a, b) => a !== b),
  and: { signature: "cc→c", of: (a, b) => a !== 0 && b !== 0 },
  or: { signature: "cc→c", of: (a, b) => a !== 0 || b !== 0 },
  not: { signature: "c→c", of: (a) => a === 0 },
  select: { signature: "cxx→x", of: (condition, a = 0, b = 0) => (condition === 0 ? b : a) },
  unmask: { signature: "c→x", of: (a) => a !== 0 }
}

/** The code of a form; conditions are set lanes in vectors, 1 otherwise. */
const inForm = (op: BodyOp, form: "vector" | "single"): Case => {
  const { of, signature } = operations[op]
  const [operands = "", result] = signature.split("→")
  const isVector = form === "vector"
  const condition = isVector ? mask : flag
  const type = (letter: string | undefined): ValueType => (isVector ? "v128" : letter === "c" ? "i32" : "f32")
  return {
    takes: operands.split("").map(type),
    gives: type(result),
    from: operands.split("").map((letter) => (letter === "c" ? condition : float)),
    result: result === "c" ? "ints" : "floats",
    emit: forms[op][form],
    of: (...args) => (result === "c" && isVector ? (of(...args) === true ? -1 : 0) : Math.fround(Number(of(...args))))
  }
}

describe("operations of kernels", () => {
  for (const op of Object.keys(operations) as ReadonlyArray<BodyOp>) {
    for (const form of ["vector", "single"] as const) it(`${op}, ${form}`, () => check(op, inForm(op, form)))
  }
})

describe("the smaller and the larger", () => {
  // Quiet and signalling, of both signs, with the fewest and the most bits.
  const nans = [0x7fc00000, 0xffc00000, 0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff].map((bits) => bits | 0)
  const others = [...float.numbers.map(bitsOf), ...nans]

  for (const op of ["minimum", "maximum"] as const) {
    it(`pass on every NaN, whatever its bits: ${op}`, () => {
      const { floats, ints, run } = instantiate(assemble(inForm(op, "vector")))
      const isNaN = (a: number, b: number): boolean => {
        ints.fill(a, 0, lanes).fill(b, lanes, 2 * lanes)
        run(0, lanes * wordBytes, wordBytes * resultWord)
        return floats.subarray(resultWord, resultWord + lanes).every(Number.isNaN)
      }
      for (const nan of nans) for (const x of others) assert.isTrue(isNaN(nan, x) && isNaN(x, nan), `${nan}, ${x}`)
    })
  }
})

// --- the rest of the language ------------------------------------------------------------------------------------

/** The first words of memory after a run of one function without parameters. */
const wordsAfter = (build: (asm: Assembler) => void): Tuple => {
  const asm = new Assembler([])
  build(asm)
  const { ints, run } = instantiate(asm)
  run()
  return [...ints.subarray(0, 8)]
}

describe("functions", () => {
  it("know all constants", () => {
    for (const power of powers) {
      for (const n of [power - 1, power, power + 1, -power, 1 - power]) {
        const words = wordsAfter((asm) => asm.i32(0).i32(n).op("i32x4.splat").storeV128(0))
        assert.deepStrictEqual(words.slice(0, 4), [n | 0, n | 0, n | 0, n | 0])
      }
    }
    for (const x of float.numbers) {
      const [word] = wordsAfter((asm) => asm.i32(0).f32(x).storeF32(0))
      assert.strictEqual(word, bitsOf(x))
    }
  })

  it("read and write at offsets", () => {
    const words = wordsAfter((asm) => {
      asm.i32(4).f32(1).storeF32(12) // word 4
      asm.i32(8).i32(8).loadF32(8).storeF32(12) // word 5
      asm.i32(0).i32(0).loadV128(4).storeV128(0) // words 1 to 4 to 0 to 3
      asm.i32(16).i32(0).loadI32(12).op("i32x4.splat").storeV128(12) // word 3 to 7 and beyond
    })
    const one = bitsOf(1)
    assert.deepStrictEqual(words, [0, 0, 0, one, one, one, 0, one])
  })

  it("address memory beyond 127 and 16383 bytes", () => {
    for (const offset of [124, 128, 16380, 16384, 65532]) {
      const asm = new Assembler(["i32"])
      asm.get(asm.param(0)).f32(7).storeF32(offset)
      const { floats, run } = instantiate(asm)
      run(0)
      assert.strictEqual(floats[offset / wordBytes], 7)
    }
  })

  it("extract every lane", () => {
    const words = wordsAfter((asm) => {
      for (const lane of [0, 1, 2, 3])
        asm
          .i32(0)
          .f32(lane + 1)
          .storeF32(lane * wordBytes)
      for (const lane of [0, 1, 2, 3])
        asm
          .i32(0)
          .i32(0)
          .loadV128(0)
          .lane(lane)
          .storeF32(28 - lane * wordBytes)
    })
    assert.deepStrictEqual(words, [1, 2, 3, 4, 4, 3, 2, 1].map(bitsOf))
  })

  it("choose with select", () => {
    for (const condition of [0, 1, -1]) {
      const words = wordsAfter((asm) => {
        asm.i32(0).f32(5).f32(6).i32(condition).select("f32").storeF32(0)
        asm.i32(4).i32(7).i32(8).i32(condition).select("i32").op("i32x4.splat").storeV128(0)
      })
      assert.deepStrictEqual(words.slice(0, 2), condition === 0 ? [bitsOf(6), 8] : [bitsOf(5), 7])
    }
  })

  it("have one scratch variable of a type and index", () => {
    const words = wordsAfter((asm) => {
      asm.f32(2).set(asm.scratch("f32", 0)).f32(3).set(asm.scratch("f32", 1)).i32(5).set(asm.scratch("i32", 0))
      asm.i32(0).get(asm.scratch("f32", 0)).storeF32(0).i32(0).get(asm.scratch("f32", 1)).storeF32(4)
      asm.i32(8).get(asm.scratch("i32", 0)).op("i32x4.splat").storeV128(0)
    })
    assert.deepStrictEqual(words.slice(0, 3), [bitsOf(2), bitsOf(3), 5])
  })

  it("keep variables of every type", () => {
    const words = wordsAfter((asm) => {
      const [a, b, c] = [asm.local("f32"), asm.local("i32"), asm.local("v128")]
      asm.f32(2).set(a).i32(12).set(b)
      asm.get(b).get(a).get(a).op("f32.add").tee(a).storeF32(0)
      asm.get(a).op("f32x4.splat").set(c).i32(16).get(c).storeV128(0)
    })
    assert.deepStrictEqual(words, [0, 0, 0, 4, 4, 4, 4, 4].map(bitsOf))
  })

  it("repeat a body at least once, and run another only if", () => {
    const count = (n: number): number => {
      const asm = new Assembler(["i32", "i32"])
      const [rounds, odd] = [asm.param(0), asm.param(1)]
      const add = (x: number) => asm.i32(0).i32(0).loadF32(0).f32(x).op("f32.add").storeF32(0)
      asm.doWhile(
        () => {
          add(1)
          asm.get(odd)
          asm.when(() => void add(100))
        },
        () => asm.get(rounds).i32(1).op("i32.sub").tee(rounds)
      )
      const { floats, run } = instantiate(asm)
      run(Math.abs(n), Number(n < 0))
      return floats[0] ?? 0
    }
    assert.deepStrictEqual([1, 2, 300, -1, -4].map(count), [1, 2, 300, 101, 404])
  })

  it("may be long", () => {
    const asm = new Assembler([])
    const locals = Array.from({ length: 300 }, () => asm.local("f32"))
    for (const [index, local] of locals.entries()) asm.f32(index).set(local)
    asm.i32(0).f32(0)
    for (const local of locals) asm.get(local).op("f32.add")
    asm.storeF32(0)
    const { floats, run } = instantiate(asm)
    run()
    assert.strictEqual(floats[0], (299 * 300) / 2)
  })

  it("work in shared memory", () => {
    const asm = new Assembler([])
    asm.i32(0).f32(3).storeF32(0)
    const { floats, run } = instantiate(asm, true)
    run()
    assert.strictEqual(floats[0], 3)
  })

  it("print their instructions, bodies indented", () => {
    const asm = new Assembler(["i32"])
    const local = asm.local("f32")
    const rest = asm.param(0)
    asm.doWhile(
      () => asm.get(rest).loadF32(8).set(local),
      () => asm.get(rest).i32(-1).op("i32.add").tee(rest)
    )
    assert.strictEqual(
      asm.print(),
      [
        "loop",
        "  local.get 0",
        "  f32.load offset=8",
        "  local.set 1",
        "  local.get 0",
        "  i32.const -1",
        "  i32.add",
        "  local.tee 0",
        "  br_if 0",
        "end"
      ].join("\n")
    )
  })
})

// --- mistakes ----------------------------------------------------------------------------------------------------

const mistakes: ReadonlyArray<readonly [message: string, (asm: Assembler) => void]> = [
  ["f32.abs: expected f32 on the stack, found nothing", (asm) => asm.op("f32.abs")],
  ["f32.abs: expected f32 on the stack, found i32", (asm) => asm.i32(1).op("f32.abs")],
  ["f32.add: expected f32 on the stack, found i32", (asm) => asm.i32(1).f32(2).op("f32.add")],
  ["f32x4.mul: expected v128 on the stack, found nothing", (asm) => asm.f32(1).op("f32x4.splat").op("f32x4.mul")],
  ["v128.store offset=4: expected v128 on the stack, found f32", (asm) => asm.i32(0).f32(1).storeV128(4)],
  ["f32.load offset=0: expected i32 on the stack, found f32", (asm) => asm.f32(0).loadF32(0)],
  ["f32x4.extract_lane 2: expected v128 on the stack, found i32", (asm) => asm.i32(0).lane(2)],
  ["select: expected i32 on the stack, found f32", (asm) => asm.i32(0).f32(1).f32(1).select("f32")],
  ["local.set 1: expected f32 on the stack, found i32", (asm) => asm.i32(0).set(asm.local("f32"))],
  ["local.tee 0: expected i32 on the stack, found f32", (asm) => asm.f32(0).tee(asm.param(0))],
  ["if: expected i32 on the stack, found nothing", (asm) => asm.when(() => {})],
  ["if: expected i32 on the stack, found f32", (asm) => asm.f32(1).when(() => {})],
  ["br_if 0: expected i32 on the stack, found nothing", (asm) => asm.doWhile(nothing, nothing)],
  [
    "loop: the body leaves 1 values",
    (asm) =>
      asm.doWhile(
        () => asm.i32(1),
        () => asm.i32(0)
      )
  ],
  ["if: the body leaves 2 values", (asm) => asm.i32(1).when(() => asm.i32(1).f32(2))],
  [
    "local.set 0: expected i32 on the stack, found nothing",
    (asm) =>
      asm
        .i32(1)
        .i32(1)
        .when(() => asm.set(asm.param(0)).i32(2))
  ],
  ["no parameter 1", (asm) => asm.param(1)],
  ["the function leaves 1 values on the stack", (asm) => asm.i32(1).finish()]
]

const nothing = () => {}

describe("mistakes are found at the instruction that is wrong", () => {
  for (const [message, build] of mistakes) {
    it(`says "${message}"`, () => {
      const asm = new Assembler(["i32"])
      let found: unknown
      try {
        build(asm)
      } catch (error) {
        found = error
      }
      assert.strictEqual((found as Error | undefined)?.message, message)
    })
  }
})
