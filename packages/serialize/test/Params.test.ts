import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import { Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import { PyTree } from "@optim/pytree"
import { CheckpointMismatch, InvalidCheckpoint, InvalidSafetensors, Params, Safetensors } from "@optim/serialize"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { fixture, messageOf, thrown } from "./support.ts"

const model = () => ({
  layers: [
    { w: tf.tensor2d([1, 2, 3, 4], [2, 2]), b: tf.tensor1d([0.5, -0.5]) },
    { w: tf.tensor2d([5, 6], [2, 1]), b: tf.tensor1d([0]) }
  ],
  steps: tf.scalar(7, "int32"),
  mask: tf.tensor1d([true, false], "bool"),
  none: null
})

const plain = (tree: unknown): unknown =>
  PyTree.map(tree, (leaf: unknown) => {
    const tensor = leaf as tf.Tensor
    return [tensor.dtype, tensor.shape, [...tensor.dataSync()]]
  })

const data = (metadata: Record<string, string> = {}) =>
  new Params.Params({
    metadata,
    treeDef: PyTree.structure({ w: 1, b: 1 }),
    leaves: [
      { shape: [], data: Int32Array.of(3) },
      { shape: [2], data: Float32Array.of(1, -0) }
    ]
  })

const total = (read: () => unknown): boolean => {
  try {
    return Params.isParams(read())
  } catch (error) {
    return (
      error instanceof InvalidSafetensors || error instanceof InvalidCheckpoint || error instanceof CheckpointMismatch
    )
  }
}

describe("laws", () => {
  it("fromBytes(toBytes(params)) and fromJson(toJson(params)) are the parameters", () => {
    const leaf = fc.float().map((value) => ({ shape: [1], data: Float32Array.of(value) }))
    const law = fc.property(fc.array(leaf, { maxLength: 4 }), fc.boolean(), (leaves, nested) => {
      const treeDef = PyTree.structure(nested ? { a: [leaves.map(() => 1), null] } : leaves.map(() => 1))
      const params = new Params.Params({ metadata: {}, treeDef, leaves })
      assert.deepStrictEqual(Params.fromBytes(Params.toBytes(params)).leaves, leaves)
      assert.deepStrictEqual(Params.fromJson(Params.toJson(params)).leaves, leaves)
      assert.strictEqual(String(Params.fromBytes(Params.toBytes(params)).treeDef), String(treeDef))
    })
    fc.assert(law)
  })

  it("the schemas agree with the functions", () => {
    const bytes = Params.toBytes(data({ note: "x" }))
    assert.deepStrictEqual(Schema.encodeSync(Params.Bytes)(data({ note: "x" })), bytes)
    assert.deepStrictEqual(Params.toBytes(Schema.decodeSync(Params.Bytes)(bytes)), bytes)
    const json = Schema.encodeSync(Params.Json)(data())
    assert.strictEqual(JSON.stringify(json), Params.toJson(data()))
    assert.deepStrictEqual(Schema.encodeSync(Schema.toCodecJson(Params.schema))(data()), json)
    assert.deepStrictEqual(Params.toJson(Schema.decodeSync(Params.Json)(json)), Params.toJson(data()))
  })

  it("fromBytes of a changed file is a value or a typed error, with and without a tree", () => {
    const seed = Params.toBytes(data())
    const like = { w: Float32Array.of(0, 0), b: 0 }
    const law = fc.property(fc.nat({ max: seed.length - 1 }), fc.nat({ max: 255 }), (at, value) => {
      const bytes = seed.slice()
      bytes[at] = value
      return total(() => Params.fromBytes(bytes)) && total(() => Params.fromBytes(bytes, { like, convertFloats: true }))
    })
    assert.isFalse(fc.check(law, { numRuns: 2000 }).failed)
  })
})

describe("cases", () => {
  it("the manifest is what the documentation says", () => {
    const { metadata } = Safetensors.decode(Params.toBytes(data({ note: "x" })))
    assert.deepStrictEqual(metadata, {
      note: "x",
      optim: '{"format":"optim.params","version":1,"tree":[["b","w"],"*","*"]}'
    })
  })

  it("fromBytes fails on a file of another writer when no tree is given", () => {
    assert.strictEqual(
      messageOf(() => Params.fromBytes(fixture("tfjs"))),
      [
        "Params.fromBytes: this is not a sound checkpoint",
        '  manifest.format   expected "optim.params"   found nothing',
        "Read what the same function of this library wrote; if it did, the copy is damaged or comes from a newer version."
      ].join("\n")
    )
  })

  it("fromBytes fails on types that tfjs does not have, unless they are converted", () => {
    const read = Safetensors.decode(fixture("others")).tensors.filter(({ name }) => name === "f16" || name === "f64")
    const file = Safetensors.encode({ tensors: read })
    const like = { f16: new Float32Array(7), f64: new Float32Array(7) }
    const error = thrown(() => Params.fromBytes(file, { like }))
    assert.instanceOf(error, CheckpointMismatch)
    assert.deepStrictEqual(error.faults, [
      { path: "['f16']", expected: "float32 [7]", found: "F16 [7]" },
      { path: "['f64']", expected: "float32 [7]", found: "F64 [7]" }
    ])
    const [f16] = Params.fromBytes(file, { like, convertFloats: true }).leaves
    assert.deepStrictEqual(f16?.data, Float32Array.of(1, -2.5, 65504, 2 ** -24, -0, Infinity, NaN))
  })

  it("a tree to read into has tensors, numbers and typed arrays at its leaves", () => {
    const like = { w: "text", b: [true] }
    assert.strictEqual(
      messageOf(() => Params.fromBytes(Params.toBytes(data()), { like })),
      [
        "Params.fromBytes: leaves that cannot be used",
        "  ['b'][0]   expected a tensor   found boolean",
        "  ['w']      expected a tensor   found string",
        "Leaves are float32 tensors, numbers, or typed arrays (which become float32 vectors)."
      ].join("\n")
    )
  })

  layer(Layer.merge(Cpu.layer, NodeServices.layer), { excludeTestServices: true })("with tensors", (it) => {
    it.effect("a tree of all dtypes comes back from file, bytes and text, with and without a tree to read into", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = `${yield* fs.makeTempDirectoryScoped()}/model.safetensors`
        const params = model()
        yield* Params.save(path, params)
        const bytes = yield* Params.encode(params)
        const text = yield* Params.encodeJson(params, { metadata: { note: "x" } })
        const expected = plain(params)
        assert.deepStrictEqual(plain(yield* Params.load(path)), expected)
        assert.deepStrictEqual(plain(yield* Params.load(path, { like: params })), expected)
        assert.deepStrictEqual(plain(yield* Params.decode(bytes)), expected)
        assert.deepStrictEqual(plain(yield* Params.decode(bytes, { like: params })), expected)
        assert.deepStrictEqual(plain(yield* Params.decodeJson(text)), expected)
        assert.deepStrictEqual(plain(yield* Params.decodeJson(text, { like: params })), expected)
        assert.deepStrictEqual(Params.fromJson(text).metadata, { note: "x" })
      })
    )

    it.effect("fromBytes fails with every difference to the tree that is given", () =>
      Effect.sync(() => {
        const like = { layers: [{ w: tf.zeros([3, 2]), c: 1 }], count: tf.zeros([4], "int32"), mask: tf.zeros([1, 3]) }
        assert.strictEqual(
          messageOf(() => Params.fromBytes(fixture("tfjs"), { like })),
          [
            "Params.fromBytes: the checkpoint does not fit",
            "  ['layers'][0]['c']   expected float32 []       found nothing",
            "  ['layers'][0]['w']   expected float32 [3, 2]   found float32 [2, 3]",
            "  ['mask']             expected float32 [1, 3]   found bool [1, 3]",
            '  "grüß \\"\\\\\\n😀"      expected nothing          found float32 [1]',
            '  "layers.0.b"         expected nothing          found float32 []',
            '  "none"               expected nothing          found float32 [0, 4]',
            '  "～"                  expected nothing          found float32 [1]',
            '  "😀"                 expected nothing          found float32 [1]',
            "Give `like` the structure, shapes and dtypes that were saved; { convertFloats: true } takes F16, BF16 and F64."
          ].join("\n")
        )
      })
    )

    it.effect("fromBytes fails on another structure around the same tensors", () =>
      Effect.sync(() => {
        const error = thrown(() =>
          Params.fromBytes(Params.toBytes(data()), {
            like: { w: Float32Array.of(0, 0), b: tf.scalar(0, "int32"), none: null }
          })
        )
        assert.instanceOf(error, CheckpointMismatch)
        assert.deepStrictEqual(error.faults, [
          {
            path: "structure",
            expected: "PyTreeDef({'b': *, 'none': None, 'w': *})",
            found: "PyTreeDef({'b': *, 'w': *})"
          }
        ])
      })
    )

    it.effect("names are those of other frameworks", () =>
      Effect.gen(function* () {
        const { tensors } = Safetensors.decode(yield* Params.encode(model()))
        assert.deepStrictEqual(
          tensors.map(({ dtype, name }) => [name, dtype]),
          [
            ["layers.0.b", "F32"],
            ["layers.0.w", "F32"],
            ["layers.1.b", "F32"],
            ["layers.1.w", "F32"],
            ["steps", "I32"],
            ["mask", "BOOL"]
          ]
        )
      })
    )

    it.effect("numbers and typed arrays are float32 tensors", () =>
      Effect.gen(function* () {
        const params = { a: 0.1, b: Float64Array.of(1, 2), c: Int32Array.of(3) }
        const read = yield* Params.decode(yield* Params.encode(params), { like: params })
        assert.deepStrictEqual(plain(read), {
          a: ["float32", [], [Math.fround(0.1)]],
          b: ["float32", [2], [1, 2]],
          c: ["float32", [1], [3]]
        })
      })
    )

    it.effect("what is restored is the caller's, and nothing else stays", () =>
      Effect.gen(function* () {
        const tensors = yield* Tensors.Tensors
        const params = model()
        const before = yield* tensors.memory
        const read = yield* Params.decode(yield* Params.encode(params), { like: params })
        assert.strictEqual((yield* tensors.memory).tensors, before.tensors + 6)
        yield* Tensors.dispose(read)
        assert.deepStrictEqual(yield* tensors.memory, before)
        yield* Effect.flip(Params.decode(yield* Params.encode(params), { like: { other: 1 } }))
        assert.deepStrictEqual(yield* tensors.memory, before)
      })
    )

    it.effect("take fails on disposed tensors, on tensors of other types, on leaves that are none", () =>
      Effect.gen(function* () {
        const gone = tf.scalar(1)
        gone.dispose()
        const disposed = yield* Effect.flip(Params.take({ a: gone, b: 1 }))
        assert.strictEqual(disposed._tag === "DisposedTensor" && disposed.paths.join(), "['a']")
        const complex = yield* Effect.flip(Params.encode({ z: tf.complex([1], [2]) }))
        assert.strictEqual(
          complex.message,
          [
            "Params.encode: this cannot be written",
            "  ['z']   expected float32, int32, bool   found complex64 [1]",
            "Leaves are float32, int32 or bool tensors, nodes have a codec, and hyper-parameters are numbers, flags, texts or step sizes."
          ].join("\n")
        )
        const text = yield* Effect.flip(Params.take({ a: "text" }))
        assert.strictEqual(text._tag, "InvalidLeaf")
        const cycle: { self?: unknown } = {}
        cycle.self = cycle
        assert.strictEqual((yield* Effect.flip(Params.take(cycle)))._tag, "CyclicTree")
      })
    )

    it.effect("fromBytes shows the first differences, and holds them all", () =>
      Effect.sync(() => {
        const like = { layers: Array.from({ length: 15 }, () => 0) }
        const error = thrown(() => Params.fromBytes(Params.toBytes(data()), { like }))
        assert.instanceOf(error, CheckpointMismatch)
        assert.strictEqual(error.faults.length, 17)
        const lines = error.message.split("\n")
        assert.deepStrictEqual(
          [lines.length, lines[12], lines[13]],
          [15, "  ['layers'][11]   expected float32 []   found nothing", "  and 5 more"]
        )
      })
    )

    it.effect("decode fails as reading does", () =>
      Effect.gen(function* () {
        const cut = yield* Effect.flip(Params.decode(Params.toBytes(data()).subarray(0, 50)))
        assert.strictEqual(cut._tag, "InvalidSafetensors")
        const foreign = yield* Effect.flip(Params.decodeJson("[]"))
        assert.strictEqual(foreign._tag, "InvalidCheckpoint")
        const other = yield* Effect.flip(Params.decode(Params.toBytes(data()), { like: { w: 0 } }))
        assert.strictEqual(other._tag, "CheckpointMismatch")
      })
    )
  })
})
