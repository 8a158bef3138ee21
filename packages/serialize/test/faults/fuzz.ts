/** Gives readers what is not theirs: random bytes and damaged files. They answer with a value or a typed error. */
import { Checkpoint, Params, Safetensors } from "@optim/serialize"
import * as Result from "effect/Result"
import * as Checksum from "../../src/internal/checksum.ts"
import * as Manifest from "../../src/internal/manager/manifest.ts"
import * as Effect from "effect/Effect"
import { makeRandom, pick, type Random } from "./random.ts"

/** What was found. */
export interface FuzzReport {
  readonly inputs: number
  readonly values: number
  /** Inputs that were refused with a typed error. */
  readonly refused: number
  /** Inputs that something else was thrown for. */
  readonly crashes: number
  /** The slowest answer, in milliseconds. */
  readonly slowest: number
  /** The most that array buffers grew by, over twice the size of the input; 0 or less is within the bound. */
  readonly overAllocated: number
}

interface Reader {
  readonly seeds: ReadonlyArray<Uint8Array>
  readonly read: (input: Uint8Array) => boolean
}

const expectedErrors = new Set(["InvalidSafetensors", "InvalidCheckpoint", "UnsupportedDtype", "InvalidBool"])

const isTyped = (error: unknown): boolean =>
  error instanceof Error && "_tag" in error && typeof error._tag === "string" && expectedErrors.has(error._tag)

const mutations: ReadonlyArray<(bytes: Uint8Array, random: Random) => Uint8Array> = [
  (bytes, random) => bytes.map((byte, index) => (index === random(bytes.length) ? byte ^ (1 << random(8)) : byte)),
  (bytes, random) => bytes.slice(0, random(bytes.length + 1)),
  (bytes, random) => {
    const copy = bytes.slice()
    const at = random(copy.length)
    copy.fill(random(256), at, at + random(16))
    return copy
  },
  (bytes, random) => {
    const [from, to, length] = [random(bytes.length), random(bytes.length), random(64)]
    const copy = bytes.slice()
    copy.set(bytes.slice(from, Math.min(from + length, from + bytes.length - to)), to)
    return copy
  },
  (bytes, random) => {
    const digits = [...bytes].flatMap((byte, index) => (byte >= 0x30 && byte <= 0x39 ? [index] : []))
    const copy = bytes.slice()
    if (digits.length > 0) copy[pick(random, digits)] = 0x30 + random(10)
    return copy
  },
  (_, random) => Uint8Array.from({ length: random(200) }, () => random(256))
]

const mutated = (seed: Uint8Array, random: Random): Uint8Array => {
  let bytes = seed
  for (let rounds = 1 + random(3); rounds > 0 && bytes.length > 0; rounds--)
    bytes = pick(random, mutations)(bytes, random)
  return bytes
}

const encoder = new TextEncoder()

const decoder = new TextDecoder()

const file = (): Uint8Array =>
  Safetensors.encode({
    tensors: [
      Safetensors.fromHost("layers.0.w", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }),
      Safetensors.fromHost("layers.0.b", { shape: [3], data: Int32Array.of(1, 2, 3) }),
      Safetensors.fromHost("mask", { shape: [2], data: Uint8Array.of(0, 1) })
    ],
    metadata: { note: "x", optim: '{"format":"optim.params","version":1,"tree":[["a"],"*"]}' }
  })

/** A file that says itself what it is. */
const whole = (): Uint8Array =>
  Safetensors.encode({
    tensors: [Safetensors.fromHost("a", { shape: [2], data: Float32Array.of(1, 2) })],
    metadata: { optim: '{"format":"optim.params","version":1,"tree":[["a"],"*"]}' }
  })

/** The state of an optimizer: momentum of a single parameter. */
const run = (): Uint8Array =>
  Safetensors.encode({
    tensors: ["a/v", "a/x"].map((name) => Safetensors.fromHost(name, { shape: [2], data: Float32Array.of(1, 2) })),
    metadata: {
      optim: JSON.stringify({
        format: "optim.checkpoint",
        version: 1,
        step: 5,
        optimizer: { name: "momentum", hyperParameters: { stepSize: 0.1, mass: 0.9 } },
        tree: [["a"], "*"],
        subtrees: [[["v", "x"], "*", "*"]],
        subtreeOf: [0]
      })
    }
  })

/** The state of an optimizer made of a transform: a parameter, a mean, and a count. */
const composed = (): Uint8Array =>
  Safetensors.encode({
    tensors: [
      ...["a", "transform/0.mu.a"].map((name) =>
        Safetensors.fromHost(name, { shape: [2], data: Float32Array.of(1, 2) })
      ),
      { name: "transform/0.count", dtype: "F64", shape: [], bytes: new Uint8Array(8) }
    ],
    metadata: {
      optim: JSON.stringify({
        format: "optim.checkpoint",
        version: 1,
        step: 5,
        optimizer: { name: "lion", hyperParameters: { learningRate: 0.1 } },
        tree: [["a"], "*"],
        subtrees: [["*"]],
        subtreeOf: [0],
        transform: [2, ["count", "mu"], "*", ["a"], "*", null]
      })
    }
  })

const manifest = (checksum: Checksum.Checksum): Uint8Array =>
  Manifest.encode(
    checksum,
    Manifest.make({
      step: 3,
      savedAt: 1,
      metrics: { loss: 0.5 },
      files: [{ name: "a.safetensors", size: 100, headerSize: 80, headerChecksum: "0123456789abcdef" }],
      items: {
        a: {
          kind: "tree",
          version: 0,
          value: { optimizer: { name: "sgd", hyperParameters: {} } },
          tensors: [
            {
              name: "w",
              path: "['w']",
              dtype: "F32",
              shape: [5],
              file: 0,
              begin: 80,
              end: 100,
              checksum: "0123456789abcdef"
            }
          ]
        }
      }
    })
  )

/** Puts the right checksum over whatever text there is, so that what is behind it is reached. */
const resealed = (checksum: Checksum.Checksum, bytes: Uint8Array): Uint8Array => {
  const copy = bytes.slice()
  if (copy.length > 45) copy.set(encoder.encode(checksum.of(copy.subarray(42, -2))), 13)
  return copy
}

const readers = (checksum: Checksum.Checksum): ReadonlyArray<Reader> => {
  const text = Params.toJson(Params.fromBytes(whole()))
  return [
    { seeds: [file()], read: (input) => Safetensors.decode(input).tensors.length >= 0 },
    { seeds: [file(), whole()], read: (input) => Params.fromBytes(input).leaves.length >= 0 },
    { seeds: [encoder.encode(text)], read: (input) => Params.fromJson(decoder.decode(input)).leaves.length >= 0 },
    { seeds: [run(), composed()], read: (input) => Checkpoint.fromBytes(input).leaves.length >= 0 },
    {
      seeds: [manifest(checksum)],
      read: (input) => Result.isSuccess(Manifest.decode(checksum, resealed(checksum, input)))
    },
    { seeds: [manifest(checksum)], read: (input) => Result.isSuccess(Manifest.decode(checksum, input)) }
  ]
}

/** Reads so many inputs. */
export const runFuzz = async (inputs: number, seed: number): Promise<FuzzReport> => {
  const random = makeRandom(seed)
  const checksum = await Effect.runPromise(Checksum.make)
  const all = readers(checksum)
  const report = { inputs, values: 0, refused: 0, crashes: 0, slowest: 0, overAllocated: -Infinity }
  for (let index = 0; index < inputs; index++) {
    const { read, seeds } = pick(random, all)
    const input = mutated(pick(random, seeds), random)
    const before = process.memoryUsage().arrayBuffers
    const started = performance.now()
    try {
      report[read(input) ? "values" : "refused"] += 1
    } catch (error) {
      report[isTyped(error) ? "refused" : "crashes"] += 1
    }
    report.slowest = Math.max(report.slowest, performance.now() - started)
    const grown = process.memoryUsage().arrayBuffers - before
    report.overAllocated = Math.max(report.overAllocated, grown - 2 * input.length)
  }
  return report
}
