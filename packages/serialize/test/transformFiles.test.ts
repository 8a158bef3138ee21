/** Files of states that were made of transforms: names, structure, and what is refused. */
import { assert, describe, it } from "@effect/vitest"
import { Optimizer, Transform } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import { PyTree, TreeDef } from "@optim/pytree"
import { Checkpoint, InvalidCheckpoint, InvalidSafetensors, Safetensors } from "@optim/serialize"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as fc from "fast-check"
import { changed, faultsIn } from "./checkpoints.ts"
import { messageOf, thrown } from "./support.ts"

/** A checkpoint of a small state: two parameters, and what a chain remembers of them. */
const small = Effect.gen(function* () {
  const optimizer = Optimizer.fromTransform(
    Transform.chain(
      Transform.masked(Transform.scaleByAdam(), { b: false, w: true }),
      Transform.injectHyperparams(Transform.scaleByLearningRate, { learningRate: 0.1 })
    )
  )
  return yield* Checkpoint.take({ optimizer, step: 3, state: yield* optimizer.init({ w: 1, b: 2 }) })
}).pipe(Effect.provide(Cpu.layer))

const checkpoint = await Effect.runPromise(small)

const manifestOf = (bytes: Uint8Array): Record<string, unknown> =>
  JSON.parse(Safetensors.decode(bytes).metadata["optim"] ?? "") as Record<string, unknown>

/** The file of the checkpoint with another manifest, and other tensors. */
const edited = (
  edit: Record<string, unknown>,
  change: (entry: Safetensors.Entry) => Safetensors.Entry = (entry) => entry
): Uint8Array => {
  const bytes = Checkpoint.toBytes(checkpoint)
  const { tensors } = Safetensors.decode(bytes)
  return Safetensors.encode({
    tensors: tensors.map(change),
    metadata: { optim: JSON.stringify({ ...manifestOf(bytes), ...edit }) }
  })
}

const total = (read: () => unknown): boolean => {
  try {
    return Checkpoint.isCheckpoint(read())
  } catch (error) {
    return error instanceof InvalidSafetensors || error instanceof InvalidCheckpoint
  }
}

describe("laws", () => {
  it("any numbers come back from bytes and from JSON", () => {
    fc.assert(
      fc.property(fc.tuple(fc.double(), fc.double(), fc.double(), fc.double()), (found) => {
        const { transform } = checkpoint
        if (transform === undefined) throw new Error("it has a transform")
        const next = found[Symbol.iterator]()
        const other = transform.numbers.map((number) => (number === undefined ? undefined : next.next().value))
        const written = changed(checkpoint, { transform: { ...transform, numbers: other } })
        for (const back of [
          Checkpoint.fromBytes(Checkpoint.toBytes(written)),
          Checkpoint.fromJson(Checkpoint.toJson(written))
        ]) {
          assert.isTrue(Equal.equals(back.transform?.treeDef, transform.treeDef))
          assert.deepStrictEqual(back.transform?.numbers, other)
          assert.deepStrictEqual(back.leaves, checkpoint.leaves)
        }
      })
    )
  })

  it("a file that was changed somewhere is a checkpoint or a typed error", () => {
    const seed = Checkpoint.toBytes(checkpoint)
    const edits = fc.array(fc.tuple(fc.nat({ max: seed.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 4
    })
    const law = fc.property(edits, (edits) => {
      const bytes = seed.slice()
      for (const [at, value] of edits) bytes[at] = value
      return total(() => Checkpoint.fromBytes(bytes))
    })
    assert.isFalse(fc.check(law, { numRuns: 2000 }).failed)
  })

  it("any JSON as the structure of the transform is a checkpoint or a typed error", () => {
    const json = fc.oneof(
      fc.jsonValue(),
      fc.array(fc.constantFrom<unknown>("*", null, 0, 1, 2, -1, 1e9, ["a"], ["a", "b"], { arity: 2 }), {
        maxLength: 8
      })
    )
    const law = fc.property(json, (transform) => total(() => Checkpoint.fromBytes(edited({ transform }))))
    assert.isFalse(fc.check(law, { numRuns: 1000 }).failed)
  })
})

describe("cases", () => {
  it("tensors and numbers of the transform are named by their paths, behind the parameters", () => {
    const { tensors } = Safetensors.decode(Checkpoint.toBytes(checkpoint))
    assert.deepStrictEqual(
      tensors.map(({ dtype, name, shape }) => [name, dtype, shape]),
      [
        ["transform/0.innerState.count", "F64", []],
        ["transform/1.count", "F64", []],
        ["transform/1.hyperparams.learningRate", "F64", []],
        ["transform/1.innerState.count", "F64", []],
        ["b", "F32", []],
        ["transform/0.innerState.mu.w", "F32", []],
        ["transform/0.innerState.nu.w", "F32", []],
        ["w", "F32", []]
      ]
    )
  })

  it("the manifest has the structure", () => {
    const { transform } = manifestOf(Checkpoint.toBytes(checkpoint))
    const masked = [["b", "w"], null, "*"]
    assert.deepStrictEqual(transform, [
      2,
      ["innerState"],
      ["count", "mu", "nu"],
      "*",
      ...masked,
      ...masked,
      ["count", "hyperparams", "innerState"],
      "*",
      ["learningRate"],
      "*",
      ["count"],
      "*"
    ])
  })

  it("a parameter keeps its name where the transform has something of the same name", () => {
    const treeDef = PyTree.structure({ "transform/count": 1, transform: 1 })
    const leaf = TreeDef.leaf
    const names = (transform: unknown, numbers: ReadonlyArray<number>) => {
      const held = { treeDef: PyTree.structure(transform), numbers }
      const host = { shape: [], data: Float32Array.of(1) }
      const fields = { treeDef, subtreeDefs: [leaf, leaf], leaves: [host, host], transform: held }
      const bytes = Checkpoint.toBytes(changed(checkpoint, fields))
      assert.deepStrictEqual(Checkpoint.fromBytes(bytes).transform?.numbers, numbers)
      return Safetensors.decode(bytes).tensors.map(({ name }) => name)
    }
    assert.deepStrictEqual(names({ count: 1 }, [1]), ["transform/count#2", "transform", "transform/count"])
    assert.deepStrictEqual(names(1, [1]), ["transform#2", "transform", "transform/count"])
  })

  it("a file without a transform is read as before", () => {
    const { transform: _, ...manifest } = manifestOf(Checkpoint.toBytes(checkpoint))
    const { tensors } = Safetensors.decode(Checkpoint.toBytes(checkpoint))
    const own = tensors.filter(({ name }) => !name.startsWith("transform/"))
    const old = Safetensors.encode({ tensors: own, metadata: { optim: JSON.stringify(manifest) } })
    assert.deepStrictEqual(Checkpoint.fromBytes(old).leaves, checkpoint.leaves.slice(0, 2))
    assert.strictEqual(Checkpoint.fromBytes(old).transform, undefined)
  })

  it("fromBytes fails on missing and unexpected numbers, and on numbers that are lists", () => {
    const count = "transform/1.count"
    const renamed = edited({}, (entry) => (entry.name === count ? { ...entry, name: "count" } : entry))
    assert.deepStrictEqual(faultsIn(thrown(() => Checkpoint.fromBytes(renamed))), [
      [`"${count}"`, "a tensor", "nothing"],
      ['"count"', "nothing", "F64 []"]
    ])
    const list = edited({}, (entry) => (entry.name === count ? { ...entry, shape: [1] } : entry))
    assert.deepStrictEqual(faultsIn(thrown(() => Checkpoint.fromBytes(list))), [
      [`"${count}"`, "F32, I32, BOOL", "F64 [1]"]
    ])
    const parameter = edited({}, (entry) =>
      entry.name === "b" ? { ...entry, dtype: "F64", bytes: new Uint8Array(8) } : entry
    )
    assert.deepStrictEqual(faultsIn(thrown(() => Checkpoint.fromBytes(parameter))), [
      ['"b"', "F32, I32, BOOL", "F64 []"]
    ])
  })

  it("fromBytes names what is wrong with the structure", () => {
    const faults = (transform: unknown) => faultsIn(thrown(() => Checkpoint.fromBytes(edited({ transform }))))
    assert.deepStrictEqual(faults([["b", "a"], "*", "*"]), [
      ["manifest.transform.0", "distinct keys in ascending order", '["b","a"]']
    ])
    assert.deepStrictEqual(
      faults("*").map(([path]) => path),
      ["manifest.transform"]
    )
  })

  it("fromBytes does not write out the names of a transform that is out of proportion", () => {
    const levels = 20_000
    const chain = Array.from({ length: levels }, () => [["a".repeat(50), "b"]]).flat()
    const transform = [...chain, ...Array.from({ length: levels + 1 }, () => "*")]
    assert.deepStrictEqual(faultsIn(thrown(() => Checkpoint.fromBytes(edited({ transform })))), [
      ["manifest.tree", "the names of 8 tensors", "far more text"]
    ])
  })

  it("toBytes fails on tensors that are too few for the transform", () => {
    const fewer = changed(checkpoint, { leaves: checkpoint.leaves.slice(1) })
    assert.strictEqual(
      messageOf(() => Checkpoint.toBytes(fewer)),
      [
        "Checkpoint.toBytes: this cannot be written",
        "  leaves   expected 4 tensors   found 3",
        "Leaves are float32, int32 or bool tensors, nodes have a codec, and hyper-parameters are numbers, flags, texts or step sizes."
      ].join("\n")
    )
  })
})
