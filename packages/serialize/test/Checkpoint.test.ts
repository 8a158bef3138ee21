import { assert, describe, it, layer } from "@effect/vitest"
import { Optimizer, type OptimizerState, Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import { PyTree } from "@optim/pytree"
import * as Schedules from "@optim/schedules"
import {
  Checkpoint,
  CheckpointMismatch,
  InvalidCheckpoint,
  InvalidEntry,
  InvalidSafetensors,
  Safetensors,
  UnencodableCheckpoint
} from "@optim/serialize"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as SchemaBinary from "effect/encoding/SchemaBinary"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { messageOf, thrown } from "./support.ts"

type Host = Checkpoint.Checkpoint["leaves"][number]

const keys = fc.oneof(
  fc.string({ unit: "binary", maxLength: 3 }),
  fc.constantFrom(
    "",
    ".",
    "/",
    "a.b",
    "a",
    "b",
    "x",
    "#1",
    "value",
    "__metadata__",
    "__proto__",
    "constructor",
    "\ud800",
    "0"
  )
)

const trees: fc.Arbitrary<unknown> = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(1, null),
    fc.array(tie("tree"), { maxLength: 3 }),
    fc
      .uniqueArray(fc.tuple(keys, tie("tree")), { selector: ([key]) => key, maxLength: 3 })
      .map((entries): unknown => Object.fromEntries(entries))
  )
})).tree

const slots = fc.constantFrom<unknown>(1, { x: 1 }, { m: 1, v: 1, x: 1 }, { m: 1, v: [1, 1], x: 1 }, { "x/m": 1, x: 1 })

const hosts: fc.Arbitrary<Host> = fc.oneof(
  fc
    .uint8Array({ minLength: 8, maxLength: 8 })
    .map((bytes) => ({ shape: [2], data: new Float32Array(bytes.slice().buffer) })),
  fc.int32Array({ minLength: 3, maxLength: 3 }).map((data) => ({ shape: [3, 1], data })),
  fc.uint8Array({ minLength: 1, maxLength: 1, max: 1 }).map((data) => ({ shape: [], data }))
)

const hyperParameters = fc.dictionary(
  fc.string({ maxLength: 5 }).filter((name) => name !== "__proto__"),
  fc.oneof(
    fc.double(),
    fc.constantFrom<Checkpoint.HyperParameter>(
      -0,
      true,
      "text",
      "NaN",
      Schedules.constant(0.5),
      Schedules.scale(Schedules.polynomialDecay({ stepSize: 1, decaySteps: 5, finalStepSize: 0.1 }), 2),
      { _tag: "Opaque", name: "cosine" }
    )
  ),
  { maxKeys: 4 }
)

const checkpoints: fc.Arbitrary<Checkpoint.Checkpoint> = trees.chain((tree) => {
  const treeDef = PyTree.structure(tree)
  const subtrees = fc.array(slots, { minLength: treeDef.leafCount, maxLength: treeDef.leafCount })
  return subtrees.chain((subtrees) => {
    const subtreeDefs = subtrees.map((subtree) => PyTree.structure(subtree))
    const count = subtreeDefs.reduce((sum, def) => sum + def.leafCount, 0)
    return fc
      .record({
        step: fc.maxSafeNat(),
        optimizer: fc.record({ name: fc.string(), hyperParameters }, { noNullPrototype: true }),
        metadata: fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.string({ unit: "grapheme" }), {
          maxKeys: 2,
          noNullPrototype: true
        }),
        leaves: fc.array(hosts, { minLength: count, maxLength: count })
      })
      .map((rest) => new Checkpoint.Checkpoint({ ...rest, treeDef, subtreeDefs }))
  })
})

const bitsOf = ({ data, shape }: Host) => [
  data.constructor.name,
  shape,
  [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]
]

const assertSame = (found: Checkpoint.Checkpoint, expected: Checkpoint.Checkpoint): void => {
  assert.strictEqual(found.step, expected.step)
  assert.strictEqual(found.optimizer.name, expected.optimizer.name)
  const parameters = (checkpoint: Checkpoint.Checkpoint) =>
    Object.entries(checkpoint.optimizer.hyperParameters).toSorted(([a], [b]) => (a < b ? -1 : 1))
  assert.deepStrictEqual(parameters(found), parameters(expected))
  assert.deepStrictEqual(found.metadata, expected.metadata)
  assert.isTrue(Equal.equals(found.treeDef, expected.treeDef))
  assert.isTrue(Equal.equals(found.subtreeDefs, expected.subtreeDefs))
  assert.deepStrictEqual(found.leaves.map(bitsOf), expected.leaves.map(bitsOf))
}

const one = (fields: Partial<Checkpoint.Checkpoint> = {}): Checkpoint.Checkpoint =>
  new Checkpoint.Checkpoint({
    step: 3,
    optimizer: { name: "momentum", hyperParameters: { stepSize: Schedules.constant(0.1), mass: 0.9 } },
    metadata: { note: "first" },
    treeDef: PyTree.structure({ w: 1 }),
    subtreeDefs: [PyTree.structure({ v: 1, x: 1 })],
    leaves: [
      { shape: [2], data: Float32Array.of(0, 0) },
      { shape: [2], data: Float32Array.of(1, 2) }
    ],
    ...fields
  })

/** The file of `one` with another manifest. */
const withManifest = (manifest: unknown): Uint8Array => {
  const { tensors } = Safetensors.decode(Checkpoint.toBytes(one()))
  return Safetensors.encode({
    tensors,
    metadata: { optim: typeof manifest === "string" ? manifest : JSON.stringify(manifest) }
  })
}

const manifestOf = (bytes: Uint8Array): Record<string, unknown> =>
  JSON.parse(Safetensors.decode(bytes).metadata["optim"] ?? "") as Record<string, unknown>

/** The file of `one` with other fields in its manifest. */
const edited = (edit: Record<string, unknown>): Uint8Array =>
  withManifest({ ...manifestOf(Checkpoint.toBytes(one())), ...edit })

const faultsOf = (f: () => unknown): ReadonlyArray<ReadonlyArray<string>> => {
  const error = thrown(f)
  if (error instanceof InvalidCheckpoint || error instanceof UnencodableCheckpoint) {
    return error.faults.map(({ expected, found, path }) => [path, expected, found])
  }
  throw error
}

const total = (read: () => unknown): boolean => {
  try {
    return Checkpoint.isCheckpoint(read())
  } catch (error) {
    return error instanceof InvalidSafetensors || error instanceof InvalidCheckpoint
  }
}

describe("laws", () => {
  it("fromBytes(toBytes(checkpoint)) is the checkpoint, whatever its tree", () => {
    fc.assert(
      fc.property(checkpoints, (checkpoint) =>
        assertSame(Checkpoint.fromBytes(Checkpoint.toBytes(checkpoint)), checkpoint)
      )
    )
  })

  it("fromJson(toJson(checkpoint)) is the checkpoint, whatever its tree", () => {
    fc.assert(
      fc.property(checkpoints, (checkpoint) =>
        assertSame(Checkpoint.fromJson(Checkpoint.toJson(checkpoint)), checkpoint)
      )
    )
  })

  it("equal checkpoints have equal bytes", () => {
    fc.assert(
      fc.property(checkpoints, (checkpoint) => {
        const bytes = Checkpoint.toBytes(checkpoint)
        assert.deepStrictEqual(Checkpoint.toBytes(Checkpoint.fromBytes(bytes)), bytes)
      })
    )
  })

  it("the schemas agree with the functions", () => {
    const Nested = Schema.Struct({ checkpoint: Checkpoint.schema })
    const Binary = SchemaBinary.toCodec(Nested)
    fc.assert(
      fc.property(checkpoints, (checkpoint) => {
        const bytes = Schema.encodeSync(Checkpoint.Bytes)(checkpoint)
        assert.deepStrictEqual(bytes, Checkpoint.toBytes(checkpoint))
        assertSame(Schema.decodeSync(Checkpoint.Bytes)(bytes), checkpoint)
        const json = Schema.encodeSync(Checkpoint.Json)(checkpoint)
        assert.strictEqual(JSON.stringify(json), Checkpoint.toJson(checkpoint))
        assertSame(Schema.decodeSync(Checkpoint.Json)(json), checkpoint)
        const binary = Schema.encodeSync(Binary)({ checkpoint })
        assertSame(Schema.decodeSync(Binary)(binary).checkpoint, checkpoint)
      }),
      { numRuns: 30 }
    )
  })

  it("fromBytes of a file that was changed somewhere is a checkpoint or a typed error", () => {
    const seed = Checkpoint.toBytes(one())
    const edits = fc.array(fc.tuple(fc.nat({ max: seed.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 4
    })
    const law = fc.property(edits, (edits) => {
      const bytes = seed.slice()
      for (const [at, value] of edits) bytes[at] = value
      return total(() => Checkpoint.fromBytes(bytes))
    })
    assert.isFalse(fc.check(law, { numRuns: 3000 }).failed)
  })

  it("fromJson of a text that was changed somewhere is a checkpoint or a typed error", () => {
    const seed = Checkpoint.toJson(one())
    const law = fc.property(
      fc.nat({ max: seed.length }),
      fc.nat({ max: 5 }),
      fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom("[", "{", '"', "null", "1e999", "__proto__", "-")),
      (at, drop, text) => total(() => Checkpoint.fromJson(seed.slice(0, at) + text + seed.slice(at + drop)))
    )
    assert.isFalse(fc.check(law, { numRuns: 3000 }).failed)
  })

  it("fromBytes with any JSON as the manifest is a checkpoint or a typed error", () => {
    const fields = fc.constantFrom(
      "step",
      "optimizer",
      "tree",
      "subtrees",
      "subtreeOf",
      "format",
      "version",
      "__proto__"
    )
    const law = fc.property(fields, fc.jsonValue(), (field, value) => {
      const entries = Object.entries(manifestOf(Checkpoint.toBytes(one()))).filter(([key]) => key !== field)
      return total(() =>
        Checkpoint.fromBytes(withManifest(JSON.stringify(Object.fromEntries([...entries, [field, value]]))))
      )
    })
    assert.isFalse(fc.check(law, { numRuns: 1000 }).failed)
  })
})

describe("cases", () => {
  it("tensors are named by path and slot; what would have the same name is marked", () => {
    const names = (tree: unknown, slots: unknown) => {
      const treeDef = PyTree.structure(tree)
      const subtreeDefs = PyTree.leaves(tree).map(() => PyTree.structure(slots))
      const count = subtreeDefs.reduce((sum, def) => sum + def.leafCount, 0)
      const leaves = Array.from({ length: count }, () => ({ shape: [], data: Float32Array.of(0) }))
      const { tensors } = Safetensors.decode(Checkpoint.toBytes(one({ treeDef, subtreeDefs, leaves })))
      return tensors.map(({ name }) => name).toSorted()
    }
    assert.deepStrictEqual(names({ layers: [{ w: 1 }] }, { m: 1, v: [1, 1], x: 1 }), [
      "layers.0.w/m",
      "layers.0.w/v.0",
      "layers.0.w/v.1",
      "layers.0.w/x"
    ])
    assert.deepStrictEqual(names({ w: 1 }, 1), ["w"])
    assert.deepStrictEqual(names(1, { v: 1, x: 1 }), ["v", "x"])
    assert.deepStrictEqual(names(1, 1), ["value"])
    assert.deepStrictEqual(names({ "a.b": 1, a: { b: 1 } }, 1), ["a.b", "a.b#1"])
    assert.deepStrictEqual(names({ "": 1, value: 1 }, 1), ["value", "value#1"])
    assert.deepStrictEqual(names(JSON.parse('{"__proto__":1,"__metadata__":1}'), 1), ["__metadata__#0", "__proto__#1"])
    assert.deepStrictEqual(names({ "\ud800": 1, "\ufffd": 1 }, 1), ["\ufffd", "\ufffd#1"])
  })

  it("keys such as __proto__ come back as keys and change nothing else", () => {
    const treeDef = PyTree.structure(JSON.parse('{"__proto__":{"polluted":1}}'))
    const again = Checkpoint.fromBytes(Checkpoint.toBytes(one({ treeDef })))
    assert.isTrue(Equal.equals(again.treeDef, treeDef))
    assert.isUndefined(({} as Record<string, unknown>)["polluted"])
  })

  it("a hyper-parameter that is a function is opaque, and keeps its name", () => {
    const hyperParameters = { stepSize: { _tag: "Opaque", name: "cosine" } } as const
    const again = Checkpoint.fromJson(Checkpoint.toJson(one({ optimizer: { name: "sgd", hyperParameters } })))
    assert.deepStrictEqual(again.optimizer.hyperParameters, hyperParameters)
  })

  it("numbers that JSON has no word for are kept", () => {
    const hyperParameters = { a: Number.NaN, b: Infinity, c: -Infinity, d: -0, e: "NaN" }
    const bytes = Checkpoint.toBytes(one({ optimizer: { name: "sgd", hyperParameters } }))
    assert.deepStrictEqual(Checkpoint.fromBytes(bytes).optimizer.hyperParameters, hyperParameters)
    assert.deepStrictEqual(manifestOf(bytes)["optimizer"], {
      name: "sgd",
      hyperParameters: {
        a: { _tag: "Number", value: "NaN" },
        b: { _tag: "Number", value: "Infinity" },
        c: { _tag: "Number", value: "-Infinity" },
        d: { _tag: "Number", value: "-0" },
        e: "NaN"
      }
    })
  })

  it("the manifest is what the documentation says", () => {
    assert.deepStrictEqual(manifestOf(Checkpoint.toBytes(one())), {
      format: "optim.checkpoint",
      version: 1,
      step: 3,
      optimizer: { name: "momentum", hyperParameters: { stepSize: { _tag: "Constant", stepSize: 0.1 }, mass: 0.9 } },
      tree: [["w"], "*"],
      subtrees: [[["v", "x"], "*", "*"]],
      subtreeOf: [0]
    })
  })

  it("toBytes fails on what cannot be written", () => {
    const hyperParameters = { mask: ["w"] as never, rate: { _tag: "Constant", stepSize: Number.NaN } as const }
    assert.strictEqual(
      messageOf(() => Checkpoint.toBytes(one({ step: -1, optimizer: { name: "sgd", hyperParameters } }))),
      [
        "Checkpoint.toBytes: this cannot be written",
        "  manifest.step                                      expected a value greater than or equal to 0                           found -1",
        '  manifest.optimizer.hyperParameters.mask            expected a number, a flag, a text, a schedule or an opaque function   found ["w"]',
        "  manifest.optimizer.hyperParameters.rate.stepSize   expected a finite number                                              found NaN",
        "Leaves are float32, int32 or bool tensors, nodes have a codec, and hyper-parameters are numbers, flags, texts or step sizes."
      ].join("\n")
    )
  })

  it("toBytes fails on nodes of a class that has no codec", () => {
    class Pair {
      readonly left: unknown
      readonly right: unknown
      constructor(left: unknown, right: unknown) {
        this.left = left
        this.right = right
      }
      get [PyTree.symbol](): PyTree.NodeType<Pair> {
        return {
          name: "test/Pair",
          flatten: ({ left, right }) => ({ children: [left, right] }),
          unflatten: (_, [left, right]) => new Pair(left, right)
        }
      }
    }
    const treeDef = PyTree.structure({ pair: new Pair(1, null) })
    assert.deepStrictEqual(
      faultsOf(() => Checkpoint.toBytes(one({ treeDef }))).map(([path]) => path),
      ["manifest.tree.1"]
    )
  })

  it("toBytes fails on metadata under the key of the manifest", () => {
    const error = thrown(() => Checkpoint.toBytes(one({ metadata: { optim: "x" } })))
    assert.instanceOf(error, UnencodableCheckpoint)
    assert.strictEqual(
      error.message,
      [
        "Checkpoint.toBytes: this cannot be written",
        "  metadata.optim   expected a key of the user's own   found the key of the manifest",
        "Leaves are float32, int32 or bool tensors, nodes have a codec, and hyper-parameters are numbers, flags, texts or step sizes."
      ].join("\n")
    )
    assert.instanceOf(
      thrown(() => Checkpoint.toJson(one({ metadata: { optim: "x" } }))),
      UnencodableCheckpoint
    )
  })

  it("a schedule that nests deeper than is read cannot be written", () => {
    let stepSize: Schedules.Schedule = Schedules.constant(1)
    for (let level = 0; level < 64; level++) stepSize = Schedules.scale(stepSize, 1)
    const deep = one({ optimizer: { name: "sgd", hyperParameters: { stepSize } } })
    assert.deepStrictEqual(
      faultsOf(() => Checkpoint.toBytes(deep)),
      [["manifest", "flat data", "deep nesting"]]
    )
  })

  it("toBytes and toJson fail on tensors that are too few or do not fit their shapes, and on broken text", () => {
    for (const write of [Checkpoint.toBytes, Checkpoint.toJson]) {
      assert.deepStrictEqual(
        faultsOf(() => write(one({ leaves: [] }))),
        [["leaves", "2 tensors", "0"]]
      )
      const leaves = [
        { shape: [2], data: Float32Array.of(0, 0) },
        { shape: [3], data: Float32Array.of(0, 0) }
      ]
      assert.instanceOf(
        thrown(() => write(one({ leaves }))),
        InvalidEntry
      )
      assert.instanceOf(
        thrown(() => write(one({ metadata: { note: "\ud800" } }))),
        InvalidEntry
      )
    }
  })

  it("a tree of 100,000 levels is written and read", () => {
    let tree: unknown = 1
    for (let level = 0; level < 100_000; level++) tree = level % 2 === 0 ? [tree] : { a: tree }
    const treeDef = PyTree.structure(tree)
    const again = Checkpoint.fromBytes(Checkpoint.toBytes(one({ treeDef })))
    assert.isTrue(Equal.equals(again.treeDef, treeDef))
  })

  it("messages show no control characters of a file, cut long text and very many lines", () => {
    const tensors = Array.from({ length: 1500 }, (_, index) =>
      Safetensors.fromHost(`t${index}`, { shape: [], data: Float32Array.of(0) })
    )
    const { metadata } = Safetensors.decode(Checkpoint.toBytes(one()))
    const lines = messageOf(() => Checkpoint.fromBytes(Safetensors.encode({ tensors, metadata }))).split("\n")
    assert.strictEqual(lines.length, 1 + 1000 + 2)
    assert.strictEqual(lines.at(-2), "  and 502 more")
    const bytes = edited({ optimizer: { name: "sgd", hyperParameters: { [`\u001b${"b".repeat(1000)}`]: null } } })
    const [, line = ""] = messageOf(() => Checkpoint.fromBytes(bytes)).split("\n")
    assert.isTrue(line.startsWith(`  manifest.optimizer.hyperParameters.\\u001b${"b".repeat(100)}`))
    assert.isBelow(line.length, 400)
  })

  it("fromBytes fails on a file of another writer", () => {
    const foreign = Safetensors.encode({ tensors: [], metadata: { format: "pt" } })
    assert.strictEqual(
      messageOf(() => Checkpoint.fromBytes(foreign)),
      [
        "Checkpoint.fromBytes: this is not a sound checkpoint",
        '  manifest.format   expected "optim.checkpoint"   found nothing',
        "Read what the same function of this library wrote; if it did, the copy is damaged or comes from a newer version."
      ].join("\n")
    )
  })

  it("fromBytes fails on other formats, other versions and manifests that are not JSON", () => {
    const faults = (manifest: unknown) => faultsOf(() => Checkpoint.fromBytes(withManifest(manifest)))
    assert.deepStrictEqual(faults("{"), [["manifest", "the JSON text of a checkpoint", "text that is not JSON"]])
    assert.deepStrictEqual(faults("[".repeat(100_000)), [
      ["manifest", "the JSON text of a checkpoint", "text nested deeper than 64 levels"]
    ])
    assert.deepStrictEqual(faults([]), [["manifest.format", '"optim.checkpoint"', "[]"]])
    assert.deepStrictEqual(faults({ format: "optim.params", version: 1, tree: ["*"] }), [
      ["manifest.format", '"optim.checkpoint"', '"optim.params"']
    ])
    assert.deepStrictEqual(faults({ format: "optim.checkpoint", version: 2 }), [["manifest.version", "1", "2"]])
  })

  it("fromBytes names every bad field of a manifest", () => {
    const bytes = edited({
      step: -1,
      optimizer: { name: 7, hyperParameters: { b1: null, stepSize: { _tag: "Constant", stepSize: "fast" } } },
      tree: [["b", "a"], "*", "*"],
      subtreeOf: [0.5]
    })
    assert.deepStrictEqual(
      faultsOf(() => Checkpoint.fromBytes(bytes)),
      [
        ["manifest.step", "a value greater than or equal to 0", "-1"],
        ["manifest.optimizer.name", "string", "7"],
        ["manifest.optimizer.hyperParameters.b1", "a number, a flag, a text, a schedule or an opaque function", "null"],
        ["manifest.optimizer.hyperParameters.stepSize.stepSize", "a finite number", '"fast"'],
        ["manifest.tree.0", "distinct keys in ascending order", '["b","a"]'],
        ["manifest.subtreeOf.0", "an integer", "0.5"]
      ]
    )
  })

  it("fromBytes fails on slots that do not match the leaves", () => {
    const faults = (edit: Record<string, unknown>) => faultsOf(() => Checkpoint.fromBytes(edited(edit)))
    assert.deepStrictEqual(faults({ subtreeOf: [] }), [["manifest.subtreeOf", "1 integers, one a leaf", "[]"]])
    assert.deepStrictEqual(faults({ subtreeOf: [1] }), [["manifest.subtreeOf.0", "an integer below 1", "1"]])
  })

  it("fromBytes fails on __proto__ among the hyper-parameters", () => {
    const manifest = JSON.stringify(manifestOf(Checkpoint.toBytes(one()))).replace('"mass"', '"__proto__"')
    assert.deepStrictEqual(
      faultsOf(() => Checkpoint.fromBytes(withManifest(manifest))).map(([path, expected]) => [path, expected]),
      [["manifest", "the JSON text of a checkpoint"]]
    )
  })

  it("fromBytes fails on missing and unexpected tensors, on types that are not read, on bools that are none", () => {
    const treeDef = PyTree.structure({ a: 1, b: 1, c: 1, d: 1 })
    const subtreeDefs = PyTree.leaves({ a: 1, b: 1, c: 1, d: 1 }).map(() => PyTree.structure(1))
    const leaves = Array.from({ length: 4 }, () => ({ shape: [], data: Uint8Array.of(1) }))
    const { metadata, tensors } = Safetensors.decode(Checkpoint.toBytes(one({ treeDef, subtreeDefs, leaves })))
    const changed = tensors.map((entry): Safetensors.Entry => {
      if (entry.name === "a") return { ...entry, name: "z" }
      if (entry.name === "b") return { ...entry, dtype: "I64", bytes: new Uint8Array(8) }
      return entry.name === "c" ? { ...entry, bytes: Uint8Array.of(2) } : entry
    })
    assert.strictEqual(
      messageOf(() => Checkpoint.fromBytes(Safetensors.encode({ tensors: changed, metadata }))),
      [
        "Checkpoint.fromBytes: this is not a sound checkpoint",
        '  "a"   expected a tensor           found nothing',
        '  "b"   expected F32, I32, BOOL     found I64 []',
        '  "c"   expected bools of 0 and 1   found 2 at element 0',
        '  "z"   expected nothing            found BOOL []',
        "Read what the same function of this library wrote; if it did, the copy is damaged or comes from a newer version."
      ].join("\n")
    )
  })

  it("fromBytes does not write out the names of a tree that is out of proportion", () => {
    const levels = 20_000
    const chain = Array.from({ length: levels }, () => [["a".repeat(50), "b"]]).flat()
    const tree = [...chain.map((node) => node), ...Array.from({ length: levels + 1 }, () => "*")]
    const bytes = edited({ tree, subtreeOf: Array.from({ length: levels + 1 }, () => 0) })
    assert.deepStrictEqual(
      faultsOf(() => Checkpoint.fromBytes(bytes)),
      [["manifest.tree", "the names of 2 tensors", "far more text"]]
    )
    const wide = edited({
      tree: [2000, ...Array.from({ length: 2000 }, () => "*")],
      subtrees: [[2000, ...Array.from({ length: 2000 }, () => "*")]],
      subtreeOf: Array.from({ length: 2000 }, () => 0)
    })
    const slotless = edited({ tree, subtrees: [[null]], subtreeOf: Array.from({ length: levels + 1 }, () => 0) })
    assert.deepStrictEqual(
      faultsOf(() => Checkpoint.fromBytes(slotless)),
      [["manifest.tree", "the names of 2 tensors", "far more text"]]
    )
    assert.deepStrictEqual(
      faultsOf(() => Checkpoint.fromBytes(wide)),
      [["manifest.tree", "the names of 2 tensors", "far more text"]]
    )
  })

  it("fromJson fails on tensors whose data is not base64 or not as long as dtype and shape say", () => {
    const json = JSON.parse(Checkpoint.toJson(one())) as {
      tensors: Record<string, { data: string; shape: Array<number>; dtype: string }>
    }
    const faults = (tensor: Record<string, unknown>) =>
      faultsOf(() => Checkpoint.fromJson(JSON.stringify({ ...json, tensors: { ...json.tensors, "w/v": tensor } })))
    assert.deepStrictEqual(faults({ dtype: "F32", shape: [2], data: "?" }), [
      ["tensors.w/v.data", "base64", "1 characters that are not"]
    ])
    assert.deepStrictEqual(faults({ dtype: "F32", shape: [3], data: "AAAAAAAAAAA=" }), [
      ["tensors.w/v.data", "12 bytes for F32 [3]", "8"]
    ])
    assert.deepStrictEqual(faults({ dtype: "F32", shape: [2 ** 50, 2 ** 50], data: "" }), [
      ["tensors.w/v.data", "fewer bytes for F32 [1125899906842624, 1125899906842624]", "0"]
    ])
    assert.deepStrictEqual(
      faults({ dtype: "F31", shape: [-1], data: 1 }).map(([path]) => path),
      ["json.tensors.w/v.dtype", "json.tensors.w/v.shape.0", "json.tensors.w/v.data"]
    )
    assert.deepStrictEqual(
      faultsOf(() => Checkpoint.fromJson("[1")),
      [["json", "the JSON text of a checkpoint", "text that is not JSON"]]
    )
    assert.deepStrictEqual(
      faultsOf(() => Checkpoint.fromJson("{}")).map(([path]) => path),
      ["json.metadata", "json.tensors"]
    )
  })

  it("the codecs fail with the message of the functions", () => {
    const foreign = Safetensors.encode({ tensors: [] })
    assert.strictEqual(
      messageOf(() => Schema.decodeSync(Checkpoint.Bytes)(foreign)),
      [
        "Checkpoint: this is not a sound checkpoint",
        '  manifest.format   expected "optim.checkpoint"   found nothing',
        "Read what the same function of this library wrote; if it did, the copy is damaged or comes from a newer version."
      ].join("\n")
    )
  })

  layer(Cpu.layer)("with tensors", (it) => {
    const momentum = Optimizer.momentum({ stepSize: 0.1, mass: 0.9 })
    const model = () => ({ layers: [{ w: tf.zeros([2, 3]), b: tf.zeros([3]) }], scale: 1 })

    it.effect("take keeps what the run is, and functions as opaque", () =>
      Effect.gen(function* () {
        const optimizer = Optimizer.nesterov({
          stepSize: function cosine(step) {
            return Math.cos(step)
          },
          mass: 0.5
        })
        const state = yield* optimizer.init({ w: 2 })
        const checkpoint = yield* Checkpoint.take({ optimizer, step: 7, state, metadata: { epoch: "1" } })
        assert.strictEqual(checkpoint.step, 7)
        assert.deepStrictEqual(checkpoint.metadata, { epoch: "1" })
        assert.deepStrictEqual(checkpoint.optimizer, {
          name: "nesterov",
          hyperParameters: { stepSize: { _tag: "Opaque", name: "cosine" }, mass: 0.5 }
        })
        assert.deepStrictEqual(checkpoint.leaves, [
          { shape: [], data: Float32Array.of(0) },
          { shape: [], data: Float32Array.of(2) }
        ])
        const resumed = yield* Checkpoint.restore(checkpoint, { optimizer, params: { w: 0 } })
        assert.strictEqual(resumed.step, 7)
        assert.deepStrictEqual(resumed.metadata, { epoch: "1" })
        assert.deepStrictEqual(resumed.hyperParameters, checkpoint.optimizer.hyperParameters)
        assert.deepStrictEqual(optimizer.params(resumed.state).w.dataSync(), Float32Array.of(2))
      })
    )

    it.effect("a whole tree that is one number can be saved", () =>
      Effect.gen(function* () {
        const optimizer = Optimizer.sgd({ stepSize: 0.1 })
        const bytes = yield* Checkpoint.encode({ optimizer, step: 1, state: yield* optimizer.init(5) })
        assert.deepStrictEqual(
          Safetensors.decode(bytes).tensors.map(({ name }) => name),
          ["value"]
        )
        const { state } = yield* Checkpoint.decode(bytes, { optimizer, params: 0 })
        assert.deepStrictEqual(optimizer.params(state).dataSync(), Float32Array.of(5))
      })
    )

    it.effect("take fails when the step is no step", () =>
      Effect.gen(function* () {
        const state = yield* momentum.init({ w: 2 })
        const error = yield* Effect.flip(Checkpoint.take({ optimizer: momentum, step: 1.5, state }))
        assert.strictEqual(
          error.message,
          [
            "Checkpoint.take: the step is 1.5, expected a non-negative integer",
            "Steps count updates from 0; bias corrections and schedules depend on them."
          ].join("\n")
        )
      })
    )

    it.effect("take fails when the state was donated", () =>
      Effect.gen(function* () {
        const state = yield* momentum.init({ w: 2 })
        yield* momentum.update(0, { w: 1 }, state, { donate: true })
        const error = yield* Effect.flip(Checkpoint.take({ optimizer: momentum, step: 1, state }))
        assert.strictEqual(error._tag, "DonatedStateUsed")
      })
    )

    it.effect("take fails when tensors of the state were disposed", () =>
      Effect.gen(function* () {
        const state = yield* momentum.init({ w: 2, b: 1 })
        state.leaves[0]?.dispose()
        state.leaves[3]?.dispose()
        const error = yield* Effect.flip(Checkpoint.encode({ optimizer: momentum, step: 1, state }))
        assert.strictEqual(
          error.message,
          [
            "Checkpoint.encode: tensors that were disposed or donated before",
            "  ['b'] slot v",
            "  ['w'] slot x",
            "Use tensors before they are disposed; a tensor given away with { donate: true } must not be used again."
          ].join("\n")
        )
      })
    )

    it.effect("take fails when the state is that of another optimizer", () =>
      Effect.gen(function* () {
        const state = yield* Optimizer.adam({ stepSize: 0.1 }).init({ w: 2 })
        // the types forbid it, a program that loads its state from elsewhere may do it
        const other = state as unknown as OptimizerState.OptimizerState<unknown, { x: tf.Tensor; v: tf.Tensor }>
        const error = yield* Effect.flip(Checkpoint.take({ optimizer: momentum, step: 1, state: other }))
        assert.strictEqual(error._tag, "StructureMismatch")
      })
    )

    it.effect("restore fails with every difference at once, and leaves no tensor behind", () =>
      Effect.gen(function* () {
        const tensors = yield* Tensors.Tensors
        const state = yield* Optimizer.adam({ stepSize: 0.1 }).init(model())
        const checkpoint = yield* Checkpoint.take({ optimizer: Optimizer.adam({ stepSize: 0.1 }), step: 1, state })
        const params = { layers: [{ w: tf.zeros([3, 2]), c: tf.zeros([3]) }], scale: 1 }
        const before = yield* tensors.memory
        const error = yield* Effect.flip(Checkpoint.restore(checkpoint, { optimizer: momentum, params }))
        assert.instanceOf(error, CheckpointMismatch)
        assert.strictEqual(
          error.message,
          [
            "Checkpoint.restore: the checkpoint does not fit",
            "  optimizer                   expected momentum         found adam",
            "  ['layers'][0]['c'] slot v   expected float32 [3]      found nothing",
            "  ['layers'][0]['c'] slot x   expected float32 [3]      found nothing",
            "  ['layers'][0]['w'] slot v   expected float32 [3, 2]   found float32 [2, 3]",
            "  ['layers'][0]['w'] slot x   expected float32 [3, 2]   found float32 [2, 3]",
            "  ['layers'][0]['b'] slot m   expected nothing          found float32 [3]",
            "  ['layers'][0]['b'] slot v   expected nothing          found float32 [3]",
            "  ['layers'][0]['b'] slot x   expected nothing          found float32 [3]",
            "  ['layers'][0]['w'] slot m   expected nothing          found float32 [2, 3]",
            "  ['scale'] slot m            expected nothing          found float32 []",
            "Make the optimizer and the parameters as they were made for the run that wrote it."
          ].join("\n")
        )
        assert.deepStrictEqual(yield* tensors.memory, before)
      })
    )

    it.effect("restore fails on another dtype, on another structure without a tensor, on the name alone", () =>
      Effect.gen(function* () {
        const target = { optimizer: momentum, params: { w: Float32Array.of(0, 0) } }
        const faults = (checkpoint: Checkpoint.Checkpoint, params: unknown = target.params) =>
          Effect.flip(Checkpoint.restore(checkpoint, { optimizer: momentum, params })).pipe(
            Effect.map((error) =>
              (error instanceof CheckpointMismatch ? error.faults : []).map(({ expected, found, path }) => [
                path,
                expected,
                found
              ])
            )
          )
        const integers = one({
          leaves: [
            { shape: [2], data: Int32Array.of(0, 0) },
            { shape: [2], data: Float32Array.of(0, 0) }
          ]
        })
        assert.deepStrictEqual(yield* faults(integers), [["['w'] slot v", "float32 [2]", "int32 [2]"]])
        assert.deepStrictEqual(yield* faults(one(), { w: Float32Array.of(0, 0), none: null }), [
          [
            "structure",
            "PyTreeDef({'none': None, 'w': *}), PyTreeDef({'v': *, 'x': *})",
            "PyTreeDef({'w': *}), PyTreeDef({'v': *, 'x': *})"
          ]
        ])
        const renamed = one({ optimizer: { name: "nesterov", hyperParameters: {} } })
        assert.deepStrictEqual(yield* faults(renamed), [["optimizer", "momentum", "nesterov"]])
      })
    )

    it.effect("decode, decodeJson and load fail as reading does", () =>
      Effect.gen(function* () {
        const target = { optimizer: momentum, params: { w: 0 } }
        const cut = yield* Effect.flip(Checkpoint.decode(Checkpoint.toBytes(one()).subarray(0, 100), target))
        assert.strictEqual(cut._tag, "InvalidSafetensors")
        const foreign = yield* Effect.flip(Checkpoint.decode(Safetensors.encode({ tensors: [] }), target))
        assert.strictEqual(foreign._tag, "InvalidCheckpoint")
        const text = yield* Effect.flip(Checkpoint.decodeJson("{}", target))
        assert.strictEqual(text._tag, "InvalidCheckpoint")
        const other = yield* Effect.flip(Checkpoint.decodeJson(Checkpoint.toJson(one()), target))
        assert.strictEqual(other._tag, "CheckpointMismatch")
      })
    )
  })
})
