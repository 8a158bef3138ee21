/**
 * How far a backend may be from the correctly rounded result, and why. What is not named here is exact, bit for bit.
 *
 * Figures are for tfjs 4.22; functions were compared with float64 results at more than 2²⁴ floats over their ranges.
 * Those of webgl and webgpu were measured on SwiftShader, as Chromium has it without a graphics card. The languages of
 * shaders promise less than IEEE 754: a quotient within 2.5 units in the last place, a root by way of its reciprocal,
 * a multiplication and an addition may become one operation, and tfjs builds tanh and powers from exponentials.
 */
import type { Expr } from "@optim/core"
import type { Backend } from "./backends.ts"
import type { RandomProgram } from "./randomProgram.ts"
import type { Sums, Value } from "./reference.ts"

interface Precision {
  /** Units in the last place between the result and the rounded float64 result. */
  readonly ulps: { readonly [op in Expr.Op]?: number }
  /** How far exp, log, tanh and pow may be, as a part of the result or of 1, whichever is larger. */
  readonly functions: number
  /** May numbers beneath the least normal one count as 0? GLSL and WGSL leave it to the device. */
  readonly flushesSubnormals: boolean
  /** Integers beyond this are not exact: tfjs' webgl keeps int32 in float textures, its webgpu fills by way of floats. */
  readonly largestInteger: number
}

export const precision: { readonly [backend in Backend["name"]]: Precision } = {
  // computes in float64 and rounds once
  cpu: { ulps: {}, functions: 0, flushesSubnormals: false, largestInteger: 2 ** 31 },
  // the C library's functions in float32
  wasm: { ulps: { exp: 1, log: 1, tanh: 2, pow: 1 }, functions: 0, flushesSubnormals: false, largestInteger: 2 ** 31 },
  webgl: { ulps: { div: 3, sqrt: 3 }, functions: 2e-5, flushesSubnormals: true, largestInteger: 2 ** 24 },
  webgpu: { ulps: { div: 3, sqrt: 3 }, functions: 2e-5, flushesSubnormals: true, largestInteger: 2 ** 24 }
}

/** The least normal float32. */
export const leastNormal = 2 ** -126

/** The number as a device sees it that takes subnormal numbers for 0. */
export const flushed = (x: number): number => (Math.abs(x) < leastNormal ? 0 : x)

const bits = new Int32Array(1)
const floats = new Float32Array(bits.buffer)

/** The place of a float32 among all of them; both zeros are at 0. */
const place = (x: number): number => {
  floats[0] = x
  const [word = 0] = bits
  return word < 0 ? -(word & 0x7fffffff) : word
}

/** Bit for bit, but that one NaN is as good as another. */
export const isSame = (a: number, b: number): boolean =>
  a === b ? Object.is(a, b) : Number.isNaN(a) && Number.isNaN(b)

export const isFunction = (op: Expr.Op): boolean => op === "exp" || op === "log" || op === "tanh" || op === "pow"

/** Is this what one operation may give on the backend, where it should give the other? */
export const isWithin = (backend: Backend, op: Expr.Op, found: number, target: number): boolean => {
  const { flushesSubnormals, functions, ulps } = precision[backend.name]
  if (flushesSubnormals && flushed(target) === 0) return flushed(found) === 0
  if (isSame(found, target)) return true
  if (functions > 0 && isFunction(op)) return Math.abs(found - target) <= functions * Math.max(1, Math.abs(target))
  return Math.abs(place(found) - place(target)) <= (ulps[op] ?? 0)
}

const within = ({ flushesSubnormals, largestInteger }: Precision, value: Value): Value => {
  if (value.dtype === "float32" && flushesSubnormals) return { ...value, data: value.data.map(flushed) }
  if (value.dtype === "int32" && largestInteger < 2 ** 31) return { ...value, data: value.data.map((x) => x % 4) }
  return value
}

/** Does the backend tell all these numbers from others? */
export const tellsApart = (backend: Backend, values: ReadonlyArray<Value>): boolean => {
  const { flushesSubnormals, largestInteger } = precision[backend.name]
  const isApart = (dtype: Expr.DType, x: number): boolean =>
    dtype === "float32" ? !flushesSubnormals || x === 0 || !(Math.abs(x) < leastNormal) : Math.abs(x) <= largestInteger
  return values.every(({ data, dtype }) => [...data].every((x) => isApart(dtype, x)))
}

/** The program with numbers that the backend can tell apart. */
export const suited = (backend: Backend, random: RandomProgram): RandomProgram => {
  const own = precision[backend.name]
  const number = (x: number): number => {
    if (!own.flushesSubnormals) return x
    // A scalar may become an integer.
    return Math.abs(x) > own.largestInteger && Number.isFinite(x) ? x % 1000 : flushed(Math.fround(x))
  }
  const scalars = random.program.scalars.map((scalar) =>
    scalar._tag === "Constant" ? { ...scalar, value: number(scalar.value) } : scalar
  )
  return {
    ...random,
    program: { ...random.program, scalars },
    inputs: random.inputs.map((value) => within(own, value)),
    host: random.host.map(number)
  }
}

/** Half a unit in the last place of 1: the relative error of one rounding in float32. */
const roundoff = 2 ** -24

/** The least positive float32. */
const least = 2 ** -149

/**
 * The error of a float32 sum in any order: each term is rounded, and each partial sum, which is never greater than Σ|x|.
 * Products beneath the normal numbers lose at most the least of these.
 */
export const ofSum = ({ magnitudes, terms }: Sums, index: number): number =>
  (terms + 1) * (roundoff * (magnitudes[index] ?? 0) + least)

/** Partial sums that leave float32 on the way come out as they please, depending on the order. */
export const overflows = ({ magnitudes }: Sums, index: number): boolean => (magnitudes[index] ?? 0) >= 2 ** 127
