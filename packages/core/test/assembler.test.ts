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

const greatest = 2 ** 128 - 2 ** 104

const floats: Tuple = [
  ...[0, 0.5, 1, 1.5, 2, 3, 16777215, 2 ** 31, greatest, Number.POSITIVE_INFINITY].flatMap((x) => [x, -x]),
  ...[2 ** -149, 1e-40, 2 ** -126].map(Math.fround).flatMap((x) => [x, -x]),
  Number.NaN,
  ...fc.sample(float32, { seed: 3, numRuns: 20 })
]

const ints: Tuple = [0, 1, -1, 2, 31, 32, 33, 65535, 0x55555555, 2 ** 31 - 1, -(2 ** 31)]

const masks: Tuple = [0, -1]

const flags: Tuple = [0, 1]

/** All combinations of one number from each list. */
const product = (lists: ReadonlyArray<Tuple>): ReadonlyArray<Tuple> =>
  lists.reduce<ReadonlyArray<Tuple>>((all, list) => all.flatMap((some) => list.map((x) => [...some, x])), [[]])

type Kind = "int" | "float"

/** How an instruction is fed and what it must give. */
interface Case {
  readonly takes: ReadonlyArray<ValueType>
  readonly gives: ValueType
  readonly from: ReadonlyArray<Tuple>
  readonly gets: Kind
  readonly emit: (asm: Assembler, operands: ReadonlyArray<() => void>) => void
  readonly of: (...args: Tuple) => number
}

const lanes = 4

/** Leaves nothing on the stack but what an instruction gives, in memory at the last parameter. */
const assemble = ({ emit, gives, takes }: Case): Assembler => {
  const asm = new Assembler([...takes, "i32"].map(() => "i32"))
  const load = { i32: () => asm.loadI32(0), f32: () => asm.loadF32(0), v128: () => asm.loadV128(0) }
  asm.get(asm.param(takes.length))
  emit(
    asm,
    takes.map((type, index) => () => {
      asm.get(asm.param(index))
      load[type]()
    })
  )
  if (gives === "i32") asm.op("i32x4.splat")
  return gives === "f32" ? asm.storeF32(0) : asm.storeV128(0)
}

/** Runs a case on all combinations of its numbers, four at a time, each in a lane of its own. */
const check = (name: string, it: Case): void => {
  const { floats, ints, run } = instantiate(assemble(it))
  const views = { int: ints, float: floats }
  const isVector = it.takes.includes("v128")
  const all = product(it.from)
  for (let first = 0; first < all.length; first += lanes) {
    const group = Array.from({ length: lanes }, (_, lane) => all[(first + lane) % all.length] ?? [])
    const kinds = it.from.map((list) => (list === ints_ || list === masks || list === flags ? "int" : "float") as Kind)
    group.forEach((args, lane) => args.forEach((x, operand) => (views[kinds[operand] ?? "int"][operand * lanes + lane] = x)))
    const found = group.map((args, lane) => {
      const addresses = args.map((_, operand) => 4 * (operand * lanes + (isVector ? 0 : lane)))
      run(...addresses, 256)
      return views[it.gets][64 + (isVector ? lane : it.gives === "v128" ? 3 - lane : 0)]
    })
    assert.deepStrictEqual(
      group.map((args, lane) => [...args, found[lane]]),
      group.map((args) => [...args, it.of(...args)]),
      name
    )
  }
}
const ints_ = ints
